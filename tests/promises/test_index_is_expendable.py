"""The index is a convenience: deleted, locked or wrong, nothing is lost. A wrong clock deletes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nvr import upkeep as upkeep_module
from nvr.upkeep import HURRIED_PASS_S, Upkeep
from pipeline import walk
from pipeline.health import read_report
from pipeline.index import Index, index_path
from pipeline.model import StreamName
from pipeline.names import HOUR_MS, LOCK, SegmentName, StoredSegment
from pipeline.retention import Limits, Policy
from pipeline.store import Store, hold
from tests.support.clock_setting import YEAR_S, ClockSetting
from tests.support.household import Household, Running, make_household, until
from tests.support.listed import at, listed
from tests.support.rehoused import change_store, copy_household
from tests.support.sparse_store import put

pytestmark = pytest.mark.slow

YARD = StreamName("yard", "main")
DAY_MS = 24 * HOUR_MS
TO_2040_S = 14 * YEAR_S
LOCKING = """
import sqlite3, sys
index = sqlite3.connect(sys.argv[1], isolation_level=None)
index.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


class Yard(NamedTuple):
    """Footage of some days, by name only: too old for a day's retention, and not."""

    old: list[StoredSegment]
    young: list[StoredSegment]
    kept: StoredSegment


def fill_yard(store: Path, now_ms: int) -> Yard:
    """Three segments beyond a day (none kept), one with a deadline to come, one unsure, twenty younger."""
    old = [_yard(now_ms - 2 * DAY_MS + n * 10_000, n) for n in range(3)]
    kept = _yard(now_ms - 2 * DAY_MS + 60_000, 3, kept_until_ms=now_ms + DAY_MS)
    unsure = _yard(HOUR_MS, 4, clock_unsure=True)
    young = [_yard(now_ms - (22 - n) * HOUR_MS, 5 + n) for n in range(20)]
    for segment in (*old, kept, unsure, *young):
        put(store, segment)
    (store / YARD.camera / LOCK).touch()  # as its recorder has left it: it is a camera that was removed
    return Yard(old, [unsure, *young], kept)


def _yard(start_ms: int, sequence: int, **more: Any) -> StoredSegment:
    return StoredSegment(YARD, SegmentName(start_ms, 10_000, sequence, **more), 4096 + sequence)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """Recorded twice, so that there is a gap; with holds and deadlines. Nothing runs."""
    house = make_household(tmp_path_factory.mktemp("recorded"))
    change_store(house, min_free="1MB")
    house.add_street()
    now_ms = time.time_ns() // 1_000_000
    fill_yard(house.store, now_ms)
    hold(Store(house.store), "yard", now_ms - 3 * DAY_MS, now_ms - DAY_MS, now_ms)
    for count in (1, 2):
        with house.running() as run:
            until(lambda count=count: run.log().count("street/main: recording") == 1, why=run.log)  # type: ignore[misc]
            until(lambda: any(house.store.glob("street/main/*/*/*.part")))
        assert len(house.segments("street")) == count
    assert house.nvr("hold", "--camera", "street", "--from", "-1h", "--to", "now").returncode == 0
    assert house.nvr("index", "rebuild").returncode == 0
    return house


@pytest.fixture
def house(recorded: Household, tmp_path: Path) -> Household:
    """A copy to do something to."""
    return copy_household(recorded, tmp_path)


def what_is_listed(house: Household, until_ms: int) -> Any:
    """Everything `nvr list` says of the time before, deadlines included."""
    return house.json("list", "--from", "1970-01-01T00:00:00Z", "--to", at(until_ms))


def delete_index(house: Household) -> None:
    """As a person would, with what SQLite keeps beside it."""
    found = list(house.store.glob("index.sqlite*"))
    assert found
    for file in found:
        file.unlink()


def test_a_deleted_index_comes_back_the_same(house: Household) -> None:
    now_ms = time.time_ns() // 1_000_000
    before = what_is_listed(house, now_ms)
    reasons = [gap["reason"] for stream in before["streams"] for gap in stream["gaps"]]
    deadlines = [run["kept_until_ms"] for stream in before["streams"] for run in stream["runs"]]
    assert len(before["holds"]) == 2
    assert "recorder stopped" in reasons
    assert [at_ms > now_ms for at_ms in deadlines if at_ms is not None] == [True]
    delete_index(house)
    assert what_is_listed(house, now_ms) == before
    delete_index(house)
    assert house.nvr("index", "rebuild").returncode == 0
    assert what_is_listed(house, now_ms) == before


def test_an_index_that_lies_is_put_right(house: Household) -> None:
    now_ms = time.time_ns() // 1_000_000
    before = what_is_listed(house, now_ms)
    with Index(index_path(house.store)) as index:
        index.remove(index.segments(YARD, 0, now_ms))
        index.add([_yard(now_ms - 5 * HOUR_MS, 77)])
        index.set_holds([])
    assert what_is_listed(house, now_ms) != before
    assert house.nvr("index", "rebuild").returncode == 0
    assert what_is_listed(house, now_ms) == before


@pytest.fixture(scope="module")
def running(
    recorded: Household, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Household, Running]]:
    """A copy that records on."""
    house = copy_household(recorded, tmp_path_factory.mktemp("running"))
    with house.running() as run:
        until(lambda: len(house.segments("street")) >= 3, why=run.log)
        yield house, run


def assert_all_listed(house: Household, count: int) -> None:
    """Waits until so many segments are published; `nvr list` has them all, and no break since the start."""
    until(lambda: len(house.segments("street")) >= count)
    until(lambda: sum(run["segments"] for run in listed(house, "street").runs) >= count)
    *before, now = [run["segments"] for run in listed(house, "street").runs]
    assert (sum(before), now >= count - 2) == (2, True), "two are from before"


def test_recording_goes_on_when_the_index_is_deleted(running: tuple[Household, Running]) -> None:
    house, run = running
    now_ms = time.time_ns() // 1_000_000 - 20_000  # what is published by then changes no more
    before = what_is_listed(house, now_ms)
    delete_index(house)
    assert_all_listed(house, len(house.segments("street")) + 1)
    assert what_is_listed(house, now_ms) == before
    delete_index(house)
    assert house.nvr("index", "rebuild").returncode == 0
    assert what_is_listed(house, now_ms) == before  # the next test sees that recording goes on
    assert "nothing can be written" not in run.log()


def test_recording_goes_on_while_the_index_is_locked(running: tuple[Household, Running]) -> None:
    house, run = running
    known = sum(run["segments"] for run in listed(house, "street").runs)
    command = (sys.executable, "-c", LOCKING, str(index_path(house.store)))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as locking:
        assert locking.stdout is not None and locking.stdout.readline() == b"locked\n"
        until(lambda: len(house.segments("street")) >= known + 1)
        until(lambda: "recording goes on, the index catches up later" in run.log(), why=run.log)
        assert sum(run["segments"] for run in listed(house, "street").runs) <= known
        assert house.stream("street")["recording"]
    assert_all_listed(house, known + 1)
    until(lambda: "the index can be used again" in run.log(), why=run.log)


def test_a_clock_set_to_2040_deletes_nothing(house: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real processes. Passes follow each other every two seconds, because the floor is near."""
    clock = ClockSetting(house.directory)
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)
    yard = _keep_a_day(house)
    with house.running() as run:
        until(lambda: not _left(house, yard.old), why=run.log)
        until(lambda: any(house.store.glob("street/main/*/*/*.part")), why=run.log)
        clock.move(TO_2040_S)
        until(lambda: "nothing is deleted for its age" in run.log(), why=run.log)
        until(lambda: _is_unsure(house), why=run.log)
        _let_passes_happen(run)
        assert _left(house, yard.young) == yard.young
        assert yard.kept in _yard_in(house.store)
        clock.move(0)
        until(lambda: not _is_unsure(house), why=run.log)
        put(house.store, yard.old[0])
        assert house.nvr("index", "rebuild").returncode == 0
        until(lambda: not _left(house, yard.old), why=run.log)
    assert _left(house, yard.young) == yard.young
    far = [one.name for one in house.segments("street") if one.name.start_ms > time.time() * 1000 + DAY_MS]
    assert far
    assert all(name.clock_unsure for name in far)
    assert len(house.segments("street")) - len(far) >= 3


class SteppingTime:
    """What the supervisor's upkeep knows of time: a boot clock that only runs, a wall clock somebody sets."""

    CLOCK_BOOTTIME = time.CLOCK_BOOTTIME

    def __init__(self) -> None:
        self.boot_ns = 1_000_000_000_000
        self.wall_ns = time.time_ns()

    def step(self, seconds: float) -> None:
        self.boot_ns += round(seconds * 1e9)
        self.wall_ns += round(seconds * 1e9)

    def time_ns(self) -> int:
        return self.wall_ns

    def clock_gettime_ns(self, _clock: int) -> int:
        return self.boot_ns

    def monotonic(self) -> float:
        return self.boot_ns / 1e9


@pytest.mark.parametrize("synchronised", [True, False])
def test_an_hour_in_2040_deletes_nothing_whatever_the_kernel_says(
    house: Household, monkeypatch: pytest.MonkeyPatch, *, synchronised: bool
) -> None:
    """The supervisor's own passes with its clock at the seam, so that an hour need not pass."""
    moment = SteppingTime()
    monkeypatch.setattr(upkeep_module, "time", moment)
    monkeypatch.setattr(upkeep_module, "kernel_synchronised", lambda: synchronised)
    yard = fill_yard(house.store, moment.wall_ns // 1_000_000)
    assert house.nvr("index", "rebuild").returncode == 0
    upkeep = Upkeep(Store(house.store), Policy(others=Limits(1)))
    assert _passes(house.store, upkeep, moment, 1) == [], "the old ones are held"
    moment.wall_ns += TO_2040_S * 10**9
    assert _passes(house.store, upkeep, moment, 60) == []
    moment.wall_ns -= TO_2040_S * 10**9
    assert house.nvr("unhold", "--camera", "yard", "--from", "1970-01-02", "--to", "now").returncode == 0
    assert set(_passes(house.store, upkeep, moment, 3)) >= set(yard.old)
    assert _left(house, yard.young) == yard.young


def test_a_start_in_2040_without_a_time_server_deletes_nothing(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = SteppingTime()
    moment.wall_ns += TO_2040_S * 10**9
    monkeypatch.setattr(upkeep_module, "time", moment)
    monkeypatch.setattr(upkeep_module, "kernel_synchronised", lambda: False)
    upkeep = Upkeep(Store(house.store), Policy(others=Limits(1)))
    assert _passes(house.store, upkeep, moment, 60) == []


def _passes(root: Path, upkeep: Upkeep, moment: SteppingTime, count: int) -> list[StoredSegment]:
    """What so many passes, a minute apart, have deleted of the yard."""
    before = _yard_in(root)
    for _ in range(count):
        upkeep.run_once()
        moment.step(60)
    after = set(_yard_in(root))
    return [one for one in before if one not in after]


def _keep_a_day(house: Household) -> Yard:
    for segment in _yard_in(house.store):
        (house.store / segment.path).unlink()
    assert house.nvr("unhold", "--camera", "yard", "--from", "1970-01-02", "--to", "now").returncode == 0
    yard = fill_yard(house.store, time.time_ns() // 1_000_000)
    disk = os.statvfs(house.store)
    change_store(house, days=1.0, min_free=f"{disk.f_bavail * disk.f_frsize * 85 // 100} B")
    assert house.nvr("index", "rebuild").returncode == 0
    return yard


def _yard_in(root: Path) -> list[StoredSegment]:
    """What there is of the yard."""
    return [one for hour in walk.hours(root, YARD) for one in walk.segments(root, hour)]


def _left(house: Household, wanted: list[StoredSegment]) -> list[StoredSegment]:
    there = set(_yard_in(house.store))
    return [one for one in wanted if one in there]


def _is_unsure(house: Household) -> bool:
    report = read_report(house.run_dir, "street")
    return report is not None and report.streams["main"].clock_unsure


def _let_passes_happen(run: Running) -> None:
    """Nothing tells of a pass that deletes nothing, so time has to pass: for three of them."""
    end_s = time.monotonic() + 3 * HURRIED_PASS_S
    until(lambda: time.monotonic() > end_s)
    assert run.process.poll() is None
