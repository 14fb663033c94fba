"""People come and go, groups are made, keys are renewed, and prepared ones run out: recording never stops.

A camera that knows what it sent, a real `nvr run`, and every change made by its command meanwhile.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from nvr.keyholder.opening import footage_identities
from pipeline.household.choosing import prepared_until_ms
from pipeline.household.files import read_household
from pipeline.names import StoredSegment
from tests.support.clock_setting import ClockSetting
from tests.support.faulty import FaultyCamera, faulty_camera
from tests.support.footage import clip
from tests.support.household import Household, Running, make_household, until
from tests.support.listed import listed
from tests.support.reading import open_footage

pytestmark = pytest.mark.slow

CAMERA = "front"
BEFORE_THE_END_S = 8
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Scene:
    """One camera, recorded."""

    house: Household
    lens: FaultyCamera
    run: Running

    def segments(self) -> list[StoredSegment]:
        """What is published, in order."""
        return sorted(self.house.segments(CAMERA), key=lambda one: one.name.sequence)

    def generation(self, segment: StoredSegment) -> int:
        """That it says it is sealed to."""
        identities = footage_identities(str(self.house.key_file), self.house.store, [])
        return open_footage(self.house.store, segment, identities).mark.generation

    def await_segment_of(self, generation: int) -> None:
        """Waits until one is published that is sealed to it."""
        until(lambda: self.generation(self.segments()[-1]) == generation, 40, self.run.log)

    def owner(self, *words: str) -> str:
        """What a command of the owner's says, after it has worked."""
        done = self.house.nvr(*words, "--identity", str(self.house.key_file))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def current_generation(self, group: str, at_ms: int) -> int:
        """The newest that has begun."""
        found = read_household(self.house.store).manifest.group(group)
        assert found is not None
        return max(one.number for one in found.generations if one.from_ms <= at_ms)

    def assert_nothing_missing(self) -> None:
        """All that the camera sent from the first packet in the store to the last is there, in order."""
        identities = footage_identities(str(self.house.key_file), self.house.store, [])
        opened = [open_footage(self.house.store, one, identities) for one in self.segments()]
        found = [packet for one in opened for packet in one.video]
        sent = [one.unit.data for one in self.lens.sent if one.unit.kind == "video"]
        first = sent.index(found[0])
        assert found == sent[first : first + len(found)]
        numbers = [one.name.sequence for one in self.segments()]
        assert numbers == list(range(len(numbers)))
        assert listed(self.house, CAMERA).ended_gaps == []
        assert len(opened) > 1


@contextmanager
def scene(place: Path, **environment: str) -> Iterator[Scene]:
    """A household whose camera is being recorded; when the block ends, so does recording."""
    house = make_household(place)
    with faulty_camera({"main": clip(audio="aac", seconds=20)}) as lens:
        house.add(CAMERA, url=lens.url("main"))
        with house.running() as run:
            until(lambda: house.segments(CAMERA), 40, run.log)
            yield Scene(house, lens, run)


def test_every_change_of_a_household(tmp_path: Path) -> None:
    with scene(tmp_path) as one:
        one.owner("group", "rotate", "home")
        rotated = one.current_generation("home", _now_ms())
        assert rotated > 1
        one.await_segment_of(rotated)

        invitation, bob = tmp_path / "invitation.txt", tmp_path / "bob"
        one.house.nvr("member", "invite", "-o", str(invitation))
        request = tmp_path / "request.txt"
        joining = ("--keys-to", str(bob), "--name", "bob", "--no-passphrase", "-o", str(request))
        assert one.house.nvr("member", "join", str(invitation), *joining).returncode == 0
        one.owner("member", "approve", str(request), "--name", "bob")
        assert one.current_generation("home", _now_ms()) == rotated, "a newcomer changes no generation"

        one.owner("group", "add", "outdoor", "--camera", CAMERA)
        outdoor = one.current_generation("outdoor", _now_ms())
        until(lambda: list((one.house.store / "keys/outdoor" / str(outdoor)).glob("*.used")), 40)
        count = len(one.segments())
        until(lambda: len(one.segments()) > count, 40, one.run.log)

        one.owner("member", "approve", str(request), "--name", "bob", "--group", "home", "--group", "outdoor")
        one.owner("member", "remove", "bob")
        renewed = one.current_generation("outdoor", _now_ms())
        assert renewed > outdoor
        one.await_segment_of(renewed)
        assert "ERROR" not in one.run.log()
    one.assert_nothing_missing()
    verified = one.house.nvr("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_day_when_prepared_generations_run_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealed on to the last one, and said; an owner's command prepares more, and it is in order again."""
    clock = ClockSetting(tmp_path)
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)
    first = make_household(tmp_path / "dated")
    group = read_household(first.store).manifest.groups[0]
    shutil.rmtree(first.directory)
    clock.move((prepared_until_ms(group) - _now_ms()) // 1000 - BEFORE_THE_END_S)
    with scene(tmp_path) as one:
        last = group.newest.number
        assert one.generation(one.segments()[0]) == last
        until(lambda: "prepared generations have run out" in one.run.log(), 40, one.run.log)
        count = len(one.segments())
        until(lambda: len(one.segments()) > count + 1, 40, one.run.log)
        assert one.generation(one.segments()[-1]) == last
        assert "run out" in one.house.nvr("status").stdout
        one.owner("group", "list")
        until(lambda: "in order again" in one.run.log(), 40, one.run.log)
        newer = one.current_generation("home", one.segments()[-1].name.end_ms + MINUTE_MS)
        assert newer > last
        one.await_segment_of(newer)
    one.assert_nothing_missing()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
