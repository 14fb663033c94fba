"""One stream's packets for all who watch it: who they are, and what a newcomer gets.

Rules:
- Nothing of a stream is handed on before a keyframe, after each Hello and after each loss.
- Hearing never blocks and never waits for a viewer. `notify` of a viewer is called with the lock held, from
  the relay's thread: it must return at once and call nothing here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.model import Packet, StreamInfo, StreamName
from pipeline.wire import Dropped, Hello, Message
from web.live.feed import Feed
from web.live.heard import Away, Back, Heard, Note, Why, starts_gop

GOP_LIMIT_BYTES = 8 * 1024 * 1024

Notify = Callable[[], object]


@dataclass(frozen=True, slots=True)
class RelayReport:
    """What the dashboard tells of a stream: `lost_*` in all, by slow viewers and by us, since we started."""

    name: StreamName
    viewers: int
    away: Why | None
    lost_packets: int
    lost_gops: int


class Relay:
    """Hears a stream and fans it out. For any thread."""

    def __init__(self, name: StreamName) -> None:
        self.name = name
        self._changed = threading.Condition()
        self._feeds: list[tuple[Feed, Notify]] = []
        self._hello: Hello | None = None
        self._gop: list[Packet] = []
        self._gop_bytes = 0
        self._waits_for_keyframe = True
        self._away: Away | None = None
        self._lost = [0, 0]  # by us at the tap, and by viewers who have left

    @property
    def viewers(self) -> int:
        """How many watch now."""
        return len(self._feeds)

    def report(self) -> RelayReport:
        """As it is now."""
        with self._changed:
            packets = self._lost[0] + sum(feed.lost_packets for feed, _ in self._feeds)
            gops = self._lost[1] + sum(feed.lost_gops for feed, _ in self._feeds)
            return RelayReport(self.name, self.viewers, self._away.why if self._away else None, packets, gops)

    def hear(self, message: Message) -> None:
        """Takes what the tap says."""
        with self._changed:
            if isinstance(message, Packet):
                self._hear_packet(message)
                return
            if isinstance(message, Hello):
                self._hello = message
                self._changed.notify_all()
            else:
                self._lost[0] += message.packets
                self._lost[1] += message.gops
            self._forget_gop()
            self._tell(message)

    def lose(self, why: Why) -> None:
        """No picture comes at present; saying so twice is saying it once."""
        with self._changed:
            if why is Why.RECORDER:
                self._forget_gop()
            if self._away != Away(why):
                self._away = Away(why)
                self._tell(self._away)

    def forget(self) -> None:
        """Nobody watches: what was heard is old now. The counters stay."""
        with self._changed:
            self._hello = self._away = None
            self._forget_gop()

    def add(self, feed: Feed, notify: Notify) -> None:
        """A viewer comes, and gets what `restart` says."""
        with self._changed:
            self._feeds.append((feed, notify))
            self._begin(feed)
        notify()

    def remove(self, feed: Feed) -> None:
        """A viewer leaves; leaving twice is leaving once."""
        with self._changed:
            left = [entry for entry in self._feeds if entry[0] is not feed]
            if len(left) < len(self._feeds):
                self._feeds = left
                self._lost[0] += feed.lost_packets
                self._lost[1] += feed.lost_gops

    def take(self, feed: Feed) -> Heard | None:
        """What is next for this viewer; None when nothing waits."""
        with self._changed:
            return feed.take()

    def restart(self, feed: Feed) -> None:
        """The viewer begins anew: with the Hello, whether the camera is away, and the GOP so far."""
        with self._changed:
            self._begin(feed)

    def wait_info(self, limit_s: float) -> StreamInfo | None:
        """What the stream carries. Blocks until that is known; None after `limit_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._hello is not None, limit_s)
            return self._hello.info if self._hello else None

    def _begin(self, feed: Feed) -> None:
        notes: list[Note] = [note for note in (self._hello, self._away) if note is not None]
        feed.begin(notes, self._gop)

    def _hear_packet(self, packet: Packet) -> None:
        begins = starts_gop(packet)
        if self._waits_for_keyframe and not begins:
            return
        self._waits_for_keyframe = False
        if self._away:
            self._away = None
            self._tell(Back())
        self._keep(packet, begins)
        for feed, notify in self._feeds:
            feed.offer(packet)
            notify()

    def _keep(self, packet: Packet, begins: bool) -> None:
        if begins:
            self._gop.clear()
            self._gop_bytes = 0
        elif not self._gop:
            return  # it was too large: newcomers wait for the next
        self._gop.append(packet)
        self._gop_bytes += len(packet.data)
        if self._gop_bytes > GOP_LIMIT_BYTES:
            self._gop.clear()

    def _forget_gop(self) -> None:
        self._gop.clear()
        self._gop_bytes = 0
        self._waits_for_keyframe = True

    def _tell(self, note: Hello | Dropped | Away | Back) -> None:
        for feed, notify in self._feeds:
            feed.tell(note)
            notify()
