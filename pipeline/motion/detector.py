"""One stream's motion: what differs from its background, without specks, light and weather."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.motion.areas import Area, Areas, areas, boxes, unmasked, without_specks
from pipeline.motion.background import Background, Grey
from pipeline.picture import Frame, Picture, Plane
from pipeline.scene import Box, Polygon

_NS = 1_000_000_000
_LEAST_WIDTH = 320
_SCENE_SHARE = 0.5
_SCENE_SHIFT = 25.0
_LEAST_PIXELS = 6
_SURE_PIXELS = 60
_LASTS_S = 1.0
_LIT_PIXELS = 400
_LIKE = 0.9
_LEAST_SPREAD = 4.0
_NEAR = np.ones((15, 15), np.uint8)


@dataclass(frozen=True, slots=True)
class Motion:
    """What moved in a frame: boxes around it, its share of what is looked at, whether all is another scene.

    With another scene there are no boxes: anything may be anywhere.
    """

    at_ns: int
    boxes: tuple[Box, ...]
    changed: float
    scene_changed: bool


class MotionDetector:
    """Learns the background of one stream. What lies in a mask is not looked at.

    Frames come in the order they are shown, from five a second to one in some seconds.
    """

    def __init__(self, masks: Sequence[Polygon] = ()) -> None:
        self._masks = tuple(masks)
        self._background: Background | None = None
        self._looked_at = np.zeros((0, 0), np.uint8)
        self._before = np.zeros((0, 0), np.uint8)
        self._last_ns = 0

    def look(self, frame: Frame) -> Motion:
        """What moved since what is known of the background. The first frame, or another size, begins anew."""
        grey = _grey(frame.picture)
        background = self._background
        if background is None or background.shape != grey.shape:
            return self._begin(frame, grey)
        step_s = max(0.0, (frame.at_ns - self._last_ns) / _NS)
        self._last_ns = frame.at_ns
        light = background.light(grey)
        changed = cv2.bitwise_and(without_specks(background.changed(grey)), self._looked_at)
        share = cv2.countNonZero(changed) / max(1, cv2.countNonZero(self._looked_at))
        if share > _SCENE_SHARE or light.shift > _SCENE_SHIFT:
            self._begin(frame, grey)
            return Motion(frame.at_ns, (), share, True)
        return self._moved(frame.at_ns, grey, background, np.asarray(changed, np.uint8), step_s)

    def _begin(self, frame: Frame, grey: Grey) -> Motion:
        height, width = grey.shape
        self._background = Background(grey)
        self._looked_at = unmasked(self._masks, width, height)
        self._before = np.zeros(grey.shape, np.uint8)
        self._last_ns = frame.at_ns
        return Motion(frame.at_ns, (), 0.0, False)

    def _moved(self, at_ns: int, grey: Grey, background: Background, changed: Plane, step_s: float) -> Motion:
        found = areas(changed)
        chosen = [self._counts(number, found, grey, background, step_s) for number in range(len(found.found))]
        moving = found.mask(chosen, changed)
        background.learn(grey, changed, moving, step_s)
        self._before = changed
        height, width = grey.shape
        counted = [one for one, counts in zip(found.found, chosen, strict=True) if counts]
        share = sum(one.pixels for one in counted) / max(1, cv2.countNonZero(self._looked_at))
        return Motion(at_ns, boxes(counted, width, height), share, False)

    def _counts(self, number: int, found: Areas, grey: Grey, background: Background, step_s: float) -> bool:
        area = found.found[number]
        if area.pixels < _LEAST_PIXELS:
            return False
        if area.pixels < _SURE_PIXELS and step_s < _LASTS_S and not self._was_near(area):
            return False
        return area.pixels < _LIT_PIXELS or not _is_light(area, found.inside(number), grey, background.mean)

    def _was_near(self, area: Area) -> bool:
        """Whether something changed there in the last frame, too: rain and snow are elsewhere each time."""
        reach = _NEAR.shape[0] // 2
        top, left = max(0, area.top - reach), max(0, area.left - reach)
        return bool(self._before[top : area.bottom + reach, left : area.right + reach].any())


def _grey(picture: Picture) -> Grey:
    """Brightness at the width that halving reaches, smoothed over three pixels."""
    width = picture.width
    while width >= 2 * _LEAST_WIDTH:
        width //= 2
    return np.asarray(cv2.blur(picture.luma(width), (3, 3)), np.float32)


def _is_light(area: Area, inside: NDArray[np.bool_], grey: Grey, mean: Grey) -> bool:
    """Whether an area shows the same things as before in another light: a lamp, headlights."""
    part = (slice(area.top, area.bottom), slice(area.left, area.right))
    now, before = grey[part][inside], mean[part][inside]
    now, before = now - now.mean(), before - before.mean()
    spread_now, spread_before = float(now @ now), float(before @ before)
    least = now.size * _LEAST_SPREAD**2
    if min(spread_now, spread_before) < least:
        return False
    return float(now @ before) > _LIKE * math.sqrt(spread_now * spread_before)
