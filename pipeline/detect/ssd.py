"""Raw outputs of an SSD detector: offsets from anchors and one logit a class.

Anchors and box coding are those of TensorFlow's Object Detection API (`ssd_anchor_generator`,
`faster_rcnn_box_coder`; the papers are Liu et al., "SSD", and Ren et al., "Faster R-CNN"), as the MobileNet
models of that family use them: 6 layers, strides 16 to 512, scales 0.2 to 0.95, ratios 1, 2, 1/2, 3, 1/3 and
one square of a size between two layers; the lowest layer has three anchors only. Boxes are coded with the
scales 10, 10, 5, 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.detect.candidates import Candidates, Floats, pairs_above

STRIDES = (16, 32, 64, 128, 256, 512)
LOWEST, HIGHEST = 0.2, 0.95
RATIOS = (1.0, 2.0, 1 / 2, 3.0, 1 / 3)
CENTRE_SCALE, SIZE_SCALE = 10.0, 5.0


def anchors(width: int, height: int) -> Floats:
    """[n, 4]: middle x, middle y, width and height of each anchor, as fractions of the input."""
    return np.concatenate([_layer(number, width, height) for number in range(len(STRIDES))])


def _layer(number: int, width: int, height: int) -> Floats:
    columns, rows = (math.ceil(size / STRIDES[number]) for size in (width, height))
    shapes = np.array(_shapes(number), np.float32)
    y, x, shape = np.meshgrid(range(rows), range(columns), range(len(shapes)), indexing="ij")
    places = np.stack([(x + 0.5) / columns, (y + 0.5) / rows], axis=-1).reshape(-1, 2)
    return np.hstack([places, shapes[shape.reshape(-1)]]).astype(np.float32)


def _shapes(number: int) -> list[tuple[float, float]]:
    """Width and height of the anchors at each place of a layer."""
    if number == 0:
        return [(0.1, 0.1), *(_shape(LOWEST, ratio) for ratio in (2.0, 1 / 2))]
    own, above = _scale(number), _scale(number + 1)
    return [*(_shape(own, ratio) for ratio in RATIOS), _shape(math.sqrt(own * above), 1.0)]


def _scale(number: int) -> float:
    return min(1.0, LOWEST + (HIGHEST - LOWEST) * number / (len(STRIDES) - 1))


def _shape(scale: float, ratio: float) -> tuple[float, float]:
    return scale * math.sqrt(ratio), scale / math.sqrt(ratio)


@dataclass(frozen=True, slots=True)
class SsdHead:
    """Reads the two raw outputs. Class 0 is the background: it means that nothing is there."""

    anchors: Floats
    boxes_at: int
    scores_at: int

    def read(self, outputs: list[Floats], minimum: float) -> Candidates:
        """The places whose score reaches `minimum`; only their boxes are worked out."""
        scores = _probabilities(outputs[self.scores_at][0])
        places, classes = pairs_above(scores[:, 1:], minimum)
        classes = classes + 1
        boxes = decode(outputs[self.boxes_at][0][places], self.anchors[places])
        return Candidates(boxes, scores[places, classes], classes)


def decode(coded: Floats, around: Floats) -> Floats:
    """[n, 4] of left, top, right, bottom from coded boxes (y, x, height, width) and their anchors."""
    middle = coded[:, [1, 0]] / CENTRE_SCALE * around[:, 2:] + around[:, :2]
    half = np.exp(np.minimum(coded[:, [3, 2]] / SIZE_SCALE, 10.0)) * around[:, 2:] / 2
    return np.hstack([middle - half, middle + half])


def _probabilities(logits: Floats) -> Floats:
    """Some exports put the sigmoid into the model. Logits of thousands of places never all lie in 0 to 1."""
    if logits.min() >= 0 and logits.max() <= 1:
        return logits
    return (1 / (1 + np.exp(-np.clip(logits, -60, 60)))).astype(np.float32)
