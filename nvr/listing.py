"""What `nvr list` says of footage: runs of segments without a break, gaps with their reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.names import GapMark, StoredSegment

BREAK_MS = 1500  # between two segments; less is jitter of the camera's clock
MARK_SLACK_MS = 2000  # a mark is written when the recorder notices, and footage ends with its last frame
NOT_RUNNING = "recorder was not running"


@dataclass(frozen=True, slots=True)
class Run:
    """Footage without a break. Times in UTC ms."""

    from_ms: int
    to_ms: int
    segments: int
    size_bytes: int
    clock_unsure: bool
    unfinished: int


@dataclass(frozen=True, slots=True)
class Gap:
    """No footage from `from_ms` until `to_ms`; None means that it still lasts."""

    from_ms: int
    to_ms: int | None
    reason: str


def runs_of(segments: Iterable[StoredSegment]) -> list[Run]:
    """Merges one stream's segments, given in order of their start."""
    runs: list[Run] = []
    for segment in segments:
        name = segment.name
        last = runs[-1] if runs else None
        if (
            last is not None
            and name.start_ms - last.to_ms <= BREAK_MS
            and last.clock_unsure == name.clock_unsure
        ):
            runs[-1] = Run(
                last.from_ms,
                max(last.to_ms, name.end_ms),
                last.segments + 1,
                last.size_bytes + segment.size_bytes,
                last.clock_unsure,
                last.unfinished + name.unfinished,
            )
        else:
            runs.append(
                Run(
                    name.start_ms, name.end_ms, 1, segment.size_bytes, name.clock_unsure, int(name.unfinished)
                )
            )
    return runs


def gaps_of(runs: Sequence[Run], marks: Sequence[GapMark]) -> list[Gap]:
    """The gaps between one stream's runs, and the one that still lasts if a mark says so."""
    gaps = [
        Gap(before.to_ms, after.from_ms, _reason(marks, before.to_ms, after.from_ms) or NOT_RUNNING)
        for before, after in pairwise(runs)
        if after.from_ms - before.to_ms > BREAK_MS
    ]
    if runs and (reason := _reason(marks, runs[-1].to_ms, None)):
        gaps.append(Gap(runs[-1].to_ms, None, reason))
    return gaps


def _reason(marks: Iterable[GapMark], from_ms: int, to_ms: int | None) -> str:
    said = [
        mark.reason
        for mark in marks
        if from_ms - MARK_SLACK_MS <= mark.at_ms and (to_ms is None or mark.at_ms <= to_ms)
    ]
    return ", then ".join(dict.fromkeys(said))
