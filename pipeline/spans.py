"""Spans of time as sets: what they have together, what is left without others, what they cover. Pure.

A span is from its first until before its last millisecond, UTC. Results are in order, apart, and not empty.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """From when until before when, UTC milliseconds."""

    from_ms: int
    to_ms: int


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps."""
    found: list[Span] = []
    for span in sorted(spans):
        if span.to_ms <= span.from_ms:
            continue
        if found and span.from_ms <= found[-1].to_ms:
            found[-1] = Span(found[-1].from_ms, max(found[-1].to_ms, span.to_ms))
        else:
            found.append(span)
    return found


def without(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time of `spans` that is in none of `others`."""
    cuts = merged(others)
    found: list[Span] = []
    for span in merged(spans):
        at_ms = span.from_ms
        for cut in cuts[max(0, bisect_right(cuts, (at_ms, at_ms)) - 1) :]:
            if cut.from_ms >= span.to_ms:
                break
            if cut.from_ms > at_ms:
                found.append(Span(at_ms, cut.from_ms))
            at_ms = max(at_ms, cut.to_ms)
        if at_ms < span.to_ms:
            found.append(Span(at_ms, span.to_ms))
    return found


def within(spans: Iterable[Span], from_ms: int, to_ms: int) -> list[Span]:
    """What of them lies in that time."""
    return merged(Span(max(one.from_ms, from_ms), min(one.to_ms, to_ms)) for one in spans)


def covers(spans: Sequence[Span], from_ms: int, to_ms: int) -> bool:
    """Whether one of `spans`, which are merged, has all of that time."""
    place = bisect_right(spans, (from_ms, 1 << 62)) - 1
    return place >= 0 and spans[place].to_ms >= max(to_ms, from_ms + 1)
