"""The annotations of real footage are whole and follow their rule."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bench.annotations import GROUPS, Thing, read_truth
from pipeline.scene import Box


@pytest.mark.parametrize("name", ["pedestrians", "street"])
def test_every_thing_is_well_formed(name: str) -> None:
    truth = read_truth(name)
    assert len({thing.number for thing in truth.things}) == len(truth.things)
    for thing in truth.things:
        assert thing.label in GROUPS
        assert 0 <= thing.first <= thing.last < truth.frames
        assert {thing.first, thing.last} <= set(thing.boxes)
        assert all(thing.first <= frame <= thing.last for frame in thing.boxes)
        assert all(_in_picture(box, truth.width, truth.height) for box in thing.boxes.values())
        assert all(thing.first <= a <= b <= thing.last for a, b in thing.hidden)


def _in_picture(box: Box, width: int, height: int) -> bool:
    return 0 <= box.left < box.right <= width and 0 <= box.top < box.bottom <= height


@pytest.mark.parametrize("name", ["pedestrians", "street"])
def test_boxes_are_close_enough_to_move_evenly_between(name: str) -> None:
    truth = read_truth(name)
    for thing in truth.things:
        frames = sorted(thing.boxes)
        apart = max((b - a for a, b in pairwise(frames)), default=0)
        assert thing.still or apart <= 1.7 * truth.fps


def test_what_must_be_found() -> None:
    assert len(read_truth("pedestrians").must_find()) == 20
    assert [thing.label for thing in read_truth("street").must_find()] == ["vehicle"]


def test_boxes_move_evenly_and_hidden_things_have_none() -> None:
    thing = Thing(1, "person", 0, 10, {0: Box(0, 0, 10, 50), 10: Box(20, 0, 30, 50)}, hidden=((3, 4),))
    assert thing.box_at(5) == Box(10, 0, 20, 50)
    assert thing.box_at(3) is None
    assert thing.box_at(11) is None
    assert len(thing.tall_frames()) == 9


def test_a_part_has_what_lies_in_it_by_half() -> None:
    lawn = read_truth("pedestrians").cut(380, 734, 0, 340, 384, 216)
    assert [thing.number for thing in lawn.must_find()] == [16, 17]
    assert min(thing.first for thing in lawn.things) > 100
