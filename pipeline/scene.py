"""The nouns of looking: places in a picture and what was found there. Frozen values without I/O.

Rules:
- Places are fractions of the picture, x to the right and y down, 0 to 1: they hold for every stream and size.
- A thing stands where the middle of its lower edge is (`Box.base`): zones, masks and lines look there.
- Neither numpy nor OpenCV is needed here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the picture."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle of the picture; `left <= right`, `top <= bottom`."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Of the picture's width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Of the picture's height."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Of the picture's area."""
        return self.width * self.height

    @property
    def centre(self) -> Point:
        """Its middle."""
        return Point((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    @property
    def base(self) -> Point:
        """Where a thing in it stands: the middle of the lower edge."""
        return Point((self.left + self.right) / 2, self.bottom)

    def overlap(self, other: Box) -> float:
        """The area that both share, of the picture's."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Intersection over union: 1 for the same box, 0 for none in common."""
        shared = self.overlap(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def clipped(self) -> Box:
        """What of it lies in the picture."""
        left, top = min(max(self.left, 0.0), 1.0), min(max(self.top, 0.0), 1.0)
        return Box(left, top, max(left, min(self.right, 1.0)), max(top, min(self.bottom, 1.0)))


WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing in one frame: the model's label in lower case, its score 0 to 1, and where."""

    label: str
    score: float
    box: Box


@dataclass(frozen=True, slots=True)
class Sound:
    """How loud it was, in dB below full scale: the loudest, and what is usual there."""

    peak_db: float
    background_db: float


@dataclass(frozen=True, slots=True)
class Polygon:
    """An area of the picture with at least three corners that does not cross itself."""

    corners: tuple[Point, ...]
