"""What `nvr list` says of footage: runs of segments without a break, gaps with their reason. Pure.

A gap's reason is what the gap marks within say. A stream's segments are numbered without a hole, but for
those that came to nothing, each of which ended with a mark. So numbers that are missing beyond the marks, and
are not found under another time, belong to segments that were deleted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.index import UNSURE, Row
from pipeline.names import GapMark

BREAK_MS = 1500  # between two segments; less is jitter of the camera's clock
MARK_SLACK_MS = 2000  # a mark is written when the recorder notices, and footage ends with its last frame
NOT_RUNNING = "recorder was not running"
DELETED = "deleted by retention"
OTHER_TIME = "recorded under another time"


@dataclass(frozen=True, slots=True)
class Run:
    """Footage without a break, all with the same deadline (None: without one). Times in UTC ms."""

    from_ms: int
    to_ms: int
    segments: int
    size_bytes: int
    clock_unsure: bool
    unfinished: int
    kept_until_ms: int | None
    first_sequence: int
    last_sequence: int


@dataclass(frozen=True, slots=True)
class Gap:
    """No footage from `from_ms` until `to_ms`; None means that it still lasts."""

    from_ms: int
    to_ms: int | None
    reason: str


def runs_of(rows: Iterable[Row]) -> list[Run]:
    """Merges one stream's segments, given in order of their start."""
    return [_run(unbroken) for unbroken in _unbroken(rows)]


def _unbroken(rows: Iterable[Row]) -> Iterator[list[Row]]:
    run: list[Row] = []
    to_ms = unsure = kept_until_ms = 0
    for row in rows:
        start_ms, _, duration_ms, flags, _, kept_ms = row
        if start_ms - to_ms > BREAK_MS or flags & UNSURE != unsure or kept_ms != kept_until_ms:
            if run:
                yield run
            run, to_ms, unsure, kept_until_ms = [], 0, flags & UNSURE, kept_ms
        run.append(row)
        to_ms = max(to_ms, start_ms + duration_ms)
    if run:
        yield run


def _run(rows: Sequence[Row]) -> Run:
    first, last = rows[0], rows[-1]
    return Run(
        first.start_ms,
        max(row.end_ms for row in rows),
        len(rows),
        sum(row.size_bytes for row in rows),
        first.clock_unsure,
        sum(row.unfinished for row in rows),
        first.kept_until_ms or None,
        first.sequence,
        last.sequence,
    )


def missing_numbers(runs: Sequence[Run]) -> tuple[int, int] | None:
    """The first and the last sequence number that a gap between these runs may lack; None where none does."""
    spans = [_missing(before, after) for before, after in _breaks(runs)]
    lacking = [span for span in spans if span]
    return (min(span[0] for span in lacking), max(span[-1] for span in lacking)) if lacking else None


def gaps_of(runs: Sequence[Run], marks: Sequence[GapMark], elsewhere: Iterable[int] = ()) -> list[Gap]:
    """The gaps between one stream's runs, and the one that still lasts if a mark says so.

    `elsewhere`: the numbers among the `missing_numbers` of segments that do exist, under whatever time.
    """
    known = sorted(elsewhere)
    gaps = [_gap(before, after, marks, known) for before, after in _breaks(runs)]
    if runs and (said := _within(marks, runs[-1].to_ms, None)):
        gaps.append(Gap(runs[-1].to_ms, None, _said(said)))
    return gaps


def _breaks(runs: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    return (pair for pair in pairwise(runs) if pair[1].from_ms - pair[0].to_ms > BREAK_MS)


def _missing(before: Run, after: Run) -> range:
    """The numbers between two neighbours; none where the clock was set back between them."""
    return range(before.last_sequence + 1, after.first_sequence)


def _gap(before: Run, after: Run, marks: Iterable[GapMark], known: Sequence[int]) -> Gap:
    said = _within(marks, before.to_ms, after.from_ms)
    missing = _missing(before, after)
    found = bisect_left(known, missing.stop) - bisect_left(known, missing.start) if missing else 0
    reasons = [_said(said)] if said else []
    if len(missing) > len(said) + found:
        reasons.append(DELETED)
    elif found and not said:
        reasons.append(OTHER_TIME)
    return Gap(before.to_ms, after.from_ms, ", and ".join(reasons) or NOT_RUNNING)


def _within(marks: Iterable[GapMark], from_ms: int, to_ms: int | None) -> list[GapMark]:
    return [
        mark
        for mark in marks
        if from_ms - MARK_SLACK_MS <= mark.at_ms and (to_ms is None or mark.at_ms <= to_ms)
    ]


def _said(marks: Iterable[GapMark]) -> str:
    return ", then ".join(dict.fromkeys(mark.reason for mark in marks))
