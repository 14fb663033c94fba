"""A Kalman filter of a box that moves with constant velocity: four coordinates, each on its own.

The model is the usual one of tracking by detection (Bewley et al., "Simple Online and Realtime Tracking"):
middle and size, accelerations as noise. Noise is in proportion to the thing's size, as the detector's errors
are.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.scene import Box

MEASURED = 0.06  # of the size: how far boxes of a standing thing are off (standard deviation)
ACCELERATION = 1.5  # sizes a second squared: a walker of 0.3 of the height stops within a second
VELOCITY = 1.0  # sizes a second: what a thing may do when it is first seen


@dataclass(slots=True)
class Coordinate:
    """Position and velocity of one coordinate with their (co)variances. `size` scales all noise."""

    position: float
    size: float
    velocity: float = 0.0
    p: float = 0.0
    pv: float = 0.0
    v: float = 0.0

    def __post_init__(self) -> None:
        self.p = (MEASURED * self.size) ** 2
        self.v = (VELOCITY * self.size) ** 2

    def predict(self, seconds: float) -> None:
        """Goes on for that long."""
        noise = (ACCELERATION * self.size) ** 2
        self.position += self.velocity * seconds
        self.p += 2 * seconds * self.pv + seconds**2 * self.v + noise * seconds**4 / 4
        self.pv += seconds * self.v + noise * seconds**3 / 2
        self.v += noise * seconds**2

    def correct(self, measured: float) -> None:
        """Takes a measurement of the position."""
        certainty = self.p + (MEASURED * self.size) ** 2
        gain, velocity_gain = self.p / certainty, self.pv / certainty
        off = measured - self.position
        self.position += gain * off
        self.velocity += velocity_gain * off
        self.v -= velocity_gain * self.pv
        self.pv -= gain * self.pv
        self.p -= gain * self.p


class MovingBox:
    """Where a thing is and goes."""

    def __init__(self, box: Box) -> None:
        size = (box.width + box.height) / 2
        values = (box.centre.x, box.centre.y, box.width, box.height)
        self._coordinates = [Coordinate(value, max(size, 1e-3)) for value in values]

    @property
    def box(self) -> Box:
        """As filtered so far."""
        x, y, width, height = (one.position for one in self._coordinates)
        half_width, half_height = max(width, 1e-4) / 2, max(height, 1e-4) / 2
        return Box(x - half_width, y - half_height, x + half_width, y + half_height)

    def predict(self, seconds: float) -> None:
        """Goes on for that long."""
        for one in self._coordinates:
            one.predict(seconds)

    def correct(self, box: Box) -> None:
        """Takes what a look found."""
        values = (box.centre.x, box.centre.y, box.width, box.height)
        for one, value in zip(self._coordinates, values, strict=True):
            one.correct(value)

    def stop(self) -> None:
        """Nothing is known of where it goes: a thing that was not found does not run on."""
        for one in self._coordinates:
            one.velocity *= 0.5
        for one in self._coordinates[2:]:
            one.velocity = 0.0
