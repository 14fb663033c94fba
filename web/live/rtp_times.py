"""Timestamps for RTP: they only grow, whatever the camera's do. Pure.

Rules:
- What came before the viewer did (the GOP so far) is shown at once: 1 ms from packet to packet. At its own
  pace it would be shown for as long as it took, and everything after it as late.
- Over a break (`rebase`) as much time passes as did between the packets' arrivals.
"""

from __future__ import annotations

from pipeline.model import Packet

_NS = 1_000_000_000


class RtpTimes:
    """The timestamps of one track, in `rate` a second, for a viewer who came at `joined_ns` (monotonic)."""

    def __init__(self, rate: int, joined_ns: int) -> None:
        self._rate = rate
        self._joined_ns = joined_ns
        self._offset: int | None = None
        self._last = 0
        self._arrived_ns: int | None = None

    def is_past(self, packet: Packet) -> bool:
        """Whether it came before the viewer did."""
        return packet.arrived_ns < self._joined_ns

    def rebase(self) -> None:
        """The next packet's `pts` has nothing to do with those before."""
        self._offset = None

    def of(self, packet: Packet) -> int:
        """The timestamp of the next packet; `pts` counts in `rate`."""
        least = self._last + self._rate // 1000
        if self.is_past(packet):
            time = least
        elif self._offset is None:
            time = max(least, self._last + self._passed(packet))
        else:
            time = max(least, packet.pts + self._offset)
        if self._offset is None or self.is_past(packet):
            self._offset = time - packet.pts
        self._last, self._arrived_ns = time, packet.arrived_ns
        return time

    def _passed(self, packet: Packet) -> int:
        if self._arrived_ns is None:
            return 0
        return (packet.arrived_ns - self._arrived_ns) * self._rate // _NS
