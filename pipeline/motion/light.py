"""Which change of light turns one picture into another: a gain and an offset for all of it.

Rules:
- Exposure, dusk, a lamp or infrared change every pixel alike; what moves changes a minority. So the fit is on
  the majority: straight lines through a coarse grid, twice, without what lies far off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_GRID = 40  # points across: some 900 of a picture, and less than 0.1 ms
_FAR = 3.0  # median deviations
_LEAST_FAR = 4.0
_GAINS = (0.3, 3.0)
_UNCHANGED = 0.5
_MOST = 0.8


@dataclass(frozen=True, slots=True)
class Light:
    """New brightness = `gain` x old + `offset`; `shift` is what that changes on average."""

    gain: float
    offset: float
    shift: float

    @property
    def is_change(self) -> bool:
        """Whether it is more than what learning follows by itself."""
        return self.shift > 1.0


_NO_CHANGE = Light(1.0, 0.0, 0.0)


def fitted(before: NDArray[np.float32], after: NDArray[np.float32]) -> Light:
    """The change of light from one picture to another of the same size."""
    step = max(1, before.shape[1] // _GRID)
    old, new = before[::step, ::step].ravel(), after[::step, ::step].ravel()
    difference = new - old
    middle = _median(difference)
    if abs(middle) < _UNCHANGED and _share_within(difference, _LEAST_FAR) > _MOST:
        return _NO_CHANGE  # nearly always
    near = _near(difference - np.float32(middle))
    gain, offset = 1.0, middle
    for _ in range(2):
        gain, offset = _line(old[near], new[near])
        near = _near(new - old * np.float32(gain) - np.float32(offset))
    shift = float(np.mean(np.abs(old * (gain - 1) + offset)))
    return Light(gain, offset, shift)


def _near(away: NDArray[np.float32]) -> NDArray[np.bool_]:
    """What lies within a few median deviations."""
    distance = np.abs(away)
    return np.asarray(distance <= max(_FAR * _median(distance), _LEAST_FAR), np.bool_)


def _median(values: NDArray[np.float32]) -> float:
    """Like numpy's, which takes ten times as long for so few."""
    middle = values.size // 2
    return float(np.partition(values, middle)[middle])


def _share_within(difference: NDArray[np.float32], limit: float) -> float:
    return np.count_nonzero(np.abs(difference) <= limit) / difference.size


def _line(old: NDArray[np.float32], new: NDArray[np.float32]) -> tuple[float, float]:
    """Least squares; of a picture without contrast only the offset."""
    if old.size == 0:
        return 1.0, 0.0
    old_mean, new_mean = float(old.mean()), float(new.mean())
    centred = old - old_mean
    spread = float(centred @ centred)
    if spread < old.size * 25:
        return 1.0, new_mean - old_mean
    gain = float(centred @ (new - new_mean)) / spread
    gain = min(max(gain, _GAINS[0]), _GAINS[1])
    return gain, new_mean - gain * old_mean
