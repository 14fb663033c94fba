"""Which frame shows an event best, and that only copies of this one are held."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from pipeline.event import EventMaker, Place, Rules
from pipeline.event.nouns import crop_around
from pipeline.event.open_event import worth_of
from pipeline.picture import Frame, Picture
from pipeline.scene import Box, Point
from tests.support.walks import Walk, ended, looks_at, straight

COMING_NEAR = straight(Point(0.5, 0.5), Point(0.5, 0.95), 25)


def frame_at(at_ns: int) -> Frame:
    return Frame(at_ns, 0, False, Picture.from_rgb(np.zeros((36, 64, 3), np.uint8)))


def pictures_held() -> int:
    gc.collect()
    return sum(isinstance(one, Picture) for one in gc.get_objects())


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Place(0, Box(0.4, 0.4, 0.6, 0.8), 0.6), Place(0, Box(0.4, 0.4, 0.6, 0.8), 0.5)),
        (Place(0, Box(0.4, 0.2, 0.6, 0.8), 0.6), Place(0, Box(0.4, 0.4, 0.6, 0.8), 0.6)),
        (Place(0, Box(0.4, 0.4, 0.6, 0.8), 0.5), Place(0, Box(0.8, 0.4, 1.0, 0.8), 0.9)),
    ],
)
def test_sure_large_and_whole_is_better(better: Place, worse: Place) -> None:
    assert worth_of(better) > worth_of(worse)


def test_the_first_frame_is_there_with_the_beginning() -> None:
    maker = EventMaker(Rules())
    said = []
    for at_ns, tracks in looks_at([Walk(COMING_NEAR)], 3):
        said += maker.seen(frame_at(at_ns), tracks, at_ns)

    (began,) = said
    assert began.event.picture is not None
    assert began.event.picture.note.at_ns == at_ns
    assert (began.event.picture.note.width, began.event.picture.note.height) == (64, 36)


def test_the_best_frame_wins_and_no_other_stays_in_memory() -> None:
    before = pictures_held()
    maker = EventMaker(Rules())
    growing = [Walk([place], first=at, height=0.1 + 0.02 * at) for at, place in enumerate(COMING_NEAR)]
    for at_ns, tracks in looks_at(growing, 25):
        maker.seen(frame_at(at_ns), tracks, at_ns)

    assert pictures_held() - before == 2, "its crop and its whole"
    (event,) = ended(maker.finish(at_ns))
    assert event.picture is not None
    assert event.picture.note.box.height > 0.5
    assert event.picture.note.object == 0


@pytest.mark.parametrize(
    "box",
    [Box(0.0, 0.0, 0.1, 0.1), Box(0.9, 0.8, 1.0, 1.0), Box(0.0, 0.0, 1.0, 1.0), Box(0.4, 0.4, 0.5, 0.7)],
)
def test_a_cut_shows_the_thing_and_some_of_what_is_around(box: Box) -> None:
    crop = crop_around(box)

    assert crop.overlap(box) == pytest.approx(box.area)
    assert crop == crop.clipped()
    assert min(crop.width, crop.height) >= 1 / 6 - 1e-9
