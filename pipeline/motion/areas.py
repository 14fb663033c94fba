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
MOST_BOXES = 16


@dataclass(frozen=True, slots=True)
class Area:
    """Pixels that changed and lie together: how many, and the rectangle that is two pixels around them.

    The edge of a thing differs less from the background than the rest. `right` and `bottom` are excluded.
    """

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

    def touches(self, other: Area) -> bool:
        """Whether the rectangles overlap."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Areas:
    """All of a frame. `labels` has 1 for the pixels of the first, and so on, 0 elsewhere.

    It is a part of the frame, whose left upper corner is `left`, `top`.
    """

    found: tuple[Area, ...]
    labels: NDArray[np.int32]
    left: int
    top: int

    def inside(self, number: int) -> NDArray[np.bool_]:
        """Which pixels of the rectangle around an area belong to it."""
        area = self.found[number]
        rows = slice(area.top - self.top, area.bottom - self.top)
        columns = slice(area.left - self.left, area.right - self.left)
        return np.asarray(self.labels[rows, columns] == number + 1)

    def mask(self, chosen: Sequence[bool], changed: Plane) -> Plane:
        """What of `changed`, the frame they were found in, lies in those that are chosen."""
        moving = np.zeros_like(changed)
        if any(chosen):
            high, wide = self.labels.shape
            part = (slice(self.top, self.top + high), slice(self.left, self.left + wide))
            table = np.array([0, *(255 if one else 0 for one in chosen)], np.uint8)
            np.bitwise_and(table[self.labels], changed[part], out=moving[part])
        return moving


def without_specks(changed: Plane) -> Plane:
    """255 where about half of the neighbourhood has changed."""
    few = cv2.blur(changed, (3, 3))
    return np.asarray(cv2.threshold(few, _NEIGHBOURS - 1, 255, cv2.THRESH_BINARY)[1], np.uint8)


def areas(changed: Plane) -> Areas:
    """What changed, in connected areas; pieces up to 4 pixels apart belong together (legs)."""
    left, top, wide, high = cv2.boundingRect(changed)
    if not wide:
        return Areas((), np.zeros((0, 0), np.int32), 0, 0)
    left, top, right, bottom = max(0, left - 2), max(0, top - 2), left + wide + 2, top + high + 2
    part = changed[top:bottom, left:right]
    count, found_labels, found, _ = cv2.connectedComponentsWithStats(cv2.dilate(part, _JOINED))
    labels = np.asarray(found_labels, np.int32)
    labels[part == 0] = 0
    pixels = np.bincount(labels.ravel(), minlength=count).tolist()
    return Areas(
        tuple(
            Area(left + x, top + y, left + x + wide, top + y + high, pixels[number])
            for number, (x, y, wide, high, _) in enumerate(found[1:].tolist(), 1)
        ),
        labels,
        left,
        top,
    )


def boxes(found: Sequence[Area], width: int, height: int) -> tuple[Box, ...]:
    """Boxes of a picture of that many pixels, what touches joined; the cheapest joined until they are few."""
    few = _few(_touching_joined(list(found)))
    few.sort(key=lambda one: -one.pixels)
    return tuple(
        Box(
            one.left / width,
            one.top / height,
            one.right / width,
            one.bottom / height,
        )
        for one in few
    )


def _touching_joined(found: list[Area]) -> list[Area]:
    done: list[Area] = []
    while found:
        one = found.pop()
        near = [other for other in done if one.touches(other)]
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
