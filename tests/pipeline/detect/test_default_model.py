"""The model that comes along, on the real street clip."""

from __future__ import annotations

import hashlib

import av
import pytest

from pipeline.detect import Detector
from pipeline.detect.detector import DEFAULT_MODEL
from pipeline.detect.ssd import anchors
from pipeline.frames import picture_of
from pipeline.picture import Picture
from pipeline.scene import WHOLE, Box, Detection
from tests.support.footage import STREET

LABELS = {"person", "bicycle", "car", "vehicle"}


@pytest.fixture(scope="module")
def detector() -> Detector:
    """The default one."""
    return Detector.load()


def picture(number: int) -> Picture:
    """A frame of the clip."""
    with av.open(str(STREET)) as container:
        for at, frame in enumerate(container.decode(video=0)):
            if at == number:
                return picture_of(frame)
    raise AssertionError("the clip is shorter")


def best(found: list[Detection], label: str) -> Detection:
    return next(one for one in found if one.label == label)


def test_the_model_is_the_one_that_was_chosen(detector: Detector) -> None:
    digest = hashlib.sha256(DEFAULT_MODEL.read_bytes()).hexdigest()
    assert digest == "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6"
    assert detector.model_id == digest[:16]
    assert detector.input_size == 300
    assert LABELS | {"dog", "cat", "cattle"} <= set(detector.labels)


def test_a_rider_and_the_bicycle_are_both_found(detector: Detector) -> None:
    """By eye, at frame 130: the rider from x 0.56 to 0.78, all of the height; the bicycle below, to 0.83."""
    found = detector.detect(picture(130), wanted=LABELS)
    assert best(found, "person").box.iou(Box(0.56, 0.04, 0.77, 0.98)) > 0.7
    assert best(found, "bicycle").box.iou(Box(0.60, 0.49, 0.82, 1.0)) > 0.7
    assert best(found, "car").box.iou(Box(0.01, 0.05, 0.52, 1.0)) > 0.7


def test_a_crop_says_the_same_place_as_the_whole(detector: Detector) -> None:
    shown = picture(130)
    whole = best(detector.detect(shown, wanted=LABELS), "person")
    cropped = best(detector.detect(shown, [Box(0.4, 0.0, 0.9, 1.0)], wanted=LABELS), "person")
    assert cropped.box.iou(whole.box) > 0.7


def test_a_thing_in_two_regions_is_found_once(detector: Detector) -> None:
    regions = [WHOLE, Box(0.4, 0.0, 0.9, 1.0), Box(0.0, 0.0, 0.65, 1.0)]
    found = detector.detect(picture(130), regions, 0.4, wanted={"person"})
    assert len([one for one in found if one.box.iou(Box(0.56, 0.04, 0.77, 0.98)) > 0.3]) == 1


def test_boxes_stay_in_the_picture_and_scores_in_order(detector: Detector) -> None:
    for number in (0, 40, 160, 200):
        found = detector.detect(picture(number), minimum=0.1)
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for one in found:
            assert 0 <= one.box.left <= one.box.right <= 1
            assert 0 <= one.box.top <= one.box.bottom <= 1
            assert 0.1 <= one.score <= 1


def test_only_what_is_wanted_is_found(detector: Detector) -> None:
    assert {one.label for one in detector.detect(picture(130), minimum=0.1, wanted={"bicycle"})} == {
        "bicycle"
    }


def test_anchors_are_as_many_as_the_model_has_places() -> None:
    around = anchors(300, 300)
    assert around.shape == (1917, 4)
    assert around[:, :2].min() > 0
    assert around[:, :2].max() < 1
    assert around[0].tolist() == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
