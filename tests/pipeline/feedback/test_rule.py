"""What "wrong" and "right" change: one label, around one place and size, at a time of day."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feedback import Feedback, Lesson, Verdict, lesson_of
from pipeline.feedback.rule import NOTHING_COUNTS, cell_of, hours_of, size_of
from pipeline.scene import Point
from tests.support.walks import NOON_NS, box_at

HOUR_NS = 3_600_000_000_000
THERE = Point(0.55, 0.8)
USUAL = 0.4


def lesson(
    verdict: Verdict = Verdict.WRONG, *, event: int = 1, score: float = 0.5, at_ns: int = NOON_NS
) -> Lesson:
    return lesson_of(
        number=event,
        event=event,
        index=0,
        label="person",
        score=score,
        boxes=[box_at(THERE), box_at(THERE), box_at(Point(0.1, 0.1))],
        at_ns=at_ns,
        verdict=verdict,
        made_ms=1,
    )


def needed(
    *lessons: Lesson, place: Point = THERE, height: float = 0.2, label: str = "person", at_ns: int = NOON_NS
) -> float:
    return Feedback(lessons).needed_score(label, box_at(place, height), at_ns, USUAL)


def test_nothing_taught_changes_nothing() -> None:
    assert needed() == USUAL


def test_a_lesson_is_where_the_thing_was_most_of_the_time() -> None:
    one = lesson()
    assert (one.column, one.row, one.size) == (4, 6, -2)


def test_one_wrong_asks_for_a_better_score_there() -> None:
    assert needed(lesson(score=0.5)) == pytest.approx(0.55)
    assert needed(lesson(score=0.2)) == USUAL
    assert needed(lesson(score=0.5), at_ns=NOON_NS + 12 * HOUR_NS) == pytest.approx(0.55)


def test_two_wrongs_suppress_at_that_time_of_day() -> None:
    twice = (lesson(event=1), lesson(event=2))
    assert needed(*twice) == NOTHING_COUNTS
    assert needed(*twice, at_ns=NOON_NS + 3 * HOUR_NS) == NOTHING_COUNTS
    assert needed(*twice, at_ns=NOON_NS + 24 * HOUR_NS) == NOTHING_COUNTS
    assert needed(*twice, at_ns=NOON_NS + 12 * HOUR_NS) == pytest.approx(0.55)


def test_many_objects_of_one_event_say_it_once() -> None:
    crowd = [replace(lesson(), object=index) for index in range(5)]
    assert needed(*crowd) == pytest.approx(0.55)
    assert needed(*crowd, lesson(event=2)) == NOTHING_COUNTS
    assert needed(*crowd, lesson(Verdict.RIGHT, event=3)) == USUAL


def test_right_takes_wrong_back_and_protects() -> None:
    right = lesson(Verdict.RIGHT, event=3, score=0.45)
    assert needed(lesson(), right) == USUAL
    assert needed(lesson(event=1), lesson(event=2), right) == pytest.approx(0.45)
    assert needed(right) == USUAL
    assert needed(*(lesson(event=event) for event in range(10, 14)), right) == NOTHING_COUNTS


@pytest.mark.parametrize(
    ("place", "height", "label"),
    [
        (Point(0.15, 0.8), 0.2, "person"),
        (Point(0.55, 0.3), 0.2, "person"),
        (THERE, 0.9, "person"),
        (THERE, 0.04, "person"),
        (THERE, 0.2, "car"),
    ],
)
def test_elsewhere_nothing_changes(place: Point, height: float, label: str) -> None:
    twice = (lesson(event=1), lesson(event=2))
    assert needed(*twice, place=place, height=height, label=label) == USUAL


@pytest.mark.parametrize(
    ("place", "height"), [(Point(0.45, 0.8), 0.2), (Point(0.65, 0.95), 0.2), (THERE, 0.4), (THERE, 0.12)]
)
def test_neighbouring_cells_and_sizes_are_meant_too(place: Point, height: float) -> None:
    assert needed(lesson(), place=place, height=height) > USUAL


def test_an_object_without_a_place_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="place"):
        lesson_of(
            number=1,
            event=1,
            index=0,
            label="person",
            score=0.5,
            boxes=[],
            at_ns=0,
            verdict=Verdict.WRONG,
            made_ms=0,
        )


_anywhere = st.floats(-1, 2, allow_nan=False)


@given(_anywhere, _anywhere, st.floats(0, 2), st.integers(0, 10**19))
def test_every_place_size_and_time_has_its_class(x: float, y: float, height: float, at_ns: int) -> None:
    box = box_at(Point(x, y), height)
    column, row = cell_of(box)
    assert 0 <= column < 8
    assert 0 <= row < 8
    assert -8 <= size_of(box) <= 0
    assert 0 <= hours_of(at_ns) < 6
