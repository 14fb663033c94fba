"""A line is crossed once, in its direction, whatever the box does near it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.event.line_watch import LineWatch
from pipeline.event.rules import Direction, Line
from pipeline.scene import Point
from tests.support.walks import box_at, straight

A, B = Point(0.2, 0.5), Point(0.8, 0.5)  # up in the picture is left of it
UP, DOWN = Point(0.5, 0.3), Point(0.5, 0.7)


def crossings(way: list[Point], direction: Direction = Direction.BOTH, height: float = 0.2) -> list[str]:
    watch = LineWatch(Line("gate", A, B, direction))
    told = [watch.look(box_at(place, height), at_ns) for at_ns, place in enumerate(way)]
    return [one.direction for one in told if one is not None]


@pytest.mark.parametrize("looks", [2, 3, 5, 9, 40])
def test_down_is_left_to_right(looks: int) -> None:
    assert crossings(straight(UP, DOWN, looks)) == ["left-to-right"]
    assert crossings(straight(DOWN, UP, looks)) == ["right-to-left"]


def test_only_the_wanted_direction() -> None:
    there_and_back = [*straight(UP, DOWN, 9), *straight(DOWN, UP, 9)]
    assert crossings(there_and_back) == ["left-to-right", "right-to-left"]
    assert crossings(there_and_back, Direction.LEFT_TO_RIGHT) == ["left-to-right"]
    assert crossings(there_and_back, Direction.RIGHT_TO_LEFT) == ["right-to-left"]


def test_past_the_ends_is_no_crossing() -> None:
    assert crossings(straight(Point(0.1, 0.3), Point(0.1, 0.7), 9)) == []
    assert crossings(straight(Point(0.9, 0.7), Point(0.9, 0.3), 9)) == []


def test_touching_and_going_back_is_no_crossing() -> None:
    on_it = Point(0.5, 0.5)
    assert crossings([*straight(UP, on_it, 5), *straight(on_it, UP, 5)]) == []
    assert crossings([*straight(DOWN, on_it, 5), *straight(on_it, DOWN, 5)]) == []


def test_over_and_back_around_the_end_is_a_crossing_and_a_way_around_none() -> None:
    over_in_the_band = [UP, Point(0.5, 0.495), Point(0.5, 0.505), Point(0.5, 0.495), UP]
    assert crossings(over_in_the_band) == []
    around = [UP, Point(0.1, 0.3), Point(0.1, 0.7), DOWN]
    assert crossings(around) == []
    assert crossings([*around, UP]) == ["right-to-left"]


@given(st.lists(st.floats(-0.009, 0.009), min_size=1, max_size=60))
def test_standing_on_the_line_and_trembling_is_one_crossing_at_most(jitter: list[float]) -> None:
    trembling = [Point(0.5, 0.5 + off) for off in jitter]
    assert crossings([UP, *trembling, DOWN]) == ["left-to-right"]
    assert crossings([UP, *trembling, UP]) == []
    assert crossings(trembling) == []


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=30))
def test_directions_take_turns_unless_somebody_went_around(places: list[tuple[float, float]]) -> None:
    way = [Point(x, y) for x, y in places]
    watch = LineWatch(Line("gate", Point(-5.0, 0.5), Point(5.0, 0.5)))  # nobody goes around that
    told = [one.direction for at, place in enumerate(way) if (one := watch.look(box_at(place), at))]
    assert all(one != other for one, other in itertools.pairwise(told))


def test_things_seen_first_on_the_line_have_not_crossed_it() -> None:
    assert crossings(straight(Point(0.5, 0.5), DOWN, 9)) == []
