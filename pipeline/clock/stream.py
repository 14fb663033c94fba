"""From a stream's timestamps to UTC: follows the camera's own clock, corrected slowly. Pure.

Rules:
- The first packet's arrival anchors the stream: its wall-clock time is its UTC.
- From there UTC runs with the timestamps, so frames keep the camera's own spacing however the network delays
  them. Every ten seconds the least delayed packet is compared with the wall clock, and the pace is bent
  towards it by at most 500 ppm: a camera that is 200 ppm off stays within milliseconds.
- UTC never runs backwards for that, so no segment starts before the end of the last. The segmenter makes a
  segment's duration reach exactly to the start of the next: what was corrected (at most 5 ms in 10 s) shows
  nowhere as a gap or an overlap.
- What cannot be a drift is a step, and said so: timestamps that leave both their own pace and the packets'
  arrival by over a second (time goes on by arrival), a wall clock that was set by over a second (time follows
  it), a packet that arrives half a second before its time, or ten seconds of packets that all arrive half a
  second after theirs (time starts anew from the wall clock).
"""

from __future__ import annotations

from dataclasses import dataclass

NS = 1_000_000_000
WINDOW_NS = 10 * NS
FASTEST_PPM = 500  # crystals of cheap cameras are off by up to 100 or 200
APART_NS = NS // 2
JUMP_NS = NS


@dataclass(frozen=True, slots=True)
class ClockReading:
    """When a packet is shown (UTC), and whether that does not continue what was said before."""

    utc_ns: int
    step: bool


class StreamClock:
    """The clock of one connection to one stream; `timescale` is that of the video track."""

    def __init__(self, timescale: int = 90_000) -> None:
        self._timescale = timescale
        self._anchor_pts = 0
        self._anchor_utc_ns = 0
        self._ppm = 0
        self._last_pts: int | None = None
        self._last_arrived_ns = 0
        self._wall_offset_ns = 0
        self._window_ends_ns = 0
        self._least_late_ns: int | None = None

    def at(self, pts: int, arrived_ns: int, wall_ns: int) -> ClockReading:
        """The time of a video packet.

        `arrived_ns` is the monotonic clock at its arrival, `wall_ns` the wall clock at the same instant.
        To be asked for every video packet, in the order of arrival.
        """
        if self._last_pts is None or self._stepped(pts, arrived_ns, wall_ns):
            return self._anchored(pts, arrived_ns, wall_ns)
        utc_ns = self._utc_ns(pts)
        late_ns = wall_ns - utc_ns
        self._last_pts, self._last_arrived_ns = pts, arrived_ns
        self._wall_offset_ns = wall_ns - arrived_ns
        if self._least_late_ns is None or late_ns < self._least_late_ns:
            self._least_late_ns = late_ns
        if late_ns < -APART_NS:
            return self._anchored(pts, arrived_ns, wall_ns)
        if arrived_ns >= self._window_ends_ns:
            return self._compared(pts, arrived_ns, wall_ns, utc_ns)
        return ClockReading(utc_ns, False)

    def _utc_ns(self, pts: int) -> int:
        passed = (pts - self._anchor_pts) * NS // self._timescale
        return self._anchor_utc_ns + passed + passed * self._ppm // 1_000_000

    def _stepped(self, pts: int, arrived_ns: int, wall_ns: int) -> bool:
        """Whether timestamps or the wall clock were set since the last packet."""
        assert self._last_pts is not None  # noqa: S101 - asked only after the first packet
        if abs(wall_ns - arrived_ns - self._wall_offset_ns) > JUMP_NS:
            return True
        passed_ns = (pts - self._last_pts) * NS // self._timescale
        return abs(passed_ns) > JUMP_NS and abs(passed_ns - arrived_ns + self._last_arrived_ns) > JUMP_NS

    def _anchored(self, pts: int, arrived_ns: int, wall_ns: int) -> ClockReading:
        """Starts anew from the wall clock. It is a step, but for the first packet."""
        first = self._last_pts is None
        self._anchor_pts, self._anchor_utc_ns, self._ppm = pts, wall_ns, 0
        self._last_pts, self._last_arrived_ns = pts, arrived_ns
        self._wall_offset_ns = wall_ns - arrived_ns
        self._window_ends_ns, self._least_late_ns = arrived_ns + WINDOW_NS, None
        return ClockReading(wall_ns, not first)

    def _compared(self, pts: int, arrived_ns: int, wall_ns: int, utc_ns: int) -> ClockReading:
        """At the end of a window: bends the pace, or steps."""
        least_late_ns = self._least_late_ns or 0
        if least_late_ns > APART_NS:
            return self._anchored(pts, arrived_ns, wall_ns)
        self._anchor_pts, self._anchor_utc_ns = pts, utc_ns
        wanted_ppm = least_late_ns * 1_000_000 // WINDOW_NS
        self._ppm = max(-FASTEST_PPM, min(FASTEST_PPM, wanted_ppm))
        self._window_ends_ns, self._least_late_ns = arrived_ns + WINDOW_NS, None
        return ClockReading(utc_ns, False)
