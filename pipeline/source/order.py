"""Times of a video track: makes the DTS that RTSP does not carry, and durations, from PTS alone. Pure.

With reorder depth D the frame decoded n-th has the (n-D)-th smallest PTS as its DTS: a heap of D+1 gives it
at once, so nothing is held back. DTS grows strictly, except across a jump of the camera's clock, which goes
through as it is.
"""

from __future__ import annotations

from heapq import heappush, heappushpop

from pipeline.model import VIDEO_TIMESCALE

_FORWARD_JUMP_90K = 10 * VIDEO_TIMESCALE  # more than any pause between frames we know of
_MAX_REORDER = 16
_STRIKES = 3  # one frame that goes back may be a glitch of the camera's clock


class FrameTimes:
    """`reorder` grows when the stream turns out to reorder more than it said."""

    def __init__(self, reorder: int, nominal: int) -> None:
        self.reorder = reorder
        self.duration = nominal
        self._waiting: list[int] = []
        self._last_pts: int | None = None
        self._last_dts = 0
        self._peak = 0
        self._is_late = False
        self._strikes = 0

    def missing(self) -> int:
        """The likely PTS of a frame that came without one."""
        return 0 if self._last_pts is None else self._last_pts + self.duration

    def decode_time(self, pts: int) -> int:
        """The DTS of the next frame in decode order; `duration` is then the likely time until the next."""
        last_pts, self._last_pts = self._last_pts, pts
        if last_pts is None or self._is_jump(pts - last_pts):
            return self._restart(pts)
        if pts > self._peak:
            self._peak = pts
            if self._is_late:
                self._strike()
        dts, last_dts = heappushpop(self._waiting, pts), self._last_dts
        if dts > last_dts:
            if dts - last_dts < _FORWARD_JUMP_90K:
                self.duration = dts - last_dts
        else:
            self._is_late = dts < last_dts
            dts = last_dts + 1
        self._last_dts = dts
        return dts

    def _is_jump(self, step: int) -> bool:
        # Backwards further than a second and than the frames of the window reach: no reordering does that.
        reach = max(VIDEO_TIMESCALE, 2 * (self.reorder + 1) * self.duration)
        return not -reach < step < _FORWARD_JUMP_90K

    def _restart(self, pts: int) -> int:
        """Fills the heap as if frames of the last duration had come before."""
        self._waiting = [pts - n * self.duration for n in range(self.reorder, 0, -1)]
        self._is_late, self._peak = False, pts
        self._last_dts = heappushpop(self._waiting, pts)
        return self._last_dts

    def _strike(self) -> None:
        """Frames came that are shown before others already decoded, then one past them all."""
        self._is_late = False
        self._strikes += 1
        if self._strikes >= _STRIKES and self.reorder < _MAX_REORDER:
            self.reorder += 1
            self._strikes = 0
            heappush(self._waiting, self._last_dts)
