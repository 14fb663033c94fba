"""One path of the faulty camera: access units sent when they are due, the same bytes to everyone who plays.

Lives in the camera's event loop; other threads read only `sent` (under `moved`), `skipped` and `viewers`.
"""

from __future__ import annotations

import asyncio
import random
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.rtp import Track, Unit

REPORT_S = 5.0
SENT_KEPT = 200_000
BACKLOG_BYTES = 8 << 20  # of one viewer, before units are skipped
NTP_EPOCH_S = 2_208_988_800  # 1900 to 1970


@dataclass(frozen=True, slots=True)
class Sent:
    """One access unit as it was handed to so many viewers. Loops repeat the unit, never the RTP time."""

    path: str
    unit: Unit
    wall_ns: int
    monotonic_ns: int
    rtp_time: int
    viewers: int


class Playing:
    """How far one track has come. Times in its clock, from the stream's begin."""

    def __init__(self, track: Track, channel: int) -> None:
        self.track, self.channel = track, channel
        self.base, self.position = 0, 0
        self.sequence = random.randrange(1 << 16)
        self.ssrc = random.randrange(1 << 32)
        self.first_time = random.randrange(1 << 32)
        self.packets, self.octets = 0, 0

    @property
    def unit(self) -> Unit:
        """The next access unit."""
        return self.track.units[self.position]

    @property
    def due(self) -> int:
        """When it is sent."""
        return self.base + self.unit.dts

    def advance(self) -> None:
        """Goes on to the next unit; round again after the last."""
        self.position += 1
        if self.position == len(self.track.units):
            self.base, self.position = self.base + self.track.length, 0

    def replace(self, track: Track) -> None:
        """Goes on with another track at the time that was due."""
        self.base, self.position, self.track = self.due, 0, track


class Viewer:
    """Somebody who plays: where the bytes go, and the channels of the tracks that were set up."""

    def __init__(self, transport: asyncio.WriteTransport, channels: Sequence[int]) -> None:
        self.transport, self.channels = transport, frozenset(channels)


class LiveStream:
    """One live stream made of a looping clip."""

    def __init__(self, path: str, tracks: Sequence[Track], moved: threading.Condition) -> None:
        self.path = path
        self.tracks = [Playing(track, 2 * index) for index, track in enumerate(tracks)]
        self.viewers: set[Viewer] = set()
        self.sent: deque[Sent] = deque(maxlen=SENT_KEPT)
        self.moved = moved
        self.skipped = self.to_drop = self.to_duplicate = 0
        self._jumped_s = 0.0
        self._began = self._reported = 0.0
        self._held = False
        self._kept: list[tuple[Playing, Unit, int]] | None = None

    async def play(self) -> None:
        """Sends what is due, for ever."""
        self._began = time.monotonic()
        while True:
            track = min(self.tracks, key=lambda playing: playing.due / playing.track.clock)
            wait_s = self._began + track.due / track.track.clock - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                continue  # a switch may have come between
            rtp_time = self._rtp_time(track, track.base + track.unit.pts)
            self._emit(track, track.unit, rtp_time)
            track.advance()
            if time.monotonic() - self._reported > REPORT_S:
                self.report(self.viewers)

    def hold(self, keep: bool) -> None:
        """Sends nothing until `resume`, which sends it late (`keep`) or never."""
        self._held, self._kept = True, [] if keep else None

    def resume(self) -> None:
        """Ends a hold."""
        kept, self._held, self._kept = self._kept or [], False, None
        for track, unit, rtp_time in kept:
            self._emit(track, unit, rtp_time)

    def jump(self, seconds: float) -> None:
        """Moves all timestamps from the next unit on."""
        self._jumped_s += seconds

    def switch(self, tracks: Sequence[Track]) -> None:
        """Goes on with other tracks of the same kinds."""
        if [(t.kind, t.clock) for t in tracks] != [(p.track.kind, p.track.clock) for p in self.tracks]:
            raise ValueError("A camera can only switch to a clip with the same tracks.")
        for playing, track in zip(self.tracks, tracks, strict=True):
            playing.replace(track)

    def join(self, viewer: Viewer) -> None:
        """Somebody plays from now on; a report comes first, so that the tracks' times are related at once."""
        self.report([viewer])
        self.viewers.add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Somebody plays no more."""
        self.viewers.discard(viewer)

    def report(self, viewers: Sequence[Viewer] | set[Viewer]) -> None:
        """RTCP sender reports: which RTP time is which wall time."""
        if self._held:
            return
        self._reported = time.monotonic()
        ntp = int((time.time() + self._jumped_s + NTP_EPOCH_S) * (1 << 32))
        for track in self.tracks:
            rtp_time = self._rtp_time(track, int((self._reported - self._began) * track.track.clock))
            report = struct.pack(
                ">cBHBBHIQIII",
                *(b"$", track.channel + 1, 28, 0x80, 200, 6),
                *(track.ssrc, ntp, rtp_time, track.packets, track.octets & 0xFFFFFFFF),
            )
            for viewer in viewers:
                if track.channel in viewer.channels:
                    viewer.transport.write(report)

    def _rtp_time(self, track: Playing, media_time: int) -> int:
        moved = media_time + round(self._jumped_s * track.track.clock)
        return (track.first_time + moved) & 0xFFFFFFFF

    def _emit(self, track: Playing, unit: Unit, rtp_time: int) -> None:
        if self._held:
            if self._kept is not None:
                self._kept.append((track, unit, rtp_time))
            return
        data = b"".join(self._packets(track, unit, rtp_time))
        reached = sum(
            self._write(viewer, data) for viewer in self.viewers if track.channel in viewer.channels
        )
        with self.moved:
            if reached:
                now = time.monotonic_ns()
                self.sent.append(Sent(self.path, unit, time.time_ns(), now, rtp_time, reached))
            self.moved.notify_all()

    def _packets(self, track: Playing, unit: Unit, rtp_time: int) -> list[bytes]:
        packets: list[bytes] = []
        last = len(unit.payloads) - 1
        for number, payload in enumerate(unit.payloads):
            marked = track.track.payload_type | (0x80 if number == last else 0)
            channel, size = track.channel, len(payload) + 12
            head = struct.pack(
                ">cBHBBHII", b"$", channel, size, 0x80, marked, track.sequence, rtp_time, track.ssrc
            )
            track.sequence = (track.sequence + 1) & 0xFFFF
            copies = 1
            if self.to_drop:
                self.to_drop, copies = self.to_drop - 1, 0
            elif self.to_duplicate:
                self.to_duplicate, copies = self.to_duplicate - 1, 2
            packets += [head, payload] * copies
        track.packets += len(unit.payloads)
        track.octets += sum(map(len, unit.payloads))
        return packets

    def _write(self, viewer: Viewer, data: bytes) -> bool:
        if viewer.transport.get_write_buffer_size() > BACKLOG_BYTES:
            self.skipped += 1
            return False
        viewer.transport.write(data)
        return True
