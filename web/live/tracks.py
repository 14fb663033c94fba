"""A stream's packets as tracks of aiortc, which packetizes them as they are: nothing is decoded or encoded.

Rules:
- A track begins when its sender does, which is when the peer is connected, with the GOP so far: what came
  while the connection was being made has no use any more.
- The GOP so far is sent at `PACE_BYTES_S` at most: a burst would overflow the sockets' buffers.
- A stream that becomes one that cannot be carried ends the track.
All of it lives in the loop's thread, but `wake`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from fractions import Fraction
from typing import Any

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from pipeline.model import VIDEO_TIMESCALE, Kind, Packet, StreamName
from pipeline.nal import BadUnits
from pipeline.wire import Hello
from web.live.annex_b import annex_b, parameter_sets
from web.live.carrying import OPUS_RATE, carries_audio, unfit
from web.live.relays import Relays
from web.live.rtp_times import RtpTimes

PACE_BYTES_S = 5_000_000


class _PassedTrack(MediaStreamTrack):
    """One kind of track of a stream. It leaves the stream when it is stopped."""

    def __init__(self, relays: Relays, name: StreamName, rate: int) -> None:
        """Begins to watch. Raises BadStreams."""
        super().__init__()
        self._running = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._base = Fraction(1, rate)
        self._rate = rate
        self._times: RtpTimes | None = None
        self._watch = relays.watch(name, self.wake, frozenset({Kind(self.kind)}))

    def wake(self) -> None:
        """Something waits. For any thread; too late is no error."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._running.call_soon_threadsafe(self._ready.set)

    def stop(self) -> None:
        """Ends it; a second time does nothing."""
        self._watch.close()
        self._ready.set()
        super().stop()

    async def recv(self) -> av.Packet[Any]:
        """The next packet. Raises MediaStreamError when the track has ended."""
        if self._times is None:
            self._times = RtpTimes(self._rate, time.monotonic_ns())
            self._watch.restart()
        packet, data = await self._next(self._times)
        made: av.Packet[Any] = av.Packet(data)
        made.pts = made.dts = self._times.of(packet)
        made.time_base = self._base
        if self._times.is_past(packet):
            await asyncio.sleep(len(data) / PACE_BYTES_S)
        return made

    async def _next(self, times: RtpTimes) -> tuple[Packet, bytes]:
        while self.readyState == "live":
            heard = self._watch.take()
            if heard is None:
                await self._ready.wait()
                self._ready.clear()
            elif isinstance(heard, Hello):
                times.rebase()
                self._hello(heard)
            elif isinstance(heard, Packet):
                return heard, self._data(heard)
        raise MediaStreamError

    def _hello(self, hello: Hello) -> None:
        raise NotImplementedError

    def _data(self, packet: Packet) -> bytes:
        return packet.data


class VideoTrack(_PassedTrack):
    """The picture: H.264 in Annex B."""

    kind = "video"

    def __init__(self, relays: Relays, name: StreamName) -> None:
        super().__init__(relays, name, VIDEO_TIMESCALE)
        self._sets = b""

    def _hello(self, hello: Hello) -> None:
        if unfit(hello.info):
            self.stop()
        self._sets = parameter_sets(hello.info.video)

    def _data(self, packet: Packet) -> bytes:
        try:
            return annex_b(packet, self._sets)
        except BadUnits:
            self.stop()
            raise MediaStreamError from None


class OpusTrack(_PassedTrack):
    """The sound, as it is."""

    kind = "audio"

    def __init__(self, relays: Relays, name: StreamName) -> None:
        super().__init__(relays, name, OPUS_RATE)

    def _hello(self, hello: Hello) -> None:
        if not carries_audio(hello.info):
            self.stop()
