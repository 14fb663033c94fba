"""Runs and gaps out of names and marks."""

from __future__ import annotations

import pytest

from nvr.listing import DELETED, NOT_RUNNING, OTHER_TIME, Gap, Run, gaps_of, missing_numbers, runs_of
from pipeline.index import Row, row_of
from pipeline.model import StreamName
from pipeline.names import GapMark, SegmentName, StoredSegment

FRONT = StreamName("front", "main")


def segment(
    start_ms: int,
    sequence: int = 0,
    *,
    unsure: bool = False,
    unfinished: bool = False,
    kept_until_ms: int = 0,
) -> Row:
    name = SegmentName(start_ms, 10_000, sequence, unsure, unfinished, kept_until_ms)
    return row_of(StoredSegment(FRONT, name, 100))


def mark(at_ms: int, reason: str) -> GapMark:
    return GapMark(FRONT, at_ms, reason)


def test_segments_that_follow_each_other_are_one_run() -> None:
    rows = [segment(0), segment(10_000, 1), segment(21_500, 2, unfinished=True), segment(33_001, 3)]
    assert runs_of(rows) == [
        Run(0, 31_500, 3, 300, False, 1, None, 0, 2),
        Run(33_001, 43_001, 1, 100, False, 0, None, 3, 3),
    ]
    assert runs_of([]) == []


def test_a_segment_within_another_does_not_shorten_a_run() -> None:
    long = Row(0, 0, 60_000, 0, 100, 0)
    assert [run.to_ms for run in runs_of([long, segment(10_000, 1), segment(60_500, 2)])] == [70_500]


def test_an_unsure_clock_is_a_run_of_its_own() -> None:
    runs = runs_of([segment(0), segment(10_000, 1, unsure=True)])
    assert [run.clock_unsure for run in runs] == [False, True]
    assert gaps_of(runs, []) == []


def test_a_run_ends_where_the_deadline_changes() -> None:
    deadlines = (7_000_000, 0, 0, 8_000_000, 8_000_000, 9_000_000)
    runs = runs_of([segment(n * 10_000, n, kept_until_ms=at_ms) for n, at_ms in enumerate(deadlines)])
    assert [(run.segments, run.kept_until_ms) for run in runs] == [
        (1, 7_000_000),
        (2, None),
        (2, 8_000_000),
        (1, 9_000_000),
    ]
    assert gaps_of(runs, []) == []


def test_gaps_say_why() -> None:
    runs = runs_of([segment(0), segment(20_000, 1), segment(60_000, 2)])
    marks = [mark(9_000, "camera silent"), mark(12_000, "camera unreachable"), mark(13_000, "camera silent")]
    assert gaps_of(runs, marks) == [
        Gap(10_000, 20_000, "camera silent, then camera unreachable"),
        Gap(30_000, 60_000, NOT_RUNNING),
    ]
    assert missing_numbers(runs) is None


SILENT = mark(12_000, "camera silent")


@pytest.mark.parametrize(
    ("next_number", "marks", "elsewhere", "reason"),
    [
        (6, [], [], NOT_RUNNING),
        (9, [], [], DELETED),
        (7, [SILENT], [], "camera silent"),  # a segment that came to nothing
        (9, [SILENT], [], f"camera silent, and {DELETED}"),
        (9, [], [5, 6, 7, 8, 9], OTHER_TIME),
        (9, [], [5, 7, 9], DELETED),
        (9, [SILENT], [6, 7, 8], "camera silent"),
        (2, [], [], NOT_RUNNING),  # the clock was set back
    ],
)
def test_missing_numbers_were_deleted_unless_something_explains_them(
    next_number: int, marks: list[GapMark], elsewhere: list[int], reason: str
) -> None:
    runs = runs_of([segment(0, 5), segment(50_000, next_number)])
    assert gaps_of(runs, marks, elsewhere) == [Gap(10_000, 50_000, reason)]


def test_which_numbers_are_missing() -> None:
    runs = runs_of([segment(0, 5), segment(50_000, 9), segment(90_000, 10), segment(130_000, 13)])
    assert missing_numbers(runs) == (6, 12)


def test_a_gap_that_still_lasts() -> None:
    assert gaps_of(runs_of([segment(0)]), [mark(10_500, "camera unreachable")]) == [
        Gap(10_000, None, "camera unreachable")
    ]
    assert gaps_of(runs_of([segment(0)]), [mark(5_000, "camera unreachable")]) == []
    assert gaps_of([], [mark(5_000, "camera unreachable")]) == []
