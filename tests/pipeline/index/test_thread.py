"""Whatever befalls the index, the recorder never waits, and in the end the index has everything."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.index import Index, IndexThread, index_path, rebuild
from pipeline.names import GapMark, SegmentName, StoredSegment
from pipeline.store import Store, append_gap_mark
from tests.support.mounts import tmpfs
from tests.support.sparse_store import fill, put
from tests.support.store_writing import FRONT, NOON_MS, make_store


def _until(true: Callable[[], bool]) -> None:
    """Waits at most 30 s for something that another thread does."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def _indexed(store: Store) -> list[StoredSegment]:
    with Index(index_path(store.root)) as index:
        return index.segments(FRONT, 0, NOON_MS * 2)


def test_published_segments_and_marks_become_rows(store: Store) -> None:
    thread = IndexThread(store.root, "front").start()
    segments = fill(store.root, FRONT, NOON_MS, 500)
    for segment in segments:
        thread.published(segment)
    gap = GapMark(FRONT, NOON_MS, "stopped")
    thread.marked(gap)
    thread.stop()
    assert (thread.behind, thread.fault) == (0, "")
    assert _indexed(store) == segments
    with Index(index_path(store.root)) as index:
        assert index.gap_marks(FRONT, 0, NOON_MS * 2) == [gap]


def test_what_a_crash_kept_from_the_index_is_found_at_the_next_start(store: Store) -> None:
    rebuild(store.root)
    segments = fill(store.root, FRONT, NOON_MS - 7_200_000, 2000)
    append_gap_mark(store, GapMark(FRONT, NOON_MS, "stopped"))
    IndexThread(store.root, "front").start().stop()
    assert _indexed(store) == segments
    with Index(index_path(store.root)) as index:
        assert len(index.gap_marks(FRONT, 0, NOON_MS * 2)) == 1


def test_a_locked_index_is_caught_up_with(store: Store) -> None:
    rebuild(store.root)
    thread = IndexThread(store.root, "front", busy_s=0.01).start()
    blocker = sqlite3.connect(index_path(store.root), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    segments = fill(store.root, FRONT, NOON_MS, 30)
    gap = GapMark(FRONT, NOON_MS, "stopped")
    append_gap_mark(store, gap)
    for segment in segments:
        thread.published(segment)
    thread.marked(gap)
    _until(lambda: thread.behind == 2 and "locked" in thread.fault)
    blocker.close()
    _until(lambda: thread.behind == 0)
    thread.stop()
    assert _indexed(store) == segments
    with Index(index_path(store.root)) as index:
        assert index.gap_marks(FRONT, 0, NOON_MS * 2) == [gap]


def test_a_full_queue_loses_nothing_and_never_blocks(store: Store) -> None:
    thread = IndexThread(store.root, "front", queue_size=2)
    segments = fill(store.root, FRONT, NOON_MS, 400)
    for segment in segments:
        thread.published(segment)
    assert thread.behind == 2  # two hours' folders
    thread.start().stop()
    assert _indexed(store) == segments


def test_a_full_disk_is_caught_up_with(tmp_path: Path) -> None:
    with tmpfs(tmp_path, 4) as disk:
        store = make_store(disk.path / "store")
        rebuild(store.root)
        thread = IndexThread(store.root, "front", busy_s=0.01).start()
        segments = fill(store.root, FRONT, NOON_MS, 700)
        with (
            (disk.path / "ballast").open("wb", buffering=0) as ballast,
            pytest.raises(OSError, match="No space"),
        ):
            while True:
                ballast.write(bytes(4096))
        for segment in segments:
            thread.published(segment)
        _until(lambda: thread.fault != "" and thread.behind == 2)
        (disk.path / "ballast").unlink()
        _until(lambda: thread.behind == 0)
        thread.stop()
        assert _indexed(store) == segments


def test_a_read_only_disk_is_caught_up_with(tmp_path: Path) -> None:
    with tmpfs(tmp_path, 4) as disk:
        store = make_store(disk.path / "store")
        rebuild(store.root)
        segments = fill(store.root, FRONT, NOON_MS, 5)
        disk.read_only()
        thread = IndexThread(store.root, "front", busy_s=0.01).start()
        for segment in segments:
            thread.published(segment)
        _until(lambda: thread.fault != "" and thread.behind == 1)
        disk.writable()
        _until(lambda: thread.behind == 0)
        thread.stop()
        assert _indexed(store) == segments


def _delete(path: Path) -> None:
    for name in path.parent.glob(path.name + "*"):
        name.unlink()


def _garble(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(8192)
        file.write(b"\xff" * 8192)


def _overwrite_pages(path: Path) -> None:
    """As a failing disk does: the beginning is fine, the tables are not."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


@pytest.mark.parametrize("harm", [_delete, _garble, _overwrite_pages])
def test_an_index_that_is_harmed_while_we_run_is_made_anew(
    store: Store, harm: Callable[[Path], None]
) -> None:
    segments = fill(store.root, FRONT, NOON_MS, 300)
    rebuild(store.root)
    thread = IndexThread(store.root, "front").start()
    _until(lambda: thread.behind == 0)
    harm(index_path(store.root))
    for number in range(200):  # a damage may be met late, when its page is read
        late = StoredSegment(FRONT, SegmentName(NOON_MS + 3_100_000 + number, 1, 1000 + number), 10)
        segments.append(put(store.root, late))
        thread.published(late)
        if number % 20 == 0:
            _until(lambda: thread.behind == 0)
    thread.stop()
    assert thread.behind == 0
    assert sorted(_indexed(store), key=str) == sorted(segments, key=str)


def test_an_index_that_cannot_be_made_stops_nobody(store: Store) -> None:
    index_path(store.root).mkdir()
    (index_path(store.root) / "in the way").touch()
    thread = IndexThread(store.root, "front").start()
    (segment,) = fill(store.root, FRONT, NOON_MS, 1)
    thread.published(segment)
    _until(lambda: thread.fault != "")
    thread.stop()
    assert thread.behind == 1
