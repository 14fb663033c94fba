"""The background of one stream, learnt pixel by pixel. Brightness 0 to 255; times in seconds.

Rules:
- A pixel counts as changed when it differs from the background by more than noise explains there.
- What did not change is learnt in seconds, with its noise; what did is left alone until it has stood still
  for `STAYS_S`. So traffic does not smear into the background, however dense.
- Where pixels come and go all the time (leaves, water, rain), they must differ more.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.motion.light import Light, fitted
from pipeline.picture import Plane

Grey = NDArray[np.float32]

STAYS_S = 45.0
_LEARNING_S = 8.0
_BEGINNING_S = 2.0  # from the first frame on the background is the mean of what was seen
_NOISE_UP_S, _NOISE_DOWN_S = 3.0, 60.0
_NOISE_MOST = 40.0
_NOISE_FIRST = 3.0
_LEAST_DIFFERENCE = 10.0
_NOISE_TIMES = 4.0
_FLICKER_S = 20.0
_FLICKERS = 0.2 * 255  # of the looks in which a pixel changes sides: people on a busy path reach 0.1
_FLICKERING_TIMES = 3.0
_RESTLESS_TIMES = 2.0
_SLOWLY_S = 0.7
_NO_TIME_S = 1e-6  # two frames may claim the same time
_LONGEST_STEP_S = 5.0


class Background:
    """Begins with one frame, which may hold anything."""

    def __init__(self, grey: Grey) -> None:
        self._mean = grey.copy()
        self._noise = np.full_like(grey, _NOISE_FIRST)
        self._limit = np.full_like(grey, _LEAST_DIFFERENCE)
        self._flicker = np.zeros_like(grey)
        self._stays = np.zeros_like(grey)
        self._difference = np.zeros_like(grey)
        self._was_changed = np.zeros(grey.shape, np.uint8)
        self._before = grey
        self._age_s = self._unlearnt_s = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width."""
        return self._mean.shape

    @property
    def mean(self) -> Grey:
        """The background as it is now."""
        return self._mean

    def light(self, grey: Grey) -> Light:
        """By which change of light `grey` is explained best. Adapts the background to it."""
        light = fitted(self._mean, grey)
        if light.is_change:
            self._mean = self._mean * np.float32(light.gain) + np.float32(light.offset)
        return light

    def changed(self, grey: Grey) -> Plane:
        """255 where `grey` differs from the background by more than noise, else 0."""
        cv2.absdiff(grey, self._mean, self._difference)
        return np.asarray(cv2.compare(self._difference, self._limit, cv2.CMP_GT), np.uint8)

    def learn(self, grey: Grey, changed: Plane, moving: Plane, step_s: float) -> None:
        """Takes the frame in that was last compared: `changed` as was said, `moving` what of it is motion.

        Both are 0 or 255. `step_s` is the time since the last frame. What is slow is learnt now and then:
        it takes most of the time.
        """
        step_s = min(step_s, _LONGEST_STEP_S)
        cv2.accumulateWeighted(grey, self._mean, self._share(step_s), ~moving)
        flips = cv2.bitwise_xor(changed, self._was_changed)
        cv2.accumulateWeighted(flips, self._flicker, _part(step_s, _FLICKER_S))
        self._was_changed = changed
        self._age_s += step_s
        self._unlearnt_s += step_s
        if self._unlearnt_s >= (_SLOWLY_S if self._age_s > _BEGINNING_S else 0.0):
            self._learn_noise(~moving, self._unlearnt_s)
            self._learn_what_stays(grey, moving, self._unlearnt_s)
            self._unlearnt_s = 0.0

    def _share(self, step_s: float) -> float:
        beginning = step_s / (self._age_s + step_s + _NO_TIME_S) if self._age_s < _BEGINNING_S else 0.0
        return max(beginning, _part(step_s, _LEARNING_S))

    def _learn_noise(self, still: Plane, step_s: float) -> None:
        """Upwards quickly, downwards slowly: what comes once in a GOP is noise, too."""
        more = np.minimum(self._difference, _NOISE_MOST)
        more -= self._noise
        quickly = np.maximum(more, 0)
        up, down = _part(step_s, _NOISE_UP_S), _part(step_s, _NOISE_DOWN_S)
        more *= np.float32(down)
        quickly *= np.float32(up - down)
        more += quickly
        cv2.add(self._noise, more, self._noise, still)
        np.multiply(self._noise, _NOISE_TIMES, out=self._limit)
        np.maximum(self._limit, _LEAST_DIFFERENCE, out=self._limit)
        flickers = self._flicker > _FLICKERS
        if flickers.any():
            self._limit[flickers] *= _FLICKERING_TIMES

    def _learn_what_stays(self, grey: Grey, moving: Plane, step_s: float) -> None:
        """Counts how long each moving pixel has looked the same, and takes what stays into the background."""
        before, self._before = self._before, grey
        if not cv2.countNonZero(moving):
            self._stays.fill(0)
            return
        same = cv2.absdiff(grey, before) < _LEAST_DIFFERENCE
        self._stays += np.where(same, np.float32(step_s), np.float32(-_RESTLESS_TIMES * step_s))
        self._stays[moving == 0] = 0
        np.maximum(self._stays, 0, out=self._stays)
        stayed = self._stays > STAYS_S
        if stayed.any():
            self._mean[stayed] = grey[stayed]
            self._stays[stayed] = 0


def _part(step_s: float, time_s: float) -> float:
    """Of a mean over `time_s`: the share of what is `step_s` new."""
    return -math.expm1(-step_s / time_s)
