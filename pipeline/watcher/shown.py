"""When the packets of a tap are shown, UTC: as the recorder says, and as it goes on from there. Pure.

Rules:
- A file has its anchor alone.
- Of a live stream the anchor is as old as the connection, and clocks drift apart by seconds a day: so the
  recorder's own clock (`pipeline.clock`) runs here, too, from the same arrivals. Events then lie on the
  footage they belong to, however long a camera stays connected.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.clock import StreamClock
from pipeline.frames import shown_ns
from pipeline.model import Packet
from pipeline.wire import Anchor


class ShownTime:
    """Of one connection. `wall_ns` gives UTC for a monotonic time; None for a file."""

    def __init__(self, anchor: Anchor, wall_ns: Callable[[int], int] | None) -> None:
        self._anchor = anchor
        self._wall_ns = wall_ns
        self._clock: StreamClock | None = None

    def at(self, packet: Packet) -> int:
        """When a video packet is shown; to be asked for each, in the order of arrival."""
        if self._wall_ns is None:
            return shown_ns(packet.pts, self._anchor)
        if self._clock is None:
            self._clock = StreamClock()
            if packet.pts == self._anchor.pts:  # the recorder has just said so
                return self._clock.at(packet.pts, packet.arrived_ns, self._anchor.utc_ns).utc_ns
        return self._clock.at(packet.pts, packet.arrived_ns, self._wall_ns(packet.arrived_ns)).utc_ns
