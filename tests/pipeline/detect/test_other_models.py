"""Models of users: what their tensors' shapes, orders, types and quantisation mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.detect import Detector, ModelError
from pipeline.picture import Picture
from pipeline.scene import WHOLE, Box
from tests.support.small_models import write_labels, write_model

GREY = Picture.from_rgb(np.full((64, 64, 3), 100, np.uint8))
BOXES = np.array([[[0.1, 0.2, 0.5, 0.6], [0.5, 0.5, 0.9, 1.0]]], np.float32)  # top, left, bottom, right
CLASSES, SCORES = np.array([[1, 0]], np.float32), np.array([[0.9, 0.45]], np.float32)
COUNT = np.array([2], np.float32)


def found(model: Path, *labels: str, picture: Picture = GREY) -> list[tuple[str, float, tuple[float, ...]]]:
    """What a model says of a picture, rounded."""
    detector = Detector.load(model, write_labels(model.with_suffix(".txt"), *labels))
    return [
        (
            one.label,
            round(one.score, 2),
            tuple(round(edge, 2) for edge in (one.box.left, one.box.top, one.box.right, one.box.bottom)),
        )
        for one in detector.detect(picture, [WHOLE])
    ]


def yolo_rows(places: int, width: int, rows: dict[int, list[float]]) -> np.ndarray:
    """[1, places, width], all zero but for some rows."""
    values = np.zeros((1, places, width), np.float32)
    for at, row in rows.items():
        values[0, at] = row
    return values


EXPECTED = [("car", 0.9, (0.2, 0.1, 0.6, 0.5)), ("person", 0.45, (0.5, 0.5, 1.0, 0.9))]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0)])
def test_postprocessed_outputs_in_any_order(tmp_path: Path, order: tuple[int, ...]) -> None:
    outputs = (BOXES, CLASSES, SCORES, COUNT)
    model = write_model(tmp_path / "m.tflite", [outputs[at] for at in order], input_type="uint8")
    assert found(model, "person", "car") == EXPECTED
    assert found(model, "???", "Person", "CAR") == EXPECTED


def test_a_class_without_a_label_is_said(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.tflite", [BOXES, CLASSES, SCORES, COUNT])
    with pytest.raises(ModelError, match="labels are too few: the model speaks of thing 2, and only 1"):
        found(model, "person")


@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_raw_ssd_heads(tmp_path: Path, kind: str) -> None:
    """At 300 pixels there are 1917 places; place 0 is a tenth wide, at the upper left corner."""
    coded, logits = np.zeros((1, 1917, 4), np.float32), np.full((1, 1917, 3), -6, np.float32)
    logits[0, 0, 2], logits[0, 0, 0] = 2.0, 5.0  # a car; that it may be nothing changes nothing
    outputs = [coded, logits]
    if kind == "int8":
        outputs = [(values / 0.5).astype(np.int8) for values in outputs]
    model = write_model(
        tmp_path / "m.tflite",
        outputs,
        input_shape=(1, 300, 300, 3),
        input_type=kind,
        quantised=(0.5, 0) if kind == "int8" else None,
    )
    box = (0.0, 0.0, 0.08, 0.08)  # cut at the picture's edge: the middle is 0.5/19
    for labels in (("???", "person", "car"), ("person", "car")):
        assert found(model, *labels) == [("car", 0.88, box)]


@pytest.mark.parametrize("scale", [1, 64])
def test_yolo_with_places_last(tmp_path: Path, scale: int) -> None:
    """Version 8 and later, in fractions and in pixels."""
    rows = yolo_rows(84, 6, {3: [0.5 * scale, 0.5 * scale, 0.2 * scale, 0.4 * scale, 0.1, 0.8]})
    model = write_model(tmp_path / "m.tflite", [rows.transpose(0, 2, 1)])
    assert found(model, "person", "car") == [("car", 0.8, (0.4, 0.3, 0.6, 0.7))]


def test_yolo_with_objectness(tmp_path: Path) -> None:
    rows = yolo_rows(252, 7, {3: [0.5, 0.5, 0.2, 0.4, 0.5, 0.9, 0.2]})
    model = write_model(tmp_path / "m.tflite", [rows])
    assert found(model, "person", "car") == [("person", 0.45, (0.4, 0.3, 0.6, 0.7))]


def test_yolo_end_to_end(tmp_path: Path) -> None:
    rows = yolo_rows(100, 6, {0: [0.4, 0.3, 0.6, 0.7, 0.75, 1]})
    model = write_model(tmp_path / "m.tflite", [rows])
    assert found(model, "person", "car") == [("car", 0.75, (0.4, 0.3, 0.6, 0.7))]


def test_yolo_looks_at_pictures_in_their_own_proportions(tmp_path: Path) -> None:
    """A picture twice as wide as high fills the upper half of the input: what is said counts in that half."""
    rows = yolo_rows(84, 5, {0: [0.5, 0.25, 0.2, 0.1, 0.8]})
    model = write_model(tmp_path / "m.tflite", [rows.transpose(0, 2, 1)])
    wide = Picture.from_rgb(np.full((64, 128, 3), 100, np.uint8))
    assert found(model, "person", picture=wide) == [("person", 0.8, (0.4, 0.4, 0.6, 0.6))]


def test_a_cat_that_is_a_dog_too_is_one_thing(tmp_path: Path) -> None:
    rows = yolo_rows(84, 6, {0: [0.5, 0.5, 0.2, 0.4, 0.5, 0.8], 1: [0.5, 0.51, 0.2, 0.4, 0.6, 0.3]})
    model = write_model(tmp_path / "m.tflite", [rows.transpose(0, 2, 1)])
    assert [label for label, _, _ in found(model, "cat", "dog")] == ["dog"]


def test_regions_place_what_is_found(tmp_path: Path) -> None:
    rows = yolo_rows(84, 5, {0: [0.5, 0.5, 0.2, 0.4, 0.8]})
    model = write_model(tmp_path / "m.tflite", [rows.transpose(0, 2, 1)])
    detector = Detector.load(model, write_labels(tmp_path / "l.txt", "person"))
    (one,) = detector.detect(GREY, [Box(0.5, 0.5, 1.0, 1.0)])
    assert one.box.iou(Box(0.7, 0.65, 0.8, 0.85)) > 0.99
