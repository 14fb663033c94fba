"""One thing and one zone: since when it has been in it, and whether it stayed as long as the zone asks.

Rules: the base of the thing decides. Being away, or not being found, for up to two seconds does not interrupt
a stay.
"""

from __future__ import annotations

from pipeline.event.geometry import contains
from pipeline.event.rules import Zone
from pipeline.scene import Box

BRIDGED_NS = 2_000_000_000


class ZoneStay:
    """Follows the base of one thing in relation to one zone."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.since_ns: int | None = None  # of the stay that is on, or was last
        self.was_in = False
        self.loitered = False
        self._last_in_ns = 0

    def look(self, box: Box, at_ns: int) -> bool:
        """The next place of the thing; whether something is new: it came in, or has stayed long enough."""
        if not contains(self.zone.polygon.corners, box.base):
            return False
        if self.since_ns is None or at_ns - self._last_in_ns > BRIDGED_NS:
            self.since_ns = at_ns
        self._last_in_ns = at_ns
        before = (self.was_in, self.loitered)
        self.was_in = True
        if self.zone.loiter_s > 0 and at_ns - self.since_ns >= self.zone.loiter_s * 1e9:
            self.loitered = True
        return before != (self.was_in, self.loitered)

    @property
    def counts(self) -> bool:
        """Whether the thing counts by this zone."""
        return self.loitered if self.zone.loiter_s > 0 else self.was_in
