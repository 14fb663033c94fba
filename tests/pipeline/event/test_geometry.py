"""Areas and lines: inside, on the edge, over, and around the end."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.event.geometry import area, contains, crosses_itself, passes, side
from pipeline.scene import Point

SQUARE = (Point(0.2, 0.2), Point(0.8, 0.2), Point(0.8, 0.8), Point(0.2, 0.8))
HOOK = (
    Point(0.1, 0.1),
    Point(0.9, 0.1),
    Point(0.9, 0.9),
    Point(0.7, 0.9),
    Point(0.7, 0.3),
    Point(0.1, 0.3),
)
BOW = (Point(0.2, 0.2), Point(0.8, 0.8), Point(0.8, 0.2), Point(0.2, 0.8))
LEFT, RIGHT = Point(0.5, 0.2), Point(0.5, 0.8)
A, B = Point(0.1, 0.5), Point(0.9, 0.5)  # looking from A to B, up in the picture is left
PLACES = st.builds(Point, st.floats(0, 1), st.floats(0, 1))


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        (Point(0.5, 0.5), True),
        (Point(0.2, 0.2), True),
        (Point(0.5, 0.2), True),
        (Point(0.8, 0.5), True),
        (Point(0.19, 0.5), False),
        (Point(0.5, 0.81), False),
        (Point(0.0, 0.2), False),
        (Point(1.0, 0.8), False),
    ],
)
def test_an_area_has_its_edge(point: Point, inside: bool) -> None:
    assert contains(SQUARE, point) is inside
    assert contains(SQUARE[::-1], point) is inside


def test_an_area_may_have_a_bay() -> None:
    assert contains(HOOK, Point(0.8, 0.8))
    assert contains(HOOK, Point(0.2, 0.2))
    assert not contains(HOOK, Point(0.5, 0.6))


def test_areas() -> None:
    assert area(SQUARE) == pytest.approx(0.36)
    assert area(SQUARE[::-1]) == pytest.approx(0.36)
    assert area([Point(0.1, 0.1), Point(0.5, 0.5), Point(0.9, 0.9)]) == pytest.approx(0)


@pytest.mark.parametrize("corners", [SQUARE, HOOK, SQUARE[:3]])
def test_simple_areas_do_not_cross_themselves(corners: tuple[Point, ...]) -> None:
    assert not crosses_itself(corners)
    assert not crosses_itself(corners[::-1])
    assert not crosses_itself(corners[1:] + corners[:1])


@pytest.mark.parametrize(
    "corners",
    [
        BOW,
        (*SQUARE, Point(0.2, 0.2)),
        (Point(0.1, 0.1), Point(0.9, 0.1), Point(0.5, 0.1), Point(0.5, 0.5)),  # folds back
        (Point(0.1, 0.1), Point(0.9, 0.1), Point(0.9, 0.9), Point(0.5, 0.1), Point(0.1, 0.9)),  # touches
    ],
)
def test_areas_that_cross_themselves(corners: tuple[Point, ...]) -> None:
    assert crosses_itself(corners)


def test_the_sides_of_a_line_are_those_seen_along_it() -> None:
    assert side(A, B, LEFT) < 0 < side(A, B, RIGHT)
    assert side(B, A, LEFT) > 0 > side(B, A, RIGHT)
    assert side(A, B, RIGHT) == pytest.approx(0.3)


def test_ways_over_a_line() -> None:
    assert passes(A, B, LEFT, RIGHT) == 1
    assert passes(A, B, RIGHT, LEFT) == -1
    assert passes(A, B, LEFT, Point(0.6, 0.3)) == 0
    assert passes(A, B, Point(0.05, 0.2), Point(0.05, 0.8)) == 0  # past its beginning
    assert passes(A, B, Point(0.95, 0.8), Point(0.95, 0.2)) == 0  # past its end


def test_a_touch_is_no_crossing() -> None:
    on_it = Point(0.5, 0.5)
    assert passes(A, B, LEFT, on_it) + passes(A, B, on_it, LEFT) == 0
    assert passes(A, B, RIGHT, on_it) + passes(A, B, on_it, RIGHT) == 0
    assert passes(A, B, LEFT, on_it) + passes(A, B, on_it, RIGHT) == 1


@given(st.lists(PLACES, min_size=2, max_size=12))
def test_crossings_add_up_to_the_change_of_sides(way: list[Point]) -> None:
    """On a line that nobody can walk around, what was crossed says where one is."""
    start, end = Point(-9.0, 0.5), Point(9.0, 0.5)
    net = sum(passes(start, end, before, after) for before, after in itertools.pairwise(way))
    assert net == (way[-1].y >= 0.5) - (way[0].y >= 0.5)


@given(PLACES, PLACES, PLACES, PLACES)
def test_a_way_and_the_way_back_cancel_out(a: Point, b: Point, one: Point, other: Point) -> None:
    assume(abs(a.x - b.x) + abs(a.y - b.y) > 1e-3)
    assert passes(a, b, one, other) == -passes(a, b, other, one)
