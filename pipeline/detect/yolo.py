"""The single output of YOLO-style models.

| shape | what | boxes |
| --- | --- | --- |
| [1, 4 + n, places] | versions 8 and later | middle x, middle y, width, height |
| [1, places, 5 + n] | versions 5 to 7: the fifth, "something is here", multiplies the others | same |
| [1, rows, 6] | end to end: left, top, right, bottom, score, class | corners |

Exports differ in whether boxes count pixels or fractions of the input. The boxes of all places together tell:
some reach beyond 2 only if they are pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.detect.candidates import Candidates, Floats, pairs_above

BEYOND = 2.0


@dataclass(frozen=True, slots=True)
class YoloHead:
    """Reads one box and `n` scores a place. `size` is width and height of the input."""

    size: tuple[int, int]
    is_transposed: bool
    has_objectness: bool

    def read(self, outputs: list[Floats], minimum: float) -> Candidates:
        """The places whose score reaches `minimum`."""
        places = outputs[0][0].T if self.is_transposed else outputs[0][0]
        scores = places[:, 5:] * places[:, 4:5] if self.has_objectness else places[:, 4:]
        rows, classes = pairs_above(scores, minimum)
        middles = _fractions(places[:, :4], self.size)[rows]
        half = middles[:, 2:] / 2
        boxes = np.hstack([middles[:, :2] - half, middles[:, :2] + half])
        return Candidates(boxes.astype(np.float32), scores[rows, classes], classes)


@dataclass(frozen=True, slots=True)
class EndToEndHead:
    """Reads rows of corners, score and class. `size` is width and height of the input."""

    size: tuple[int, int]

    def read(self, outputs: list[Floats], minimum: float) -> Candidates:
        """The rows whose score reaches `minimum`."""
        found = outputs[0][0]
        boxes = _fractions(found[:, :4], self.size)
        rows = np.flatnonzero(found[:, 4] >= minimum)
        return Candidates(boxes[rows], found[rows, 4], found[rows, 5].round().astype(np.intp))


def _fractions(boxes: Floats, size: tuple[int, int]) -> Floats:
    if boxes.size and boxes.max() > BEYOND:
        return (boxes / np.array([*size, *size], np.float32)).astype(np.float32)
    return boxes
