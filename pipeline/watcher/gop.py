"""The packets of the current GOP, kept so that decoding can begin in its middle. Pure.

Rules:
- Packets are decoded from the keyframe on, in order, without a gap: `pending` gives what has not been yet.
- At most 8 MiB are kept, as much as a tap keeps. A longer GOP can be gone on with, but not begun again.
"""

from __future__ import annotations

from pipeline.model import Packet

LIMIT_BYTES = 8 * 1024 * 1024


class Gop:
    """Knows which packets the decoder has been given."""

    def __init__(self) -> None:
        self._kept: list[Packet] = []
        self._bytes = 0
        self._count = self._fed = 0
        self._is_broken = True
        self.continues = False
        """Whether the GOP before this one was decoded to its end."""

    def add(self, packet: Packet) -> None:
        """The next packet of the stream. A keyframe begins a new GOP."""
        if packet.is_keyframe:
            self.continues = not self._is_broken and self._fed == self._count
            self._kept, self._bytes, self._count, self._fed = [], 0, 0, 0
            self._is_broken = False
        if self._is_broken:
            return
        self._kept.append(packet)
        self._count += 1
        self._bytes += len(packet.data)
        if self._bytes > LIMIT_BYTES:
            self._forget_the_past()

    def pending(self) -> list[Packet]:
        """What is to be decoded to have all of the GOP up to now; none where something is missing."""
        if self._is_broken:
            return []
        pending = self._kept[len(self._kept) - (self._count - self._fed) :] if self._fed < self._count else []
        self._fed = self._count
        return pending

    def begin_again(self) -> None:
        """The decoder has forgotten what it was given."""
        if len(self._kept) == self._count:
            self._fed = 0
        else:
            self.lost()

    def lost(self) -> None:
        """Packets are missing: nothing can be decoded until the next keyframe."""
        self._kept, self._bytes, self._is_broken = [], 0, True

    def _forget_the_past(self) -> None:
        if self._fed < self._count - 1:
            self.lost()
        else:
            self._kept, self._bytes = self._kept[-1:], len(self._kept[-1].data)
