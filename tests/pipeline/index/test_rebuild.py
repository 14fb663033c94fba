"""The store alone makes the whole index, the same as before, while recorders go on."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from crypto.recipient import Recipient
from pipeline import walk
from pipeline.index import Index, IndexBusy, IndexThread, index_path, open_or_restore, rebuild
from pipeline.model import StreamName
from pipeline.names import GapMark, SegmentName, StoredSegment
from pipeline.store import Store, append_gap_mark, hold, open_segment, recover
from tests.support.sparse_store import fill, put
from tests.support.store_writing import FRONT, NOON_MS, append_fragments, mark, write_segment

BACK = StreamName("back", "sub")


def _everything(root: Path) -> list[str]:
    """All that the index knows, without the numbers it gave to streams."""
    connection = sqlite3.connect(index_path(root))
    try:
        segments = connection.execute("""SELECT camera, stream.stream, start_ms, seq, duration_ms, flags,
        bytes,
            kept_until_ms FROM segment JOIN stream ON stream.id = segment.stream""").fetchall()
        gaps = connection.execute(
            "SELECT camera, stream.stream, at_ms, reason FROM gap JOIN stream ON id = gap.stream"
        )
        totals = connection.execute("""SELECT camera, stream.stream, segments, bytes, recorded_ms
            FROM total JOIN stream ON id = total.stream WHERE segments""").fetchall()
        holds = connection.execute("SELECT * FROM hold").fetchall()
        return sorted(map(str, [*segments, *gaps.fetchall(), *totals, *holds]))
    finally:
        connection.close()


def _record_a_bit(store: Store, recipients: list[Recipient]) -> None:
    """Segments, one unfinished, one of an unsure clock, one with a deadline; gaps; a hold: all told to the
    index.
    """
    told = IndexThread(store.root, "front").start()
    for sequence in range(4):
        told.published(write_segment(store, recipients, sequence))
    told.published(write_segment(store, recipients, 4, 1000, unsure=True))
    kept = open_segment(store, mark(5, NOON_MS + 60_000), recipients)
    append_fragments(kept, 2)
    told.published(kept.finish(2_000_000_000, kept_until_ms=NOON_MS * 2))
    crashed = open_segment(store, mark(6, NOON_MS + 70_000, BACK), recipients)
    append_fragments(crashed, 3)
    crashed.abandon()
    for segment in recover(store, "back").published:
        told.published(segment)
    for reason in ("camera unreachable", 'a "quoted" reason'):
        gap = GapMark(FRONT, NOON_MS + 40_000, reason)
        append_gap_mark(store, gap)
        told.marked(gap)
    hold(store, "front", NOON_MS, NOON_MS + 5, NOON_MS)
    told.stop()
    assert told.behind == 0
    with Index(index_path(store.root)) as index:
        index.set_holds(walk.holds(store.root))


def test_a_rebuilt_index_is_the_same_as_before(store: Store, recipients: list[Recipient]) -> None:
    _record_a_bit(store, recipients)
    before = _everything(store.root)
    assert len(before) == 7 + 2 + 2 + 1
    for path in store.root.glob("index.sqlite*"):
        path.unlink()
    assert rebuild(store.root).segments == 7
    assert _everything(store.root) == before
    rebuild(store.root)
    assert _everything(store.root) == before
    assert {path.name for path in store.root.glob("index*")} == {"index.sqlite", "index.lock"}


def test_only_names_in_their_place_become_rows(store: Store) -> None:
    (segment,) = fill(store.root, FRONT, NOON_MS, 1)
    folder = (store.root / segment.path).parent
    for name in ("note.txt", "1+2.3.mp4.age", f"{NOON_MS}.1.part", f"{NOON_MS}+1.1.x.mp4.age"):
        (folder / name).touch()
    (store.root / "lost+found").mkdir()
    (store.root / "front/main/2026-99-99/12").mkdir(parents=True)
    assert rebuild(store.root).segments == 1
    with Index(index_path(store.root)) as index:
        assert index.segments(FRONT, 0, NOON_MS * 2) == [segment]


def test_what_happens_during_a_rebuild_is_in_it(store: Store) -> None:
    fill(store.root, BACK, NOON_MS, 3)
    first = fill(store.root, FRONT, NOON_MS, 3)
    late = StoredSegment(BACK, SegmentName(NOON_MS + 50_000, 10_000, 50), 5000)

    def meanwhile(_: int) -> None:
        put(store.root, late)
        (store.root / first[0].path).unlink(missing_ok=True)

    rebuild(store.root, progress=meanwhile)
    with Index(index_path(store.root)) as index:
        assert late in index.segments(BACK, 0, NOON_MS * 2)
        assert index.segments(FRONT, 0, NOON_MS * 2) == first[1:]


def test_a_connection_to_the_old_index_does_not_harm_the_new(store: Store) -> None:
    fill(store.root, FRONT, NOON_MS, 3)
    rebuild(store.root)
    old = Index(index_path(store.root))
    old.add([StoredSegment(FRONT, SegmentName(1, 1, 100), 1)])
    rebuild(store.root)
    new = Index(index_path(store.root))
    added = StoredSegment(FRONT, SegmentName(2, 1, 101), 1)
    new.add([added])
    assert (old.is_current(), new.is_current()) == (False, True)
    old.add([StoredSegment(FRONT, SegmentName(3, 1, 102), 1)])
    old.close()
    with Index(index_path(store.root)) as third:
        assert third.segments(FRONT, 0, 10) == [added]
        third.add([StoredSegment(FRONT, SegmentName(4, 1, 103), 1)])
    assert [row.start_ms for row in new.rows(FRONT, 0, 10)] == [2, 4]
    new.close()
    connection = sqlite3.connect(index_path(store.root))
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_damaged_index_is_set_aside_and_made_anew(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    segments = fill(store.root, FRONT, NOON_MS, 3)
    index_path(store.root).write_bytes(b"nonsense" * 1000)
    with open_or_restore(store.root) as index:
        assert index.segments(FRONT, 0, NOON_MS * 2) == segments
    assert (store.root / "index.sqlite.damaged").read_bytes().startswith(b"nonsense")
    assert [record.message.startswith("the index was damaged: made anew") for record in caplog.records] == [
        True
    ]


def test_while_one_makes_it_anew_the_others_wait(store: Store) -> None:
    fill(store.root, FRONT, NOON_MS, 3)
    begun, go = threading.Event(), threading.Event()

    def pause(_: int) -> None:
        begun.set()
        assert go.wait(30)

    slow = threading.Thread(target=rebuild, args=(store.root, pause))
    slow.start()
    assert begun.wait(30)
    with pytest.raises(IndexBusy, match="another process is making the index anew"):
        open_or_restore(store.root)
    threading.Timer(0.3, go.set).start()
    with open_or_restore(store.root, wait_s=30) as index:
        assert len(index.segments(FRONT, 0, NOON_MS * 2)) == 3
    slow.join(30)


def test_no_index_is_made_where_there_is_no_store(tmp_path: Path) -> None:
    """The folder below a mount point: its disk is away, and nothing may be written to the one there."""
    with pytest.raises(IndexBusy, match="not mounted"):
        open_or_restore(tmp_path)
    with pytest.raises(IndexBusy, match="not mounted"):
        rebuild(tmp_path)
    assert list(tmp_path.iterdir()) == []
