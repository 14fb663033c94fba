"""Decodes a stream's audio only to measure how loud it is.

Rules:
- AAC and Opus: everything else a source has transcoded before. Samples are dropped as soon as they are
  measured.
- What is damaged is counted, and is as good as missing; nothing is raised.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import av
import av.error
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame

from pipeline.model import VIDEO_TIMESCALE, Codec, Packet, Track
from pipeline.sound.levels import SILENCE_DB, LoudSpan, LoudWatch
from pipeline.wire import Anchor

BLOCK_NS = 100_000_000  # shorter than a bark, longer than a period of the lowest tone
_NAMES = {Codec.AAC: "aac", Codec.OPUS: "opus"}
_FAULTS = (av.error.FFmpegError, ValueError, MemoryError)


class Loudness:
    """Measures one audio track. `anchor` says which UTC instant a video timestamp is."""

    def __init__(self, track: Track, anchor: Anchor, above_db: float = 12.0, for_s: float = 1.0) -> None:
        """Opens a decoder. Raises ValueError for a codec that is not audio."""
        if track.codec not in _NAMES:
            raise ValueError(f"{track.codec} is not audio")
        self._track = track
        self._decoder = _opened(track)
        self._timescale = track.timescale
        self._zero_ns = anchor.utc_ns - anchor.pts * 1_000_000_000 // VIDEO_TIMESCALE
        self._watch = LoudWatch(above_db, for_s)
        self._block = _Block()
        self.faults = 0
        """Packets that could not be decoded."""

    @property
    def background_db(self) -> float | None:
        """What is usual; None before the first sound."""
        return self._watch.background_db

    def take(self, packet: Packet) -> list[LoudSpan]:
        """The next packet of the track; the loud spans that are to be told now."""
        try:
            frames = self._decoder.decode(av.Packet(packet.data)) if packet.data else []
        except _FAULTS:
            self.faults += 1
            self._decoder = _opened(self._track)
            return []
        at_ns = self._zero_ns + packet.pts * 1_000_000_000 // self._timescale
        spans: list[LoudSpan] = []
        for frame in frames:
            lasts_ns = frame.samples * 1_000_000_000 // (frame.sample_rate or self._timescale)
            spans += self._block.add(at_ns, lasts_ns, _power(frame), self._watch.take)
            at_ns += lasts_ns
        return spans


class _Block:
    """Gathers the power of decoded frames into blocks of a tenth of a second."""

    def __init__(self) -> None:
        self._from_ns = 0
        self._lasts_ns = 0
        self._energy = 0.0

    def add(
        self, at_ns: int, lasts_ns: int, power: float, take: Callable[[int, int, float], list[LoudSpan]]
    ) -> list[LoudSpan]:
        """A frame of mean square `power`; hands a whole block on. A jump in time begins a new block."""
        if abs(at_ns - (self._from_ns + self._lasts_ns)) > BLOCK_NS:
            self._from_ns, self._lasts_ns, self._energy = at_ns, 0, 0.0
        self._lasts_ns += lasts_ns
        self._energy += power * lasts_ns
        if self._lasts_ns < BLOCK_NS:
            return []
        begun, ended, mean = self._from_ns, self._from_ns + self._lasts_ns, self._energy / self._lasts_ns
        self._from_ns, self._lasts_ns, self._energy = ended, 0, 0.0
        return take(begun, ended, _decibels(mean))


def _opened(track: Track) -> AudioCodecContext:
    decoder = AudioCodecContext.create(_NAMES[track.codec], "r")
    assert isinstance(decoder, AudioCodecContext)  # noqa: S101 - both are audio
    if track.codec is Codec.AAC:
        decoder.extradata = track.extradata
    else:
        decoder.sample_rate = track.timescale
        decoder.layout = "mono" if track.channels == 1 else "stereo"
    decoder.thread_count = 1
    return decoder


def _power(frame: AudioFrame) -> float:
    """The mean square of all channels, 1 for full scale."""
    samples = frame.to_ndarray().ravel()
    if samples.dtype.kind != "f":
        samples = samples.astype(np.float32) / float(1 << (8 * samples.itemsize - 1))
    return float(np.dot(samples, samples)) / max(samples.size, 1)


def _decibels(power: float) -> float:
    if not math.isfinite(power) or power <= 0:
        return SILENCE_DB
    return max(SILENCE_DB, 10 * math.log10(power))
