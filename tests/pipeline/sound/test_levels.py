"""Loud is what is far above the background, for long enough; the background learns from the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sound.levels import QUIETEST_DB, LoudSpan, LoudWatch

BLOCK_NS = 100_000_000
START_NS = 1_790_000_000_000_000_000


def at(block: int) -> int:
    return START_NS + block * BLOCK_NS


def heard(watch: LoudWatch, levels: list[float], first: int = 0) -> list[LoudSpan]:
    spans: list[LoudSpan] = []
    for block, level in enumerate(levels, first):
        spans += watch.take(at(block), at(block + 1), level)
    return spans


def test_a_shout_is_told_when_it_has_lasted_and_when_it_ends() -> None:
    watch = LoudWatch(12, 1.0)
    spans = heard(watch, [-50.0] * 100 + [-30.0] * 25 + [-50.0] * 50)

    assert [(one.from_ns, one.to_ns) for one in spans] == [
        (at(100), at(110)),
        (at(100), at(120)),
        (at(100), at(125)),
    ]
    assert (spans[-1].loudness.peak_db, spans[-1].loudness.background_db) == (-30.0, -50.0)


@pytest.mark.parametrize(
    ("levels", "is_loud"),
    [
        ([-30.0] * 9, False),
        ([-30.0] * 10, True),
        ([-39.0] * 50, False),
        ([-37.9] * 50, True),
        ([-30.0, -30.0, -50.0, -50.0, -50.0, -50.0] * 4, True),  # a dog barks
        (([-30.0] * 4 + [-50.0] * 6) * 4, False),  # steps
    ],
)
def test_loud_enough_for_long_enough(levels: list[float], is_loud: bool) -> None:
    assert bool(heard(LoudWatch(12, 1.0), [-50.0] * 100 + levels + [-50.0] * 20)) is is_loud


def test_nothing_is_loud_before_the_background_is_known() -> None:
    assert heard(LoudWatch(12, 1.0), [-50.0] * 10 + [-20.0] * 30) == []


def test_the_background_follows_slowly_and_not_what_is_loud() -> None:
    watch = LoudWatch(12, 1.0)
    heard(watch, [-50.0] * 100)
    assert watch.background_db == pytest.approx(-50)
    heard(watch, [-20.0] * 100, 100)
    assert watch.background_db == pytest.approx(-50)
    heard(watch, [-42.0] * 600, 200)
    assert watch.background_db == pytest.approx(-45, abs=1)
    heard(watch, [-42.0] * 3000, 800)
    assert watch.background_db == pytest.approx(-42, abs=0.2)


def test_what_stays_loud_for_a_minute_is_usual_from_then_on() -> None:
    watch = LoudWatch(12, 1.0)
    spans = heard(watch, [-60.0] * 100 + [-35.0] * 3000)

    assert spans[-1].to_ns <= at(100 + 600)
    assert watch.background_db == pytest.approx(-35, abs=1)


def test_digital_silence_does_not_make_everything_loud() -> None:
    watch = LoudWatch(12, 1.0)
    assert heard(watch, [-100.0] * 600 + [-58.0] * 50) == []
    assert watch.background_db is not None
    assert watch.background_db >= QUIETEST_DB


def test_a_gap_ends_what_is_loud() -> None:
    watch = LoudWatch(12, 1.0)
    heard(watch, [-50.0] * 100 + [-30.0] * 9)
    assert heard(watch, [-30.0] * 9, 200) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(-120, 20)), max_size=80))
def test_spans_are_in_order_whatever_comes(steps: list[tuple[int, float]]) -> None:
    watch, block = LoudWatch(12, 0.3), 0
    spans: list[LoudSpan] = []
    for skipped, level in steps:
        block += skipped * 10 + 1
        spans += watch.take(at(block), at(block + 1), level)
    assert all(one.to_ns - one.from_ns >= 3 * BLOCK_NS for one in spans)
    assert [one.to_ns for one in spans] == sorted({one.to_ns for one in spans})
