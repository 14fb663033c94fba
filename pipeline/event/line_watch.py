"""One thing and one line: tells each crossing once, whatever its box does near the line.

Rules:
- A thing is on a side only when it is clearly there: within a small band around the line it stays where it
  was. So standing on the line and trembling around it are no crossings.
- What counts is the way between the two clear sides: it must lead over the line itself, between its ends, and
  in sum once (over, back and around the end is no crossing).
"""

from __future__ import annotations

from pipeline.event.geometry import passes, side
from pipeline.event.nouns import Crossing
from pipeline.event.rules import Direction, Line
from pipeline.scene import Box, Point

_BAND_OF_HEIGHT = 0.05  # the lower edge of a walking person's box trembles by about a twentieth of its height
_NARROWEST_BAND, _WIDEST_BAND = (
    0.004,
    0.03,
)  # of the picture: 4 pixels of 1080p; a person as high as half of it


class LineWatch:
    """Follows the base of one thing in relation to one line."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._side = 0
        self._last: Point | None = None
        self._passed = 0

    def look(self, box: Box, at_ns: int) -> Crossing | None:
        """The next place of the thing; the crossing that is complete with it, if its direction is wanted."""
        line, here = self.line, box.base
        if self._last is not None:
            self._passed += passes(line.start, line.end, self._last, here)
        self._last = here
        now = _clear_side(side(line.start, line.end, here), box)
        if now == 0:
            return None
        before, passed = self._side, self._passed
        self._side, self._passed = now, 0
        if before == -now and passed == now:
            return self._wanted(Direction.LEFT_TO_RIGHT if now > 0 else Direction.RIGHT_TO_LEFT, at_ns)
        return None

    def _wanted(self, direction: Direction, at_ns: int) -> Crossing | None:
        if self.line.direction in (Direction.BOTH, direction):
            return Crossing(self.line.name, direction.value, at_ns)
        return None


def _clear_side(distance: float, box: Box) -> int:
    band = min(max(_BAND_OF_HEIGHT * box.height, _NARROWEST_BAND), _WIDEST_BAND)
    if abs(distance) <= band:
        return 0
    return 1 if distance > 0 else -1
