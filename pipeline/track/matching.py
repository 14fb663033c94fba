"""Which detection is which track. Pure.

Every pair that may be one thing gets an affinity; the best pair is taken, then the best of the rest. Against
the best sum (the Hungarian method) that errs only where three and more things of a kind are within a size of
each other, and it cannot take a bad pair to save another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.scene import Detection
from pipeline.track.kinship import are_kin
from pipeline.track.living import Living

REACH = 0.6  # sizes: how far from where it should be a thing may be found
REACH_A_SECOND = 0.8  # sizes more for each second that it was not seen
LONGEST_REACH = 1.5
KIN_IOU = 0.3  # of another label: only where it overlaps
OTHER_LABEL = 0.2  # so much less affinity
LARGEST_RATIO = 3.0  # of areas


def affinity(track: Living, detection: Detection) -> float | None:
    """From 0 (hardly) to 1.5 (the same box); None: cannot be the same."""
    box, found = track.box, detection.box
    if not are_kin(track.label, detection.label) or box.area <= 0 or found.area <= 0:
        return None
    if not 1 / LARGEST_RATIO < found.area / box.area < LARGEST_RATIO:
        return None
    iou = box.iou(found)
    size = (box.width + box.height + found.width + found.height) / 4
    away = math.hypot(box.centre.x - found.centre.x, box.centre.y - found.centre.y) / size
    reach = min(LONGEST_REACH, REACH + REACH_A_SECOND * track.unseen_ns / 1e9)
    is_other = track.label != detection.label
    if away > reach or (is_other and iou < KIN_IOU):
        return None
    return max(0.0, iou + (1 - away / reach) / 2 - OTHER_LABEL * is_other)


def matches(tracks: Sequence[Living], detections: Sequence[Detection]) -> list[tuple[int, int]]:
    """Pairs of places in `tracks` and `detections`, each at most once."""
    pairs = [
        (value, at, to)
        for at, track in enumerate(tracks)
        for to, detection in enumerate(detections)
        if (value := affinity(track, detection)) is not None
    ]
    taken_tracks: set[int] = set()
    taken_detections: set[int] = set()
    chosen = []
    for _, at, to in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if at not in taken_tracks and to not in taken_detections:
            taken_tracks.add(at)
            taken_detections.add(to)
            chosen.append((at, to))
    return chosen
