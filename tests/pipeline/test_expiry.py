"""Retention on real disks: a small one is written many times over, holds stay, and no index is needed for
it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import pytest

from crypto.recipient import Recipient
from pipeline import walk
from pipeline.expiry import run_pass
from pipeline.index import Index, IndexFault, IndexThread, index_path, rebuild
from pipeline.model import StreamName
from pipeline.names import DAY_MS, HOUR_MS, GapMark, SegmentName, StoredSegment
from pipeline.retention import Limits, Policy
from pipeline.store import Store, append_gap_mark, hold, open_segment
from tests.support.mounts import ext4, tmpfs
from tests.support.sparse_store import fill, put
from tests.support.store_writing import FRONT, NOON_MS, make_store, mark, plaintext

SUB = StreamName("front", "sub")
YEAR_2040_MS = 2_208_988_800_000


def _stored(store: Store) -> list[StoredSegment]:
    return [
        segment
        for stream in walk.streams(store.root)
        for hour in walk.hours(store.root, stream)
        for segment in walk.segments(store.root, hour)
    ]


def _indexed(store: Store) -> list[StoredSegment]:
    with Index(index_path(store.root)) as index:
        return [s for stream in index.streams() for s in index.segments(stream, 0, YEAR_2040_MS)]


def _await_row(store: Store, segment: StoredSegment) -> None:
    """A camera takes seconds for a segment, the index milliseconds; here nothing would hold us back."""
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(IndexFault), Index(index_path(store.root), read_only=True) as index:
            if segment in index.segments(FRONT, segment.name.start_ms, segment.name.end_ms):
                return
        assert time.monotonic() < deadline
        time.sleep(0.002)


def _record_over_and_over(store: Store, recipients: list[Recipient], megabytes: int, floor: int) -> int:
    """Writes that much in segments of 400 kB, a retention pass whenever one is due; returns the bytes
    published.
    """
    told = IndexThread(store.root, "front").start()
    policy = Policy(min_free_bytes=floor)
    content = plaintext(0, 400_000)
    published_bytes = 0
    sequence = 0
    while published_bytes < megabytes << 20:
        segment = open_segment(store, mark(sequence, NOON_MS + sequence * 300_000), recipients)
        segment.append(content, 10_000_000_000)
        published = segment.finish(10_000_000_000)
        told.published(published)
        _await_row(store, published)
        published_bytes += published.size_bytes
        if sequence == 2:
            hold(store, "front", published.name.start_ms, published.name.end_ms, NOON_MS)
        while run_pass(store.root, policy, None).again:
            pass
        sequence += 1
    told.stop()
    return published_bytes


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_a_small_disk_is_written_many_times_over(
    tmp_path: Path, recipients: list[Recipient], kind: str
) -> None:
    with ext4(tmp_path, 24) if kind == "ext4" else tmpfs(tmp_path, 12) as disk:
        store = make_store(disk.path / "store")
        published_bytes = _record_over_and_over(store, recipients, 96, floor=4 << 20)
        stored = _stored(store)
        assert published_bytes >= 96 << 20
        assert sum(segment.size_bytes for segment in stored) < 20 << 20
        assert stored[0].name.sequence == 2  # the hold
        assert [s.name.sequence for s in stored[1:]] == list(
            range(stored[1].name.sequence, stored[-1].name.sequence + 1)
        )
        assert _indexed(store) == stored
        hours = [path for path in (store.root / "front/main").glob("*/*") if not any(path.iterdir())]
        assert hours == []


def test_a_disk_full_of_holds_is_said_and_nothing_goes(tmp_path: Path) -> None:
    with tmpfs(tmp_path, 2) as disk:
        store = make_store(disk.path / "store")
        segments = fill(store.root, FRONT, NOON_MS, 20)
        hold(store, "front", NOON_MS, NOON_MS + DAY_MS, 1)
        (disk.path / "ballast").write_bytes(bytes(1 << 20))
        done = run_pass(store.root, Policy(min_free_bytes=1 << 20), NOON_MS)
        assert (done.removed, done.again) == (0, False)
        assert done.short_bytes > 1 << 12
        assert _stored(store) == segments


def test_a_floor_above_the_disk_is_a_mistake_that_costs_no_more_than_half(tmp_path: Path) -> None:
    with tmpfs(tmp_path, 8) as disk:
        store = make_store(disk.path / "store")
        for number in range(50):
            name = SegmentName(NOON_MS + number * 10_000, 10_000, number)
            path = store.root / StoredSegment(FRONT, name, 100_000).path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(100_000))
        for _ in range(30):
            done = run_pass(store.root, Policy(min_free_bytes=1 << 40), NOON_MS)
        assert "more than half of the disk" in done.faults[0]
        assert len(_stored(store)) > 35


def test_age_takes_files_rows_folders_and_gap_marks(store: Store) -> None:
    old = fill(store.root, FRONT, NOON_MS - 3 * DAY_MS, 5)
    fresh = fill(store.root, SUB, NOON_MS - HOUR_MS, 50)
    for at_ms in (NOON_MS - 3 * DAY_MS, NOON_MS):
        append_gap_mark(store, GapMark(FRONT, at_ms, "stopped"))
    rebuild(store.root)
    done = run_pass(store.root, Policy({"front": Limits(days=2)}), NOON_MS)
    assert (done.removed, done.freed_bytes) == (5, sum(segment.size_bytes for segment in old))
    assert done.faults == ()
    assert _stored(store) == _indexed(store) == fresh
    assert list((store.root / "front/main").iterdir()) == []
    assert walk.gap_days(store.root, "front") == ["2026-11-22"]
    with Index(index_path(store.root)) as index:
        assert [gap.at_ms for gap in index.gap_marks(FRONT, 0, YEAR_2040_MS)] == [NOON_MS]


def test_a_clock_at_2040_that_is_unsure_deletes_nothing(store: Store) -> None:
    segments = fill(store.root, FRONT, NOON_MS, 100)
    wrong = StoredSegment(FRONT, SegmentName(YEAR_2040_MS, 10_000, 100, clock_unsure=True), 100)
    put(store.root, wrong)
    policy = Policy({"front": Limits(days=1)})
    for _ in range(3):
        assert run_pass(store.root, policy, None).removed == 0
    assert _stored(store) == [*segments, wrong]


def test_a_hold_made_since_the_index_was_told_counts(store: Store) -> None:
    segments = fill(store.root, FRONT, NOON_MS, 100)
    rebuild(store.root)
    hold(store, "front", NOON_MS, NOON_MS + 55_000, 1)
    run_pass(store.root, Policy({"front": Limits(days=1)}), NOON_MS + 3 * DAY_MS)
    assert _stored(store) == [*segments[:6], *segments[16:]]


def test_rows_whose_files_are_gone_go_as_well(store: Store) -> None:
    segments = fill(store.root, FRONT, NOON_MS, 40)
    rebuild(store.root)
    for segment in segments[:3]:
        (store.root / segment.path).unlink()
    run_pass(store.root, Policy({"front": Limits(max_bytes=sum(s.size_bytes for s in segments[4:]))}), None)
    assert _indexed(store) == segments[4:]


def test_the_floor_is_kept_without_an_index(tmp_path: Path) -> None:
    with tmpfs(tmp_path, 4) as disk:
        store = make_store(disk.path / "store")
        for number in range(30):
            name = SegmentName(NOON_MS + number * 10_000, 10_000, number)
            path = store.root / StoredSegment(FRONT, name, 100_000).path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(100_000))
        index_path(store.root).mkdir()
        (index_path(store.root) / "in the way").touch()
        done = run_pass(store.root, Policy(min_free_bytes=2 << 20), None)
        assert done.removed > 0
        assert done.short_bytes == 0
        assert "index" in done.faults[0]
        assert [s.name.sequence for s in _stored(store)] == list(range(done.removed, 30))


def test_a_read_only_disk_is_said_and_nothing_breaks(tmp_path: Path) -> None:
    with tmpfs(tmp_path, 4) as disk:
        store = make_store(disk.path / "store")
        segments = fill(store.root, FRONT, NOON_MS, 40)
        rebuild(store.root)
        disk.read_only()
        done = run_pass(store.root, Policy({"front": Limits(days=1)}), NOON_MS + 9 * DAY_MS)
        assert done.removed == 0
        assert not done.again
        assert any("Read-only" in fault or "readonly" in fault for fault in done.faults)
        assert _stored(store) == segments


def test_recording_goes_on_while_its_folders_are_removed(store: Store, recipients: list[Recipient]) -> None:
    """Retention removes an hour's folder the moment it is empty; a segment begun there is never lost."""
    rebuild(store.root)
    stop = threading.Event()

    def expire() -> None:
        while not stop.is_set():
            run_pass(store.root, Policy({"front": Limits(days=0)}), YEAR_2040_MS)

    expiring = threading.Thread(target=expire)
    expiring.start()
    told = IndexThread(store.root, "front").start()
    for sequence in range(60):
        for attempt in range(10):
            try:
                segment = open_segment(store, mark(sequence, NOON_MS + sequence), recipients)
                break
            except FileNotFoundError:
                assert attempt < 9
        segment.append(b"x" * 1000, 10_000_000)
        told.published(segment.finish(10_000_000))
    told.stop()
    stop.set()
    expiring.join(30)
    assert not expiring.is_alive()
    assert len(_stored(store)) < 60
