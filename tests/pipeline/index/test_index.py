"""The index answers what the store would, and is told apart when it cannot."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import walk
from pipeline.index import (
    Index,
    IndexBusy,
    IndexDamaged,
    IndexMissing,
    Row,
    Total,
    index_path,
    rebuild,
    row_of,
)
from pipeline.model import StreamName
from pipeline.names import LAST_MS, GapMark, HoldName, SegmentName, StoredSegment
from pipeline.store import Store
from tests.support.sparse_store import fill
from tests.support.store_writing import FRONT, NOON_MS, make_store

SUB = StreamName("front", "sub")


@pytest.fixture
def index(store: Store) -> Index:
    rebuild(store.root)
    return Index(index_path(store.root))


def _segment(
    start_ms: int, duration_ms: int = 10, sequence: int = 0, *, unsure: bool = False
) -> StoredSegment:
    return StoredSegment(FRONT, SegmentName(start_ms, duration_ms, sequence, unsure), 100)


def test_what_overlaps_is_found_and_nothing_else(index: Index) -> None:
    with index:
        index.add([_segment(start) for start in (100, 110, 120)] + [_segment(50, 25, 1)])
        for from_ms, to_ms, starts in [
            (100, 130, [100, 110, 120]),
            (109, 111, [100, 110]),
            (110, 120, [110]),
            (74, 75, [50]),
            (75, 100, []),
            (130, 140, []),
        ]:
            assert [row.start_ms for row in index.rows(FRONT, from_ms, to_ms)] == starts
        assert index.rows(SUB, 0, 1000) == []


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), max_size=30, unique_by=lambda pair: pair[0]),
    st.integers(0, 300),
    st.integers(1, 60),
)
@settings(max_examples=60, deadline=None)
def test_overlaps_as_a_plain_search_finds_them(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]], from_ms: int, length_ms: int
) -> None:
    root = make_store(tmp_path_factory.mktemp("store") / "s").root
    rebuild(root)
    to_ms = from_ms + length_ms
    with Index(index_path(root)) as index:
        index.add([_segment(start, duration) for start, duration in spans])
        expected = sorted(s for s, d in spans if s < to_ms and (s + d > from_ms or s == from_ms))
        assert [row.start_ms for row in index.rows(FRONT, from_ms, to_ms)] == expected


def test_rows_are_segments_again(index: Index) -> None:
    name = SegmentName(NOON_MS, 10_040, 7, True, True, NOON_MS + 5)
    segment = StoredSegment(FRONT, name, 5_000_000)
    with index:
        index.add([segment])
        assert index.segments(FRONT, NOON_MS, NOON_MS + 1) == [segment]
        (row,) = index.rows(FRONT, NOON_MS, NOON_MS + 1)
        assert type(row) is Row
        assert row == row_of(segment)
        assert (row.clock_unsure, row.unfinished, row.end_ms) == (True, True, name.end_ms)


def test_numbers_under_an_unsure_clock_are_found_whenever_they_lie(index: Index) -> None:
    starts = {4: NOON_MS, 5: 7, 6: 8, 7: LAST_MS - 20_000, 8: NOON_MS, 9: 9}
    with index:
        index.add(
            StoredSegment(FRONT, SegmentName(start_ms, 1000, number, number != 6), 1)
            for number, start_ms in starts.items()
        )
        assert index.unsure_sequences(FRONT, 5, 8) == [5, 7, 8]
        assert index.unsure_sequences(SUB, 5, 8) == []


def test_totals_follow_every_change(index: Index) -> None:
    random_order = random.Random(3)
    with index:
        present: dict[int, StoredSegment] = {}
        for _ in range(60):
            start = random_order.randrange(20)
            if start in present and random_order.random() < 0.5:
                index.remove([present.pop(start)])
            else:
                size, duration = random_order.randrange(1000), random_order.randrange(1000)
                present[start] = StoredSegment(FRONT, SegmentName(start, duration, 0), size)
                index.add([present[start]])
            expected = Total(
                len(present),
                sum(segment.size_bytes for segment in present.values()),
                sum(segment.name.duration_ms for segment in present.values()),
            )
            assert index.totals() == {FRONT: expected}
        index.remove([_segment(999)])
        assert index.totals() == {FRONT: expected}


def test_the_oldest_come_first_and_an_unsure_clock_goes_by_sequence(index: Index) -> None:
    with index:
        sure = [_segment(start, sequence=start) for start in (30, 10, 20)]
        unsure = [_segment(start, sequence=seq, unsure=True) for start, seq in ((5, 25), (9_999_999, 15))]
        index.add(sure + unsure)
        assert [s.name.start_ms for s in index.oldest(FRONT, unsure=False)] == [10, 20, 30]
        assert [s.name.sequence for s in index.oldest(FRONT, unsure=True)] == [15, 25]
        newest = index.newest(FRONT)
        assert newest is not None
        assert newest.name.start_ms == 30
        assert index.newest(SUB) is None


def test_gap_marks_and_holds(index: Index) -> None:
    marks = [GapMark(FRONT, at, "camera unreachable") for at in (100, 200, 300)]
    holds = [HoldName("back", 1, 2, 3), HoldName("front", 1, 2, 3)]
    with index:
        for _ in range(2):
            index.add((), marks)
            index.set_holds(holds)
        assert index.gap_marks(FRONT, 100, 300) == marks[:2]
        assert (index.holds(), index.holds("back")) == (holds, holds[:1])
        index.drop_gap_marks("front", 200)
        assert index.gap_marks(FRONT, 0, 1000) == marks[1:]
        index.set_holds([])
        assert index.holds() == []


def test_set_hour_makes_the_rows_what_is_there(index: Index, store: Store) -> None:
    there = fill(store.root, FRONT, NOON_MS, 5)
    stale = StoredSegment(FRONT, SegmentName(NOON_MS + 5, 10, 99), 1)
    elsewhere = _segment(NOON_MS - 1)
    with index:
        index.add([stale, elsewhere, *there[:2]])
        (hour,) = walk.hours(store.root, FRONT)
        index.set_hour(store.root, hour)
        assert index.segments(FRONT, 0, NOON_MS * 2) == [elsewhere, *there]


def test_a_lock_is_said_and_passes(index: Index, store: Store) -> None:
    with index, Index(index_path(store.root), busy_s=0.01) as other:
        blocker = sqlite3.connect(index_path(store.root), isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexBusy, match="locked"):
            other.add([_segment(1)])
        assert other.rows(FRONT, 0, 10) == []
        blocker.close()
        other.add([_segment(1)])
        assert len(index.rows(FRONT, 0, 10)) == 1


def test_a_missing_index_is_said_and_not_made(store: Store) -> None:
    with pytest.raises(IndexMissing, match="nvr index rebuild"):
        Index(index_path(store.root))
    assert not index_path(store.root).exists()


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", IndexMissing), (b"nonsense" * 1000, IndexDamaged), (b"SQLite format 3\0", IndexDamaged)],
)
def test_what_is_no_index_is_said(store: Store, content: bytes, fault: type[Exception]) -> None:
    index_path(store.root).write_bytes(content)
    with pytest.raises(fault):
        Index(index_path(store.root))


def test_a_read_only_index_changes_nothing(index: Index, store: Store) -> None:
    with (
        index,
        Index(index_path(store.root), read_only=True) as reader,
        pytest.raises(IndexBusy, match="readonly"),
    ):
        reader.add([_segment(1)])


def test_a_deleted_index_is_noticed(index: Index, store: Store) -> None:
    with index:
        assert index.is_current()
        index_path(store.root).unlink()
        assert not index.is_current()


def test_row_order_is_that_of_the_schema(index: Index, store: Store, tmp_path: Path) -> None:
    plan = sqlite3.connect(index_path(store.root))
    found = plan.execute(
        "EXPLAIN QUERY PLAN SELECT * FROM segment"
        " WHERE stream = 1 AND start_ms < 9 AND start_ms >= 3 ORDER BY start_ms, seq"
    ).fetchall()
    plan.close()
    index.close()
    assert len(found) == 1
    assert "USING PRIMARY KEY" in found[0][3]
