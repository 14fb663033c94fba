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
_LEAST_WIDTH = 320  # of what is compared: a person 40 pixels high in 768x576 is then 20 high
_SCENE_SHARE = 0.5
_SCENE_SHIFT = 25.0  # of brightness, at once: a lamp; exposure and dusk take longer
_LEAST_PIXELS = 6
_SURE_PIXELS = 60  # a person 40 of 576 pixels high has about a hundred
_WEATHER_BEGINS, _WEATHER_ENDS = 25, 6  # areas
_WEATHER_PIXELS = 150
_LASTS_S = 1.0  # frames farther apart say nothing of what was between
_LIT_PIXELS = 100
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
        self._is_weather = False
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
        least = self._least_sure(found)
        chosen = [
            (one.pixels >= least or self._lasts(one, least, step_s))
            and not self._is_lit(number, found, grey, background)
            for number, one in enumerate(found.found)
        ]
        moving = found.mask(chosen, changed)
        background.learn(grey, changed, moving, step_s)
        self._before = changed
        height, width = grey.shape
        counted = [one for one, counts in zip(found.found, chosen, strict=True) if counts]
        share = sum(one.pixels for one in counted) / max(1, cv2.countNonZero(self._looked_at))
        return Motion(at_ns, boxes(counted, width, height), share, False)

    def _least_sure(self, found: Areas) -> int:
        """How many pixels count at once. Rain and snow are many small areas; then only large ones count.

        It stays weather while some of it is to be seen: most of it is soon learnt as noise.
        """
        small = sum(_LEAST_PIXELS <= one.pixels < _SURE_PIXELS for one in found.found)
        self._is_weather = small > (_WEATHER_ENDS if self._is_weather else _WEATHER_BEGINS)
        return _WEATHER_PIXELS if self._is_weather else _SURE_PIXELS

    def _lasts(self, area: Area, least: int, step_s: float) -> bool:
        """Whether a small area counts: one that was there in the last frame."""
        if least == _WEATHER_PIXELS or area.pixels < _LEAST_PIXELS:
            return False
        return step_s >= _LASTS_S or self._was_near(area)

    def _is_lit(self, number: int, found: Areas, grey: Grey, background: Background) -> bool:
        area = found.found[number]
        return area.pixels >= _LIT_PIXELS and _is_light(area, found.inside(number), grey, background.mean)

    def _was_near(self, area: Area) -> bool:
        """Whether something changed there in the last frame, too: noise and drops are elsewhere each time."""
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
