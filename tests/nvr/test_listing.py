"""Runs and gaps out of names and marks."""

from __future__ import annotations

from nvr.listing import NOT_RUNNING, Gap, Run, gaps_of, runs_of
from pipeline.model import StreamName
from pipeline.names import GapMark, SegmentName, StoredSegment

FRONT = StreamName("front", "main")


def segment(start_ms: int, duration_ms: int = 10_000, *, unsure: bool = False) -> StoredSegment:
    return StoredSegment(FRONT, SegmentName(start_ms, duration_ms, start_ms, clock_unsure=unsure), 100)


def mark(at_ms: int, reason: str) -> GapMark:
    return GapMark(FRONT, at_ms, reason)


def test_segments_that_follow_each_other_are_one_run() -> None:
    runs = runs_of([segment(0), segment(10_000), segment(21_500), segment(33_001)])
    assert runs == [Run(0, 31_500, 3, 300, False, 0), Run(33_001, 43_001, 1, 100, False, 0)]


def test_an_unsure_clock_is_a_run_of_its_own() -> None:
    assert [run.clock_unsure for run in runs_of([segment(0), segment(10_000, unsure=True)])] == [False, True]
    assert gaps_of(runs_of([segment(0), segment(10_000, unsure=True)]), []) == []


def test_gaps_say_why() -> None:
    runs = runs_of([segment(0), segment(20_000), segment(60_000)])
    marks = [mark(9_000, "camera silent"), mark(12_000, "camera unreachable"), mark(13_000, "camera silent")]
    assert gaps_of(runs, marks) == [
        Gap(10_000, 20_000, "camera silent, then camera unreachable"),
        Gap(30_000, 60_000, NOT_RUNNING),
    ]


def test_a_gap_that_still_lasts() -> None:
    assert gaps_of(runs_of([segment(0)]), [mark(10_500, "camera unreachable")]) == [
        Gap(10_000, None, "camera unreachable")
    ]
    assert gaps_of(runs_of([segment(0)]), [mark(5_000, "camera unreachable")]) == []
    assert gaps_of([], [mark(5_000, "camera unreachable")]) == []
