"""Disks that are small, full, read-only or gone, under a real `nvr run`: it goes on, and nothing is lost.

Needs root, for mounting. The store that is written over many times is recorded to while the other tests run.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nvr.errors import STORE
from nvr.keyholder.opening import footage_identities
from pipeline.health import State, StreamReport, read_report
from pipeline.names import StoredSegment
from tests.support.faulty import FaultyCamera, faulty_camera
from tests.support.footage import clip
from tests.support.household import Household, Running, make_household, until
from tests.support.listed import at, export, listed
from tests.support.mounted_store import MountedStore, store_on
from tests.support.mounts import ext4, tmpfs
from tests.support.players import play
from tests.support.reading import open_footage
from tests.support.rehoused import change_store

pytestmark = pytest.mark.slow

FPS = 25
SMALL_MB = 64
FLOOR_MB = 16
CHANGE_S = 2.5  # a changed picture size begins a new segment, so that the small disk holds several
SMALL_CAMERAS = ("a", "b", "c")
TORRENT_GOPS = 24  # no two of its clip are alike, so that it can be told how many are missing


@dataclass(frozen=True)
class Small:
    """Three cameras on a disk that holds some ten seconds of them; `held` is what may never go."""

    house: Household
    run: Running
    held: list[StoredSegment]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    place = tmp_path_factory.mktemp("small")
    sizes = [clip(size=size, bitrate="10M", seconds=3) for size in ("1280x720", "1280x704")]
    with contextlib.ExitStack() as stack:
        house = make_household(place)
        change_store(house, min_free=f"{FLOOR_MB}MiB")
        stack.enter_context(store_on(house, stack.enter_context(ext4(place, SMALL_MB))))
        cameras = stack.enter_context(faulty_camera({name: sizes[0] for name in SMALL_CAMERAS}))
        for name in SMALL_CAMERAS:
            house.add(name, url=cameras.url(name))
        run = stack.enter_context(house.running())
        stack.enter_context(_changing(cameras, sizes))
        until(lambda: len(house.segments("a")) >= 1, 60, run.log)
        held = house.segments("a")[:1]
        held_ms = held[0].name.start_ms
        done = house.nvr("hold", "--camera", "a", "--from", at(held_ms), "--to", at(held_ms + 100))
        assert done.returncode == 0, done.stderr
        yield Small(house, run, held)


@contextlib.contextmanager
def _changing(cameras: FaultyCamera, sizes: list[Path]) -> Iterator[None]:
    """All cameras change their picture size again and again."""
    ended = threading.Event()

    def change() -> None:
        count = 0
        while not ended.wait(CHANGE_S):
            count += 1
            for name in SMALL_CAMERAS:
                cameras.switch(name, sizes[count % 2])

    thread = threading.Thread(target=change, name="changing")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@dataclass(frozen=True)
class Disk:
    """A quiet camera and a torrent on a disk that things happen to. All footage is held."""

    house: Household
    run: Running
    mounted: MountedStore
    front: FaultyCamera
    torrent: FaultyCamera

    def report(self, camera: str) -> StreamReport:
        """What its recorder says of itself."""
        found = read_report(self.house.run_dir, camera)
        assert found is not None, self.run.log()
        return found.streams["main"]

    def await_log(self, line: str) -> None:
        """Waits for a new line in the log."""
        until(lambda: line in self.run.log(), 60, self.run.log)


@pytest.fixture(scope="module")
def disk(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """Beside the small one, so that its time is used."""
    assert small.run.process.poll() is None
    place = tmp_path_factory.mktemp("disk")
    with contextlib.ExitStack() as stack:
        house = make_household(place)
        change_store(house, min_free="1MB")
        mounted = stack.enter_context(store_on(house, stack.enter_context(tmpfs(place, 600))))
        front = stack.enter_context(faulty_camera({"main": clip(audio="aac", seconds=6)}))
        busy = clip(size="1280x720", bitrate="24M", seconds=TORRENT_GOPS)
        torrent = stack.enter_context(faulty_camera({"main": busy}))
        house.add("front", url=front.url("main"))
        house.add("torrent", url=torrent.url("main"))
        run = stack.enter_context(house.running())
        for camera in ("front", "torrent"):
            until(lambda camera=camera: _is_recording(house, camera), 60, run.log)  # type: ignore[misc]
            held = house.nvr("hold", "--camera", camera, "--from", "-1h", "--to", "+3h")
            assert held.returncode == 0, held.stderr
        yield Disk(house, run, mounted, front, torrent)


def _is_recording(house: Household, camera: str) -> bool:
    report = read_report(house.run_dir, camera)
    return report is not None and report.streams["main"].state == State.RECORDING


def _spell(
    disk: Disk, begin: Callable[[], None], end: Callable[[], None], why: str, enough: Callable[[], object]
) -> None:
    """Something happens to the disk until `enough`, and ends. It is said once, and recording goes on."""
    before = disk.run.log().count("front/main: the store can be written again")
    begin()
    try:
        disk.await_log(f"front/main: nothing can be written: {why}")
        until(enough, 60, disk.run.log)
        until(lambda: disk.report("front").state == State.STALLED, 10, disk.run.log)
    finally:
        end()
    again = "front/main: the store can be written again"
    until(lambda: disk.run.log().count(again) > before, 30, disk.run.log)
    sent = len(disk.front.sent)
    assert disk.front.wait_until(lambda: len(disk.front.sent) > sent + 2 * FPS)
    until(lambda: disk.report("front").state == State.RECORDING)
    assert disk.run.log().count(f"front/main: nothing can be written: {why}") == 1


def _assert_nothing_lost(disk: Disk, out: Path) -> None:
    """Everything that `front` ever sent is in one clip, without a break."""
    sent_until_ms = time.time_ns() // 1_000_000
    expected = [one.unit.data for one in disk.front.sent if one.unit.kind == "video"]
    until(lambda: max((s.name.end_ms for s in disk.house.segments("front")), default=0) > sent_until_ms, 30)
    assert len(listed(disk.house, "front").runs) == 1
    assert listed(disk.house, "front").gaps == []
    found = [packet for one in _in_order(disk, "front") for packet in _packets(disk, one)]
    first = next(n for n, data in enumerate(expected) if data == found[0])
    assert found[: len(expected) - first] == expected[first:]
    assert disk.report("front").lost_packets == 0
    start_ms = disk.house.segments("front")[0].name.start_ms
    made = export(disk.house, "front", start_ms, sent_until_ms, out)
    assert made.returncode == 0, made.stderr
    play(out)


def _in_order(disk: Disk, camera: str) -> list[StoredSegment]:
    return sorted(disk.house.segments(camera), key=lambda one: one.name.sequence)


def _packets(disk: Disk, segment: StoredSegment) -> list[bytes]:
    identities = footage_identities(str(disk.house.key_file), disk.house.store, [])
    return open_footage(disk.house.store, segment, identities).video


def test_a_full_disk(disk: Disk, tmp_path: Path) -> None:
    """Within the bounded memory nothing is lost; beyond it whole GOPs are, counted and said."""
    _spell(
        disk,
        disk.mounted.fill,
        disk.mounted.make_room,
        "no space left on device",
        lambda: disk.report("torrent").lost_gops >= 3,
    )
    _assert_nothing_lost(disk, tmp_path / "front.mp4")
    lost = disk.house.stream("torrent")["report"]
    until(lambda: listed(disk.house, "torrent").ended_gaps)
    assert "the disk takes footage too slowly" in listed(disk.house, "torrent").ended_gaps[0]["reason"]
    assert "torrent/main: the disk takes footage too slowly: whole GOPs are dropped" in disk.run.log()
    dropped = _dropped_gops(disk)
    assert lost["lost_gops"] < TORRENT_GOPS, "more than can be told apart"
    assert dropped == lost["lost_gops"]
    assert lost["lost_packets"] == dropped * FPS


def _dropped_gops(disk: Disk) -> int:
    """How many whole GOPs of what the torrent sent are missing; an AssertionError if one was torn."""
    gops: list[list[bytes]] = []
    for one in disk.torrent.sent:
        if one.unit.is_keyframe:
            gops.append([])
        if gops:
            gops[-1].append(one.unit.data)
    found = [packet for one in _in_order(disk, "torrent") for packet in _packets(disk, one)]
    dropped = taken = 0
    for gop in gops:
        if taken == len(found):
            break
        if found[taken : taken + len(gop)] == gop:
            taken += len(gop)
        else:
            dropped += 1
    assert taken == len(found), "a GOP was torn"
    return dropped


def test_a_file_system_that_becomes_read_only(disk: Disk, tmp_path: Path) -> None:
    _spell(disk, disk.mounted.read_only, disk.mounted.writable, "read-only file system", lambda: True)
    _assert_nothing_lost(disk, tmp_path / "front.mp4")


def test_a_disk_that_is_unmounted_and_comes_back(disk: Disk, tmp_path: Path) -> None:
    """Nothing is ever written to the folder below the mount point."""
    below: list[list[str]] = []

    def look() -> bool:
        below.append([path.name for path in disk.house.store.iterdir()])
        return disk.report("torrent").state == State.STALLED

    _spell(disk, disk.mounted.away, disk.mounted.back, f"{disk.house.store} is not a store", look)
    assert below[-1] == []
    _assert_nothing_lost(disk, tmp_path / "front.mp4")


COMMANDS = [
    ("run",),
    ("record", "street"),
    ("list",),
    ("status",),
    ("check",),
    ("index", "rebuild"),
    ("hold", "--camera", "street", "--from", "-1h", "--to", "now"),
]


def test_without_its_disk_every_command_refuses(tmp_path: Path) -> None:
    """And makes nothing in the folder below the mount point."""
    house = make_household(tmp_path)
    house.add_street()
    with tmpfs(tmp_path) as place, store_on(house, place) as mounted:
        mounted.away()
        for words in COMMANDS:
            done = house.nvr(*words)
            assert done.returncode == STORE, words
            assert "its disk is not mounted" in done.stderr
            assert done.stderr.count("\n") == 1
            assert list(house.store.iterdir()) == []
        mounted.back()


def test_a_read_only_store_is_refused_and_recorded_to_when_it_is_writable(tmp_path: Path) -> None:
    house = make_household(tmp_path)
    house.add_street()
    change_store(house, min_free="1MB")
    with tmpfs(tmp_path, 32) as place, store_on(house, place) as mounted:
        mounted.read_only()
        for words in (("run",), ("record", "street")):
            done = house.nvr(*words)
            assert done.returncode == STORE
            assert "ead-only file system" in done.stderr
            assert done.stderr.count("\n") == 1
        mounted.writable()
        with house.running() as run:
            until(lambda: "street/main: recording" in run.log(), why=run.log)


def test_a_small_disk_is_written_over_many_times_and_never_full(small: Small, tmp_path: Path) -> None:
    """Recorded to since this module began."""
    house, log = small.house, small.run.log
    written = 5 * SMALL_MB * 1_000_000

    def recorded_bytes() -> int:
        newest = [max(house.segments(name), key=lambda one: one.name.sequence) for name in SMALL_CAMERAS]
        return sum(one.name.sequence * one.size_bytes for one in newest)

    until(lambda: recorded_bytes() > written, 120, log)
    assert "nothing can be written" not in log()
    assert "dropped" not in log()
    for name in SMALL_CAMERAS:
        assert list((house.store / name / "gaps").glob("*")) == []
        assert house.stream(name)["report"]["lost_packets"] == 0
        assert time.time() * 1000 - listed(house, name).runs[-1]["to_ms"] < 15_000, "up to now"
    assert set(small.held) <= set(house.segments("a"))
    held = small.held[0].name
    made = export(house, "a", held.start_ms, held.end_ms, tmp_path / "held.mp4")
    assert made.returncode == 0, made.stderr
    play(tmp_path / "held.mp4")
