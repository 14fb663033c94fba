"""Whether a thing has moved: pure comparisons of boxes.

Rules:
- A thing has changed its place when two opposite edges went the same way. An edge alone moves when somebody
  walks past a parked car and covers a part of it.
- It has come nearer or gone away when it grew or shrank in both directions.
- What moved was the thing itself when the moving area is of its place and size.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.scene import Box

GROWN = 1.35  # times width and height


def shift(before: Box, now: Box) -> float:
    """How far the box has gone, of its size in that direction; 0 where opposite edges disagree."""
    across = _both(now.left - before.left, now.right - before.right)
    down = _both(now.top - before.top, now.bottom - before.bottom)
    return max(across / max(before.width, 1e-4), down / max(before.height, 1e-4))


def has_grown(before: Box, now: Box) -> bool:
    """Whether both sides are larger, or both smaller, by much."""
    ratios = (now.width / max(before.width, 1e-4), now.height / max(before.height, 1e-4))
    return min(ratios) > GROWN or max(ratios) < 1 / GROWN


def covered(box: Box, moved: Iterable[Box]) -> float:
    """The largest part of the box that one moving area covers."""
    return max((box.overlap(one) / box.area for one in moved if box.area > 0), default=0.0)


def likeness(box: Box, moved: Iterable[Box]) -> float:
    """How well the best moving area fits the box (intersection over union)."""
    return max((box.iou(one) for one in moved), default=0.0)


def _both(one: float, other: float) -> float:
    return min(abs(one), abs(other)) if one * other > 0 else 0.0
