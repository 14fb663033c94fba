"""Live streams for MSE: one answer without an end, with frames of several streams (`web.live.multiplex`).

Rules:
- A stream that a client takes too slowly loses whole GOPs before it is multiplexed; the others of the same
  client lose nothing for it, and other clients never notice.
- An answer ends when it is closed, when its owner's login has ended, or when live view stops. Nothing that
  comes after that is handed out.
- While nothing comes there is a frame every `IDLE_S`, so that a client who has gone is noticed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from pipeline.model import Packet, StreamName
from pipeline.wire import Hello
from web.live.errors import BadStreams, TooManySessions
from web.live.feed import LAG_NS, LIMIT_BYTES
from web.live.fragments import Fragments, Init, Moof
from web.live.heard import Heard
from web.live.multiplex import IDLE, NO_STREAM, Frame, fragment_frame, init_frame, note_frame
from web.live.relays import Relays, Watch

IDLE_S = 10.0
MOST_STREAMS = 64
MOST_ANSWERS = 24  # each holds a thread of the web server, which has 64
_TAKEN_AT_ONCE = 32


class _Lane:
    """One of the streams of an answer."""

    def __init__(self, number: int, name: StreamName, watch: Watch) -> None:
        self.number = number
        self.watch = watch
        self._fragments = Fragments(name)

    def take(self) -> list[Frame]:
        """What waits, as frames; a part of it if it is much, so that the other streams get their turn."""
        frames: list[Frame] = []
        packets: list[Packet] = []
        for heard in self._heard():
            if isinstance(heard, Packet):
                packets.append(heard)
                continue
            frames += self._framed(packets)
            packets = []
            if isinstance(heard, Hello):
                self._fragments.hello(heard)
            else:
                frames.append(note_frame(self.number, heard))
        return frames + self._framed(packets)

    def _heard(self) -> list[Heard]:
        found: list[Heard] = []
        while len(found) < _TAKEN_AT_ONCE and (heard := self.watch.take()) is not None:
            found.append(heard)
        return found

    def _framed(self, packets: Sequence[Packet]) -> list[Frame]:
        return [self._frame(part) for part in self._fragments.add(packets)]

    def _frame(self, part: Init | Moof) -> Frame:
        if isinstance(part, Moof):
            return fragment_frame(self.number, part.data)
        return init_frame(self.number, part.mime_type, part.begin_ns, part.note, part.data)


class MseAnswer:
    """The body of one answer: an iterator of bytes, each some whole frames. Blocks until there are any.

    For one thread; `close` may come from any, and must come: it is what leaves the streams.
    """

    def __init__(self, owner: str, closed: Callable[[MseAnswer], object]) -> None:
        self.owner = owner
        self._closed = closed
        self._lanes: list[_Lane] = []
        self._wake = threading.Event()
        self._over = False

    def __iter__(self) -> MseAnswer:
        return self

    def __next__(self) -> bytes:
        """The next frames. Raises StopIteration when the answer has ended."""
        frames = self._frames()
        until_s = time.monotonic() + IDLE_S
        while not frames and not self._over and (left_s := until_s - time.monotonic()) > 0:
            self._wake.wait(left_s)
            self._wake.clear()
            frames = self._frames()
        if self._over:
            raise StopIteration
        return b"".join(bytes(frame) for frame in frames or [IDLE])

    def close(self) -> None:
        """Ends it; a second time does nothing."""
        self._over = True
        self._wake.set()
        for lane in self._lanes:
            lane.watch.close()
        self._closed(self)

    def join(self, relays: Relays, names: Sequence[StreamName], limit_bytes: int, lag_ns: int) -> None:
        """Begins to watch. Raises BadStreams."""
        for number, name in enumerate(names):
            watch = relays.watch(name, self._wake.set, limit_bytes=limit_bytes, lag_ns=lag_ns)
            self._lanes.append(_Lane(number, name, watch))

    def _frames(self) -> list[Frame]:
        return [frame for lane in self._lanes for frame in lane.take()]


class MseAnswers:
    """All answers that have not ended. For any thread."""

    def __init__(self, relays: Relays, most: int = MOST_ANSWERS) -> None:
        self._relays = relays
        self._most = most
        self._lock = threading.Lock()
        self._open: set[MseAnswer] = set()

    def open(
        self,
        owner: str,
        names: Sequence[StreamName],
        limit_bytes: int = LIMIT_BYTES,
        lag_ns: int = LAG_NS,
    ) -> MseAnswer:
        """Begins an answer for the login session `owner`, who may see these streams: the caller has checked.

        Each stream may have `limit_bytes` waiting, and falls `lag_ns` behind, before it loses a GOP. Whoever
        gets it must close it. Raises BadStreams, TooManySessions.
        """
        if not 0 < len(names) <= min(MOST_STREAMS, NO_STREAM):
            raise BadStreams(f"One answer carries 1 to {MOST_STREAMS} streams.")
        answer = MseAnswer(owner, self._forget)
        with self._lock:
            if len(self._open) >= self._most:
                raise TooManySessions("All places for live view are taken; close one and try again.")
            self._open.add(answer)
        try:
            answer.join(self._relays, names, limit_bytes, lag_ns)
        except BadStreams:
            answer.close()
            raise
        return answer

    def owners(self) -> set[str]:
        """Who watches."""
        with self._lock:
            return {answer.owner for answer in self._open}

    def end_owner(self, owner: str | None) -> int:
        """Ends all of this owner, or with None all; returns how many. What is being sent still is."""
        with self._lock:
            ending = [answer for answer in self._open if owner is None or answer.owner == owner]
        for answer in ending:
            answer.close()
        return len(ending)

    def _forget(self, answer: MseAnswer) -> None:
        with self._lock:
            self._open.discard(answer)
