"""Where a picture has changed: a background learnt at low resolution, with the noise of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.picture import Frame
from pipeline.scene import Box, Polygon

_WIDTH = 320
_FLOOR = 12.0
_SCENE = 0.5


@dataclass(frozen=True, slots=True)
class Motion:
    """What moved in a frame: boxes around it, its share of the picture, whether the whole scene changed."""

    at_ns: int
    boxes: tuple[Box, ...]
    changed: float
    scene_changed: bool


class MotionDetector:
    """Learns the background of one stream and says what differs from it; masks are not looked at."""

    def __init__(self, masks: Sequence[Polygon] = ()) -> None:
        self._masks = tuple(masks)
        self._background: NDArray[np.float32] | None = None

    def look(self, frame: Frame) -> Motion:
        """What moved in `frame`; the first frame, and one of another size, begin anew."""
        grey = cv2.blur(frame.picture.luma(_WIDTH), (3, 3)).astype(np.float32)
        if self._background is None or self._background.shape != grey.shape:
            self._background = grey
            return Motion(frame.at_ns, (), 0.0, False)
        moved = (cv2.absdiff(grey, self._background) > _FLOOR).astype(np.uint8)
        changed = float(moved.mean())
        scene_changed = changed > _SCENE
        cv2.accumulateWeighted(grey, self._background, 1.0 if scene_changed else 0.03)
        boxes = () if scene_changed else _boxes(moved)
        return Motion(frame.at_ns, boxes, changed, scene_changed)


def _boxes(moved: NDArray[np.uint8]) -> tuple[Box, ...]:
    height, width = moved.shape
    grown = cv2.dilate(cv2.medianBlur(moved, 3), np.ones((5, 5), np.uint8))
    _, _, found, _ = cv2.connectedComponentsWithStats(grown)
    return tuple(
        Box(left / width, top / height, (left + wide) / width, (top + high) / height)
        for left, top, wide, high, area in found[1:].tolist()
        if area >= 30
    )
