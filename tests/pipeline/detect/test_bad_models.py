"""What is no model, and labels that do not fit: refused in one sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.detect import Detector, ModelError
from pipeline.detect.detector import DEFAULT_LABELS, DEFAULT_MODEL
from pipeline.detect.interpreter import NO_RUNTIME, _interpreter
from tests.support.small_models import write_labels, write_model


def refusal(model: Path | None, labels: Path | None) -> str:
    """The sentence."""
    with pytest.raises(ModelError) as told:
        Detector.load(model, labels)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_missing_model(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "none.tflite", DEFAULT_LABELS)
    assert "cannot be read: Is a directory" in refusal(tmp_path, DEFAULT_LABELS)


@pytest.mark.parametrize("content", [b"", b"\x00" * 7, b"PK\x03\x04 a zip", b"\x89PNG\r\n\x1a\n"])
def test_not_a_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.tflite").write_bytes(content)
    assert "is not a TensorFlow Lite model" in refusal(tmp_path / "m.tflite", DEFAULT_LABELS)


def test_a_cut_model(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(DEFAULT_MODEL.read_bytes()[:200_000])
    assert "cannot be loaded: it is damaged" in refusal(tmp_path / "m.tflite", DEFAULT_LABELS)


@pytest.mark.parametrize(
    ("shapes", "shown"),
    [
        ([(1, 896, 16), (1, 896, 1)], "[1, 896, 16] float32, [1, 896, 1] float32"),  # a face model's
        ([(1, 1001)], "[1, 1001] float32"),  # a classifier's
        ([(1, 4), (1, 4), (1, 4), (1, 4)], "[1, 4] float32"),
        ([(1, 3, 84)], "[1, 3, 84] float32"),
    ],
)
def test_outputs_of_no_known_kind(tmp_path: Path, shapes: list[tuple[int, ...]], shown: str) -> None:
    model = write_model(tmp_path / "m.tflite", [np.zeros(shape, np.float32) for shape in shapes])
    said = refusal(model, write_labels(tmp_path / "l.txt", "person"))
    assert shown in said
    assert "[1, 64, 64, 3] float32" in said


@pytest.mark.parametrize("shape", [(1, 3, 64, 64), (1, 64, 64, 1), (4, 64, 64, 3), (1, 8, 8, 3)])
def test_inputs_that_are_no_picture(tmp_path: Path, shape: tuple[int, ...]) -> None:
    outputs = [np.zeros((1, 6, 84), np.float32)]
    model = write_model(tmp_path / "m.tflite", outputs, input_shape=shape)
    assert str(list(shape)) in refusal(model, write_labels(tmp_path / "l.txt", "person"))


def test_labels_that_are_missing_empty_or_not_text(tmp_path: Path) -> None:
    assert "needs its labels" in refusal(DEFAULT_MODEL, None)
    assert "cannot be read" in refusal(DEFAULT_MODEL, tmp_path / "none.txt")
    (tmp_path / "l.txt").write_bytes(b"\n\n")
    assert "are empty" in refusal(DEFAULT_MODEL, tmp_path / "l.txt")
    assert "are not text" in refusal(DEFAULT_MODEL, DEFAULT_MODEL)


def test_labels_that_are_too_few(tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "l.txt", "???", "bicycle", "boot")
    assert "too few: the model knows 23 things, and the file names 2" in refusal(DEFAULT_MODEL, labels)


def test_no_runtime_at_all() -> None:
    with pytest.raises(ModelError, match="no LiteRT works here") as told:
        _interpreter(DEFAULT_MODEL, 1, ["no_such_runtime.interpreter"])
    assert str(told.value) == NO_RUNTIME
