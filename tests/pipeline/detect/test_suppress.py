"""One thing, one box: within a region, and between regions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.candidates import Candidates
from pipeline.detect.suppress import OTHER_LABEL_IOU, SAME_LABEL_IOU, Sighting, ious, merged, suppressed
from pipeline.scene import WHOLE, Box, Detection

LEFT, RIGHT = Box(0.0, 0.0, 0.6, 1.0), Box(0.4, 0.0, 1.0, 1.0)
EDGES = st.tuples(*[st.integers(0, 20)] * 4).map(
    lambda e: Box(min(e[0], e[2]) / 20, min(e[1], e[3]) / 20, max(e[0], e[2]) / 20, max(e[1], e[3]) / 20)
)
THINGS = st.builds(
    Detection, st.sampled_from(["cat", "dog"]), st.integers(30, 99).map(lambda n: n / 100), EDGES
)


def person(box: Box, score: float = 0.5) -> Detection:
    return Detection("person", score, box)


@given(st.lists(THINGS, max_size=30))
def test_what_stays_does_not_overlap_and_what_goes_does(things: list[Detection]) -> None:
    boxes = np.array([[t.box.left, t.box.top, t.box.right, t.box.bottom] for t in things], np.float32)
    found = Candidates(
        boxes.reshape(-1, 4),
        np.array([t.score for t in things], np.float32),
        np.array([t.label == "dog" for t in things], np.intp),
    )
    kept = suppressed(found).tolist()
    limits = [[SAME_LABEL_IOU if a.label == b.label else OTHER_LABEL_IOU for b in things] for a in things]
    overlaps = ious(found.boxes)
    for place, row in enumerate(kept):
        assert all(overlaps[row, other] <= limits[row][other] for other in kept[:place])
    for gone in set(range(len(things))) - set(kept):
        assert any(
            overlaps[gone, row] > limits[gone][row] and things[row].score >= things[gone].score
            for row in kept
        )


@given(st.lists(THINGS, max_size=12))
def test_overlaps_are_those_of_boxes(things: list[Detection]) -> None:
    boxes = np.array([[t.box.left, t.box.top, t.box.right, t.box.bottom] for t in things], np.float32)
    overlaps = ious(boxes.reshape(-1, 4))
    for row, one in enumerate(things):
        for column, other in enumerate(things):
            assert abs(overlaps[row, column] - one.box.iou(other.box)) < 1e-4


@given(st.lists(st.builds(Sighting, THINGS, st.sampled_from([WHOLE, LEFT, RIGHT])), max_size=12))
def test_merging_invents_no_label_and_no_score(seen: list[Sighting]) -> None:
    together = merged(seen)
    assert len(together) <= len(seen)
    assert bool(together) == bool(seen)
    assert {(one.label, one.score) for one in together} <= {
        (one.detection.label, one.detection.score) for one in seen
    }


def test_a_thing_cut_by_a_region_is_the_one_seen_whole_elsewhere() -> None:
    whole, cut = person(Box(0.45, 0.3, 0.7, 0.9), 0.4), person(Box(0.45, 0.3, 0.6, 0.9), 0.6)
    assert merged([Sighting(cut, LEFT), Sighting(whole, RIGHT)]) == [whole]


def test_a_thing_cut_by_both_becomes_one_around_both() -> None:
    seen = [
        Sighting(person(Box(0.3, 0.3, 0.6, 0.9), 0.6), LEFT),
        Sighting(person(Box(0.4, 0.3, 0.75, 0.9), 0.5), RIGHT),
    ]
    assert merged(seen) == [person(Box(0.3, 0.3, 0.75, 0.9), 0.6)]


def test_two_people_side_by_side_stay_two() -> None:
    one, other = person(Box(0.42, 0.3, 0.5, 0.9)), person(Box(0.51, 0.3, 0.58, 0.9), 0.4)
    assert merged([Sighting(one, LEFT), Sighting(other, RIGHT)]) == [one, other]


def test_a_rider_and_a_bicycle_stay_two() -> None:
    rider, bicycle = person(Box(0.4, 0.1, 0.6, 0.8)), Detection("bicycle", 0.4, Box(0.4, 0.4, 0.6, 0.9))
    assert merged([Sighting(rider, WHOLE), Sighting(bicycle, WHOLE)]) == [rider, bicycle]
