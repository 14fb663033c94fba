"""Whatever happens in a household: who should open can, who should not cannot, and the chains verify.

Hypothesis invents the histories: people join, change groups and leave (with copies of all wrapped files),
cameras move, keys are renewed, time passes, footage expires, machines die half-way.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.household.model import Role
from tests.support.any_history import CAMERAS, NEWCOMERS, History

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

MEMORY = "/dev/shm"
GROUPS = st.sampled_from(["home", "outdoor"])


class Histories(RuleBasedStateMachine):
    """One household from its founding on."""

    @initialize()
    def found(self) -> None:
        self.place = tempfile.TemporaryDirectory(dir=MEMORY)
        self.history = History(Path(self.place.name))

    def teardown(self) -> None:
        self.place.cleanup()

    def _members(self) -> list[str]:
        manifest = self.history.people.household.manifest
        return [name for name in NEWCOMERS if manifest.member(name)]

    @rule(camera=st.sampled_from(CAMERAS))
    def record(self, camera: str) -> None:
        self.history.record(camera)

    @rule(name=st.sampled_from(NEWCOMERS), role=st.sampled_from(Role), groups=st.sets(GROUPS, min_size=1))
    def join(self, name: str, role: Role, groups: set[str]) -> None:
        known = {group.name for group in self.history.people.household.manifest.groups}
        if wanted := sorted(groups & known):
            self.history.join(name, role, wanted if role is Role.VIEWER else sorted(known))

    @precondition(lambda self: self._members())
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.history.leave(data.draw(st.sampled_from(self._members())))

    @rule(group=GROUPS)
    def rotate(self, group: str) -> None:
        if self.history.people.household.manifest.group(group):
            self.history.rotate(group)

    @rule(camera=st.sampled_from(CAMERAS), group=GROUPS)
    def move(self, camera: str, group: str) -> None:
        self.history.move(camera, group)

    @rule(days=st.integers(0, 45))
    def wait(self, days: int) -> None:
        self.history.wait(days)

    @rule()
    def prepare_ahead(self) -> None:
        self.history.prepare_ahead()

    @precondition(lambda self: self.history.live)
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        self.history.expire(data.draw(st.integers(1, len(self.history.live))))

    @rule(at_call=st.integers(0, 60))
    def crash_in_a_change(self, at_call: int) -> None:
        self.history.crash_in_a_change("home", at_call)

    @rule(camera=st.sampled_from(CAMERAS), torn=st.integers(1, 200))
    def lose_power(self, camera: str, torn: int) -> None:
        self.history.lose_power(camera, torn)

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        if hasattr(self, "history"):
            self.history.check()


Histories.TestCase.settings = settings(
    max_examples=int(os.environ.get("NVR_TEST_HISTORIES", "20")),
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=list(HealthCheck),
)
TestAnyHistory = Histories.TestCase
