"""Spans against sets of milliseconds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.spans import Span, covers, merged, within, without

SPANS = st.lists(st.builds(Span, st.integers(0, 40), st.integers(0, 40)), max_size=8)


def _set(spans: list[Span]) -> set[int]:
    return {at for span in spans for at in range(span.from_ms, span.to_ms)}


def _is_in_order(spans: list[Span]) -> bool:
    apart = all(one.to_ms < other.from_ms for one, other in pairwise(spans))
    return apart and all(one.from_ms < one.to_ms for one in spans)


@given(SPANS, SPANS, st.integers(0, 40), st.integers(0, 40))
def test_spans_are_sets_of_time(spans: list[Span], others: list[Span], from_ms: int, to_ms: int) -> None:
    assert _set(merged(spans)) == _set(spans)
    assert _set(without(spans, others)) == _set(spans) - _set(others)
    assert _set(within(spans, from_ms, to_ms)) == _set(spans) & set(range(from_ms, to_ms))
    for found in (merged(spans), without(spans, others), within(spans, from_ms, to_ms)):
        assert _is_in_order(found)


@given(SPANS, st.integers(0, 40), st.integers(0, 5))
def test_what_is_covered_is_wholly_inside(spans: list[Span], from_ms: int, length: int) -> None:
    asked = set(range(from_ms, from_ms + max(1, length)))
    assert covers(merged(spans), from_ms, from_ms + length) == (asked <= _set(spans))
