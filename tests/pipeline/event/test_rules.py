"""Zones, masks and lines that cannot be are told by name, in a sentence each."""

from __future__ import annotations

import math

import pytest

from pipeline.event import Line, Rules, Zone, faults
from pipeline.scene import Point, Polygon

YARD = Polygon((Point(0.0, 0.5), Point(1.0, 0.5), Point(1.0, 1.0), Point(0.0, 1.0)))


@pytest.mark.parametrize(
    ("corners", "sentence"),
    [
        ([(0.1, 0.1), (0.9, 0.9)], 'Zone "yard" has 2 corners; an area needs at least 3.'),
        ([], 'Zone "yard" has 0 corners; an area needs at least 3.'),
        (
            [(0.1, 0.1), (1.2, 0.1), (0.5, 0.9)],
            'Zone "yard" has the corner [1.2, 0.1] outside the picture; use 0 to 1 for x and y.',
        ),
        (
            [(0.1, math.nan), (0.2, 0.1), (0.5, 0.9)],
            'Zone "yard" has the corner [0.1, nan] outside the picture; use 0 to 1 for x and y.',
        ),
        (
            [(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)],
            'Zone "yard" crosses itself; give its corners in order, all the way round.',
        ),
        (
            [(0.2, 0.2), (0.5, 0.2000001), (0.8, 0.2)],
            'Zone "yard" has no area; its corners lie on one line.',
        ),
    ],
)
def test_a_zone_that_cannot_be(corners: list[tuple[float, float]], sentence: str) -> None:
    zone = Zone("yard", Polygon(tuple(Point(x, y) for x, y in corners)))
    assert faults([zone], [], []) == [sentence]


def test_every_fault_is_told() -> None:
    line = Line("gate", Point(0.5, 0.5), Point(0.5, 0.5))
    outside = Line("road", Point(0.5, -0.5), Point(0.5, 0.5))
    mask = Polygon((Point(0.1, 0.1), Point(0.2, 0.2)))
    assert faults([Zone("a", YARD), Zone("a", YARD)], [YARD, mask], [line, outside, line]) == [
        "Mask 2 has 2 corners; an area needs at least 3.",
        'Line "gate" has no length; its two ends are the same place.',
        'Line "road" has the end [0.5, -0.5] outside the picture; use 0 to 1 for x and y.',
        'Line "gate" has no length; its two ends are the same place.',
        'Zone "a" is there 2 times; give each a name of its own.',
        'Line "gate" is there 2 times; give each a name of its own.',
    ]


def test_what_is_well_has_no_faults() -> None:
    assert faults([Zone("a", YARD)], [YARD], [Line("gate", Point(0.0, 0.5), Point(1.0, 0.5))]) == []


def test_scores_and_heights_by_label() -> None:
    rules = Rules(score=0.4, scores={"cat": 0.7}, min_height=0.1, min_heights={"car": 0.2})
    assert (rules.needed_score("cat"), rules.needed_score("dog")) == (0.7, 0.4)
    assert (rules.needed_height("car"), rules.needed_height("dog")) == (0.2, 0.1)
    assert rules.stillness_s("car") < rules.stillness_s("person")
