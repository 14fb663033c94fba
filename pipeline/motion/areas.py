"""From changed pixels to boxes: specks go, pieces of one thing come together, never more than a few boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.picture import Plane
from pipeline.scene import Box, Polygon

_NEIGHBOURS = 4 * 255 // 9  # of a pixel and its eight: less is a speck
_JOINED = np.ones((5, 5), np.uint8)
_MARGIN = 2  # pixels around an area: its edge differs less from the background
MOST_BOXES = 16


@dataclass(frozen=True, slots=True)
class Area:
    """Pixels that changed and lie together: how many, and around them, the end excluded."""

    left: int
    top: int
    right: int
    bottom: int
    pixels: int

    @property
    def size(self) -> int:
        """Of the rectangle around it."""
        return (self.right - self.left) * (self.bottom - self.top)

    def joined(self, other: Area) -> Area:
        """Around both."""
        return Area(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
            self.pixels + other.pixels,
        )

    def touches(self, other: Area, margin: int) -> bool:
        """Whether both come closer than `margin` pixels."""
        return (
            self.left - margin < other.right
            and other.left - margin < self.right
            and self.top - margin < other.bottom
            and other.top - margin < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Areas:
    """All of a frame: `labels` has 1 for the pixels of the first, and so on, 0 elsewhere."""

    found: tuple[Area, ...]
    labels: NDArray[np.int32]

    def mask(self, chosen: Sequence[bool]) -> Plane:
        """255 in those that are chosen."""
        table = np.array([0, *(255 if one else 0 for one in chosen)], np.uint8)
        return table[self.labels]


def as_mask(chosen: NDArray[np.bool_]) -> Plane:
    """255 where true."""
    return chosen.view(np.uint8) * np.uint8(255)


def without_specks(changed: Plane) -> Plane:
    """255 where about half of the neighbourhood has changed."""
    return as_mask(cv2.blur(changed, (3, 3)) >= _NEIGHBOURS)


def areas(changed: Plane) -> Areas:
    """What changed, in connected areas; pieces up to 4 pixels apart belong together (legs)."""
    grown = cv2.dilate(changed, _JOINED)
    count, labels, found, _ = cv2.connectedComponentsWithStats(grown)
    pixels = np.bincount(labels[changed > 0], minlength=count)
    grow = _JOINED.shape[0] // 2
    height, width = changed.shape
    return Areas(
        tuple(
            Area(
                max(left + grow, 0),
                max(top + grow, 0),
                min(left + wide - grow, width),
                min(top + high - grow, height),
                int(pixels[label]),
            )
            for label, (left, top, wide, high, _) in enumerate(found[1:].tolist(), 1)
        ),
        np.asarray(labels, np.int32),
    )


def boxes(found: Sequence[Area], width: int, height: int) -> tuple[Box, ...]:
    """Boxes of a picture of that many pixels, what touches joined; the cheapest joined until they are few."""
    few = _few(_touching_joined(list(found)))
    few.sort(key=lambda one: -one.pixels)
    return tuple(
        Box(
            (one.left - _MARGIN) / width,
            (one.top - _MARGIN) / height,
            (one.right + _MARGIN) / width,
            (one.bottom + _MARGIN) / height,
        ).clipped()
        for one in few
    )


def _touching_joined(found: list[Area]) -> list[Area]:
    done: list[Area] = []
    while found:
        one = found.pop()
        near = [other for other in done if one.touches(other, 2 * _MARGIN)]
        if not near:
            done.append(one)
            continue
        for other in near:
            done.remove(other)
            one = one.joined(other)
        found.append(one)
    return done


def _few(found: list[Area]) -> list[Area]:
    """Joins the two whose common rectangle is the least larger than both, until there are few enough."""
    found = sorted(found, key=lambda one: -one.pixels)[: 3 * MOST_BOXES]
    while len(found) > MOST_BOXES:
        one, other = min(combinations(found, 2), key=lambda two: _wasted(*two))
        found = [left for left in found if left is not one and left is not other]
        found.append(one.joined(other))
    return found


def _wasted(one: Area, other: Area) -> int:
    return one.joined(other).size - one.size - other.size


def unmasked(masks: Sequence[Polygon], width: int, height: int) -> Plane:
    """255 where a picture of that many pixels is looked at, 0 in the masks."""
    looked_at = np.full((height, width), 255, np.uint8)
    for mask in masks:
        corners = [[round(one.x * width), round(one.y * height)] for one in mask.corners]
        cv2.fillPoly(looked_at, [np.array(corners, np.int32)], 0)
    return looked_at
