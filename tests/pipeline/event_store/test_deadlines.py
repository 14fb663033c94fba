"""Deadlines: few classes, never below what is wanted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.event_store.deadlines import CLASSES, class_in, class_of, deadline_ms
from pipeline.names import DAY_MS, LAST_MS, SegmentName
from tests.support.store_writing import NOON_MS


@given(st.floats(0.001, 5000), st.integers(0, 4_000_000_000_000))
def test_a_class_keeps_what_is_wanted_and_says_no_more_than_the_day(days: float, start_ms: int) -> None:
    kept_ms = deadline_ms(start_ms, class_of(days))
    assert kept_ms >= start_ms + days * DAY_MS
    assert kept_ms % DAY_MS == 0
    assert kept_ms == deadline_ms(start_ms - start_ms % DAY_MS, class_of(days))
    assert class_of(days) in CLASSES or class_of(days) % 365 == 0
    assert class_in(SegmentName(start_ms, 1, 0, kept_until_ms=kept_ms)) == class_of(days)


def test_the_next_class_is_taken() -> None:
    assert [class_of(days) for days in (0.5, 1, 1.01, 6, 60, 61, 1095, 1096)] == [
        1,
        1,
        2,
        7,
        60,
        90,
        1095,
        1460,
    ]


def test_names_end_where_time_ends() -> None:
    assert deadline_ms(LAST_MS, 60) == LAST_MS
    assert class_in(SegmentName(NOON_MS, 1, 0)) == 0
