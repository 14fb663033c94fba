"""A model, its labels, and what it finds in a picture.

Rules:
- Only regions are looked at, each at the model's own size; a whole picture in colour is never made.
- Nothing is kept between two calls: the same picture and regions give the same detections.
- One thread at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.candidates import Candidates
from pipeline.detect.errors import ModelError
from pipeline.detect.heads import (
    Head,
    choose_head,
    classes_of,
    has_background,
    input_size,
    is_letterboxed,
    table_for,
)
from pipeline.detect.interpreter import Model, open_model
from pipeline.detect.labels import fitting, read_labels
from pipeline.detect.suppress import Sighting, labelled, merged, suppressed
from pipeline.picture import Picture
from pipeline.scene import WHOLE, Box, Detection

ASSETS = Path(__file__).parents[1] / "assets"
DEFAULT_MODEL, DEFAULT_LABELS = ASSETS / "detector.tflite", ASSETS / "detector.txt"
GREY = 114  # what YOLO models are taught to see around pictures of another shape
MODEL_ID_DIGITS = 16


class Detector:
    """Finds things. Made by `load`."""

    def __init__(self, model: Model, head: Head, labels: tuple[str, ...], digest: str) -> None:
        self._model, self._head, self._by_class = model, head, labels
        self._table: NDArray[Any] = table_for(model, head)
        self._size = input_size(model)
        self.input_size = max(self._size)
        self.labels = tuple(dict.fromkeys(label for label in labels if label and label != "???"))
        self.model_id = digest[:MODEL_ID_DIGITS]

    @classmethod
    def load(cls, model: Path | None = None, labels: Path | None = None, threads: int = 1) -> Detector:
        """The default model without `model`. Raises ModelError: missing, not a model, of no known kind,
        labels missing or too few.
        """
        path, labels_path = _files(model, labels)
        named = read_labels(labels_path)
        opened = open_model(path, threads)
        head = choose_head(opened, len(named))
        by_class = fitting(named, classes_of(opened, head), has_background(head), labels_path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(opened, head, by_class, digest)

    def describe(self) -> str:
        """A few words for `nvr status` and `nvr detect`."""
        width, height = self._size
        return f"model {self.model_id}, looks at {width}x{height}, {len(self.labels)} labels"

    def detect(
        self,
        picture: Picture,
        regions: Sequence[Box] = (WHOLE,),
        minimum: float = 0.3,
        wanted: Collection[str] | None = None,
    ) -> list[Detection]:
        """What is in those regions of the picture with at least that score, best first; boxes in fractions of
        the picture. With `wanted`, other labels are as if the model did not know them. Raises ModelError when
        the model speaks of a class without a label.
        """
        seen = [
            Sighting(one, region)
            for region in regions
            for one in self._look(picture, region, minimum, wanted)
        ]
        return merged(seen)

    def _look(
        self, picture: Picture, region: Box, minimum: float, wanted: Collection[str] | None
    ) -> list[Detection]:
        pixels, part = self._pixels(picture, region)
        found = self._head.read(self._model.run(pixels, self._table), minimum)
        found = self._only(found, wanted)
        rows = suppressed(found)
        return [
            Detection(one.label, one.score, _placed(one.box, part, region))
            for one in labelled(found, rows, self._by_class)
        ]

    def _pixels(self, picture: Picture, region: Box) -> tuple[NDArray[np.uint8], tuple[float, float]]:
        """The region at the model's size, and how much of the input's width and height it fills."""
        width, height = self._size
        if not is_letterboxed(self._head):
            return picture.rgb(region, self._size), (1.0, 1.0)
        wide, high = region.width * picture.width, region.height * picture.height
        scale = min(width / wide, height / high)
        inner = (max(1, min(width, round(wide * scale))), max(1, min(height, round(high * scale))))
        canvas = np.full((height, width, 3), GREY, np.uint8)
        canvas[: inner[1], : inner[0]] = picture.rgb(region, inner)
        return canvas, (inner[0] / width, inner[1] / height)

    def _only(self, found: Candidates, wanted: Collection[str] | None) -> Candidates:
        if found.classes.size and int(found.classes.max()) >= len(self._by_class):
            raise ModelError(
                f"the labels are too few: the model speaks of thing {int(found.classes.max()) + 1}, "
                f"and only {len(self._by_class)} are named"
            )
        known = np.array(
            [
                bool(label) and label != "???" and (wanted is None or label in wanted)
                for label in self._by_class
            ]
        )
        rows = known[found.classes]
        return Candidates(found.boxes[rows], found.scores[rows], found.classes[rows])


def _files(model: Path | None, labels: Path | None) -> tuple[Path, Path]:
    if model is None:
        if not DEFAULT_MODEL.is_file():
            raise ModelError(
                f"the detector's own model is missing ({DEFAULT_MODEL}): in the source tree, say: make"
            )
        return DEFAULT_MODEL, labels or DEFAULT_LABELS
    if labels is None:
        raise ModelError(f"the model {model} needs its labels: name a file with one label a line")
    return model, labels


def _placed(box: Box, part: tuple[float, float], region: Box) -> Box:
    """From fractions of the input to fractions of the picture, within the region."""
    inside = Box(box.left / part[0], box.top / part[1], box.right / part[0], box.bottom / part[1]).clipped()
    return Box(
        region.left + inside.left * region.width,
        region.top + inside.top * region.height,
        region.left + inside.right * region.width,
        region.top + inside.bottom * region.height,
    )
