"""Random histories of a household: who should open can, who should not cannot, every version follows.

The manifests are real and so is the succession; "opening" is whose recipient a generation was wrapped to.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crypto.identity import X25519Identity
from crypto.member_key import member_key
from crypto.signing import sign
from nvr.errors import UsageFault
from nvr.keyholder.changes import Making, Plan, approved, removed, rotated, with_group
from nvr.keyholder.founding import Founders, found
from nvr.keyholder.joining import Newcomer
from pipeline.household.choosing import choose
from pipeline.household.document import SignedManifest, to_noun
from pipeline.household.model import Manifest, Role
from pipeline.household.succession import check_first, check_next

NAMES = ("anna", "bob", "carol")
GROUPS = ("home", "outdoor", "cellar")
CAMERAS = ("front", "drive", "stairs")
DAY_MS = 86_400_000


def fresh() -> X25519Identity:
    return X25519Identity.generate(os.urandom)


class Histories(RuleBasedStateMachine):
    """Each step is a change by an owner, or footage; what was promised is kept beside."""

    @initialize()
    def begin(self) -> None:
        self.now_ms = round(datetime(2026, 11, 22, tzinfo=UTC).timestamp() * 1000)
        self.sheet = fresh()
        self.identities = {"anna": fresh(), "recovery-sheet": self.sheet}
        founders = Founders("anna", self.identities["anna"], self.sheet)
        founded = found(
            founders, bytes(16), bytes(range(32)), datetime.fromtimestamp(self.now_ms / 1000, UTC), fresh
        )
        self.newest = founded.signed
        check_first(self.newest)
        self.used: dict[str, set[int]] = {}
        self.footage: list[tuple[str, int, frozenset[str]]] = []
        self.left: list[tuple[str, str, int]] = []  # who, which group, when

    @property
    def manifest(self) -> Manifest:
        return self.newest.manifest

    def change(self, plan: Plan) -> bool:
        before = self.manifest
        try:
            change = plan(before, Making(self.now_ms, fresh, self.used))
        except UsageFault:
            return False
        if change.manifest == before:
            return False
        signer = "recovery-sheet" if before.member("anna") is None else "anna"
        signer = signer if before.member(signer) in before.owners() else before.owners()[0].name
        after = replace(
            change.manifest, version=before.version + 1, previous=self.newest.digest, signed_by=signer
        )
        line = sign("manifest", to_noun(after), member_key(self.identities[signer]))
        signed = SignedManifest.parse(bytes(line))
        check_next(self.newest, signed)
        self.newest = signed
        for old in before.members:
            new = signed.manifest.member(old.name)
            for group in set(old.groups) - set(new.groups if new else ()):
                self.left.append((old.recipient, group, self.now_ms))
        return True

    @rule(
        name=st.sampled_from(NAMES), role=st.sampled_from(list(Role)), groups=st.sets(st.sampled_from(GROUPS))
    )
    def approve(self, name: str, role: Role, groups: set[str]) -> None:
        identity = self.identities.get(name) if self.manifest.member(name) else fresh()
        assert identity is not None
        public = member_key(identity).public_key().public_bytes_raw()
        asked = Newcomer(str(identity.recipient), public)
        plan = partial(approved, newcomer=asked, name=name, role=role, groups=sorted(groups))
        if self.change(plan):
            self.identities[name] = identity

    @rule(name=st.sampled_from((*NAMES, "recovery-sheet")))
    def remove(self, name: str) -> None:
        self.change(partial(removed, name=name))

    @rule(group=st.sampled_from(GROUPS))
    def rotate(self, group: str) -> None:
        self.change(partial(rotated, name=group))

    @rule(group=st.sampled_from(GROUPS), cameras=st.sets(st.sampled_from(CAMERAS)))
    def add_group(self, group: str, cameras: set[str]) -> None:
        self.change(partial(with_group, name=group, cameras=sorted(cameras)))

    @rule(days=st.integers(1, 200))
    def time_goes_on(self, days: int) -> None:
        self.now_ms += days * DAY_MS

    @rule(camera=st.sampled_from(CAMERAS))
    def record(self, camera: str) -> None:
        choice = choose(self.manifest, camera, self.now_ms)
        self.used.setdefault(choice.group, set()).add(choice.generation)
        may = frozenset(one.recipient for one in self.manifest.members_of(choice.group))
        for recipient, group, left_ms in self.left:
            if group == choice.group and recipient not in may:
                sealed_to = self.manifest.group(group)
                begun = sealed_to.generation(choice.generation) if sealed_to else None
                assert begun is not None and begun.from_ms >= left_ms, "sealed to what a leaver opens"
        self.footage.append((choice.group, choice.generation, may))

    @invariant()
    def what_was_sealed_to_stays_in_the_manifest_for_members(self) -> None:
        for group, number, _ in getattr(self, "footage", ()):
            found_group = self.manifest.group(group)
            assert found_group is not None and found_group.generation(number) is not None

    @invariant()
    def somebody_can_go_on(self) -> None:
        if hasattr(self, "newest"):
            assert self.manifest.owners()


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
