"""What waits for one viewer: bounded in bytes and in time. No lock of its own, no I/O.

Rules:
- A loss is whole GOPs: after one, nothing is queued until a packet from which decoding can begin. Of a GOP
  that the viewer had begun to take, the rest may be lost.
- A keyframe that finds something `LAG_NS` older still waiting replaces all of it: live is what is new.
- Every loss is counted, and told where it happened, before the packet with which it goes on.
- Of a Hello and of Away and Back the newest survives any loss.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pipeline.model import Kind, Packet
from pipeline.wire import Dropped, Hello
from web.live.heard import Away, Back, Heard, Note, starts_gop

LIMIT_BYTES = 8 * 1024 * 1024  # a GOP as the tap keeps it
LAG_NS = 3_000_000_000
_MOST_NOTES = 100
BOTH = frozenset(Kind)


@dataclass(slots=True)
class Feed:
    """The queue of one viewer who wants these kinds of tracks. Times are the packets' `arrived_ns`."""

    wants: frozenset[Kind] = BOTH
    limit_bytes: int = LIMIT_BYTES
    lag_ns: int = LAG_NS
    lost_packets: int = 0
    lost_gops: int = 0
    _queue: deque[Heard] = field(default_factory=deque)
    _bytes: int = 0
    _notes: int = 0
    _skipping: bool = False
    _untold: list[int] = field(default_factory=lambda: [0, 0])

    def __len__(self) -> int:
        return len(self._queue)

    def take(self) -> Heard | None:
        """Removes and returns what is next; None when nothing waits."""
        if not self._queue:
            return None
        heard = self._queue.popleft()
        if isinstance(heard, Packet):
            self._bytes -= len(heard.data)
        else:
            self._notes -= 1
        return heard

    def tell(self, note: Note) -> None:
        """Queues what is no packet."""
        if self._notes >= _MOST_NOTES:
            self._cut(0)
        self._notes += 1
        self._queue.append(note)

    def offer(self, packet: Packet) -> None:
        """Queues `packet`, or counts what is lost."""
        if packet.kind not in self.wants:
            return
        resumes = self._resumes(packet)
        if resumes and self._is_late(packet):
            self._cut(0)
        full = self._bytes + len(packet.data) > self.limit_bytes
        if full and resumes and self._queue:
            self._cut(0)
            full = len(packet.data) > self.limit_bytes
        if full or (self._skipping and not resumes):
            self._lose(packet)
        else:
            self._put(packet)

    def begin(self, notes: list[Note], packets: list[Packet]) -> None:
        """Forgets what waits, which is no loss, and begins with these."""
        self._queue.clear()
        self._bytes = self._notes = 0
        self._skipping, self._untold = False, [0, 0]
        for note in notes:
            self.tell(note)
        for packet in packets:
            if packet.kind in self.wants:
                self._put(packet)

    def _resumes(self, packet: Packet) -> bool:
        return starts_gop(packet) or Kind.VIDEO not in self.wants

    def _is_late(self, packet: Packet) -> bool:
        oldest = next((one for one in self._queue if isinstance(one, Packet)), packet)
        return packet.arrived_ns - oldest.arrived_ns > self.lag_ns

    def _put(self, packet: Packet) -> None:
        if self._untold[0]:
            self.tell(Dropped(*self._untold))
            self._untold = [0, 0]
        self._skipping = False
        self._queue.append(packet)
        self._bytes += len(packet.data)

    def _lose(self, packet: Packet) -> None:
        if not self._skipping:
            self._skipping = True
            self._cut(self._last_start())
            if not starts_gop(packet):
                self._count(0, 0 if self._untold[1] else 1)
        self._count(1, starts_gop(packet))

    def _last_start(self) -> int:
        """Where the newest GOP begins; the queue's length when its keyframe has been taken already."""
        for at in range(len(self._queue) - 1, -1, -1):
            heard = self._queue[at]
            if isinstance(heard, Packet) and self._resumes(heard):
                return at
        return len(self._queue)

    def _cut(self, at: int) -> None:
        """Loses the packets from `at` on; keeps the newest of the notes among them."""
        cut = [self._queue.pop() for _ in range(len(self._queue) - at)]  # newest first
        hello = next((one for one in cut if isinstance(one, Hello)), None)
        state = next((one for one in cut if isinstance(one, Away | Back)), None)
        for heard in cut:
            if isinstance(heard, Packet):
                self._bytes -= len(heard.data)
                self._count(1, starts_gop(heard))
            else:
                self._notes -= 1
                self._regain(heard)
        for note in (hello, state):
            if note is not None:
                self._notes += 1
                self._queue.append(note)

    def _regain(self, note: Note) -> None:
        if isinstance(note, Dropped):  # was counted when it happened; must be told again
            self._untold[0] += note.packets
            self._untold[1] += note.gops

    def _count(self, packets: int, gops: int) -> None:
        self.lost_packets += packets
        self.lost_gops += gops
        self._untold[0] += packets
        self._untold[1] += gops
