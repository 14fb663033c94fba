"""A picture of the main stream, on demand: for a thumbnail, and for what is too small in the sub stream.

Rules:
- A tap hands out the GOP so far to whoever connects: it is decoded from its keyframe to the time that is
  asked for, then the connection ends. Nothing of the main stream is read or decoded in between.
- It may block for `timeout_s` and take as long as decoding a GOP does (4 ms a frame of 1080p), but never
  longer than `LONGEST_S`, also when a clock was set and the time that is asked for does not come: not for the
  thread that reads a tap, and not more often than every few seconds.
- No picture is an answer: the recorder may be away, or the GOP too long to be kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import takewhile
from pathlib import Path

from pipeline.frames import FrameDecoder
from pipeline.model import Kind, Packet
from pipeline.picture import Frame
from pipeline.tap import TapClient
from pipeline.watcher.shown import ShownTime
from pipeline.wire import Anchor, Hello, Message, WireError

_NEAR_NS = 50_000_000  # a person walks a hand's breadth in it
_TIMEOUT_S = 0.5
LONGEST_S = 5.0  # a GOP of ten seconds of 1080p30 takes 1.2 s


def main_picture(
    tap: Path, at_ns: int, wall_ns: Callable[[int], int] | None = None, timeout_s: float = _TIMEOUT_S
) -> Frame | None:
    """The frame that is shown nearest to `at_ns` (UTC), from the tap's current GOP on, or None.

    `wall_ns` gives UTC for a monotonic time, as an eye has it. Waits for packets that are not there yet, but
    no longer than `timeout_s` for each, and `LONGEST_S` for all.
    """
    end_s = time.monotonic() + LONGEST_S
    try:
        client = TapClient(tap, timeout_s)
    except OSError:
        return None
    try:
        return nearest(takewhile(lambda _: time.monotonic() < end_s, client), at_ns, wall_ns)
    finally:
        client.close()


def nearest(
    messages: Iterable[Message], at_ns: int, wall_ns: Callable[[int], int] | None = None
) -> Frame | None:
    """The frame nearest to `at_ns` among `messages`, which may end by OSError or WireError."""
    search = _Search(at_ns, wall_ns)
    try:
        for message in messages:
            if search.take(message):
                break
    except (OSError, WireError):
        pass  # what has come must do
    return search.best()


class _Search:
    """Decodes up to a time."""

    def __init__(self, at_ns: int, wall_ns: Callable[[int], int] | None) -> None:
        self._at_ns = at_ns
        self._wall_ns = wall_ns
        self._decoder: FrameDecoder | None = None
        self._time: ShownTime | None = None
        self._frame: Frame | None = None
        self._began = False

    def take(self, message: Message) -> bool:
        """Whether nothing better can come."""
        if isinstance(message, Hello):
            if self._began or message.anchor is None:
                return self._began
            self._decoder = FrameDecoder(message.info.video, message.anchor)
            self._time = ShownTime(message.anchor, self._wall_ns)
            return False
        if not isinstance(message, Packet):
            return self._began  # packets are missing from here on
        return message.kind is Kind.VIDEO and self._packet(message)

    def best(self) -> Frame | None:
        """The nearest frame of all."""
        if self._decoder is not None and self._began:
            self._keep(self._decoder.drain())
        return self._frame

    def _packet(self, packet: Packet) -> bool:
        if self._decoder is None or self._time is None:
            return False
        at_ns = self._time.at(packet)
        if packet.is_keyframe:
            self._decoder.anchor = Anchor(packet.pts, at_ns)
            self._began = True
        if not self._began:
            return False
        self._keep(self._decoder.decode(packet))
        return self._frame is not None and self._frame.at_ns >= self._at_ns - _NEAR_NS

    def _keep(self, frames: list[Frame]) -> None:
        for frame in frames:
            best = self._frame
            if best is None or abs(frame.at_ns - self._at_ns) < abs(best.at_ns - self._at_ns):
                self._frame = frame
