"""One thing, one box: what several anchors, classes and regions say of the same thing becomes one detection.

Rules:
- Within a region: of boxes that overlap the best scored stays (greedy non-maximum suppression). Other labels
  are suppressed too, from a larger overlap on: Cat and Dog fire together, Car and Vehicle as well, while a
  person on a bicycle is a person and a bicycle.
- Between regions: a thing that an edge of a region cuts has a box that ends there. Seen whole elsewhere, the
  cut box goes; seen whole nowhere, the boxes that agree where both regions look become one around both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.candidates import Candidates, Floats
from pipeline.scene import Box, Detection

SAME_LABEL_IOU = 0.5
OTHER_LABEL_IOU = 0.7
MOST = 200  # a model that fires everywhere must not cost seconds
AT_EDGE = 0.02  # of the region: boxes of things that go on beyond it end this near, or beyond
INSIDE = 0.6  # of a cut box's area, in the other box
AGREEING_IOU = 0.45  # of what both regions see of two boxes


def suppressed(found: Candidates) -> NDArray[np.intp]:
    """Rows that stay, best first."""
    order = np.argsort(-found.scores, kind="stable")[:MOST]
    overlaps = ious(found.boxes[order])
    same = found.classes[order][:, None] == found.classes[order][None, :]
    rivals = overlaps > np.where(same, SAME_LABEL_IOU, OTHER_LABEL_IOU)
    alive = np.ones(len(order), bool)
    for row in range(len(order)):
        if alive[row]:
            alive[row + 1 :] &= ~rivals[row, row + 1 :]
    return order[alive]


def ious(boxes: Floats) -> Floats:
    """[n, n]: intersection over union of each with each."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    union = areas[:, None] + areas[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A detection and the region that it was seen in."""

    detection: Detection
    region: Box

    @property
    def is_cut(self) -> bool:
        """Whether it may go on beyond the region. The picture's own edges cut nothing that could be seen."""
        box, region = self.detection.box, self.region
        wide, high = region.width * AT_EDGE, region.height * AT_EDGE
        return (
            (region.left > 0 and box.left < region.left + wide)
            or (region.top > 0 and box.top < region.top + high)
            or (region.right < 1 and box.right > region.right - wide)
            or (region.bottom < 1 and box.bottom > region.bottom - high)
        )


def merged(sightings: Iterable[Sighting]) -> list[Detection]:
    """What all regions saw together, best first."""
    kept: list[Sighting] = []
    for one in sorted(sightings, key=lambda one: (one.is_cut, -one.detection.score)):
        twin = next((at for at, other in enumerate(kept) if _is_same(other, one)), None)
        if twin is None:
            kept.append(one)
        else:
            kept[twin] = _joined(kept[twin], one)
    return sorted((one.detection for one in kept), key=lambda one: -one.score)


def _is_same(kept: Sighting, other: Sighting) -> bool:
    first, second = kept.detection, other.detection
    iou = first.box.iou(second.box)
    if first.label != second.label:
        return iou > OTHER_LABEL_IOU
    if iou > SAME_LABEL_IOU:
        return True
    if kept.region == other.region or not (kept.is_cut or other.is_cut):
        return False
    return _agree(kept, other)


def _agree(kept: Sighting, cut: Sighting) -> bool:
    """Whether two boxes of different regions, one of them cut, are of one thing."""
    first, second = kept.detection.box, cut.detection.box
    smaller = min(first.area, second.area)
    if smaller > 0 and first.overlap(second) > INSIDE * smaller:
        return True
    return _part(first, cut.region).iou(_part(second, kept.region)) > AGREEING_IOU


def _part(box: Box, region: Box) -> Box:
    """What of a box lies in a region; nothing is a box without area."""
    left, top = max(box.left, region.left), max(box.top, region.top)
    return Box(left, top, max(left, min(box.right, region.right)), max(top, min(box.bottom, region.bottom)))


def _joined(kept: Sighting, other: Sighting) -> Sighting:
    """A box seen whole stays as it is; two that are cut become one around both."""
    if not kept.is_cut:
        return kept
    box = kept.detection.box.union(other.detection.box)
    score = max(kept.detection.score, other.detection.score)
    return Sighting(replace(kept.detection, box=box, score=score), kept.region.union(other.region))


def labelled(
    found: Candidates, rows: Sequence[int] | NDArray[np.intp], labels: Sequence[str]
) -> list[Detection]:
    """Detections of these rows, in fractions of the model's input."""
    boxes = found.boxes.tolist()
    return [
        Detection(labels[int(found.classes[row])], float(found.scores[row]), Box(*boxes[int(row)]))
        for row in rows
    ]
