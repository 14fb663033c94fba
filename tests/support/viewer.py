"""A plain viewer of a camera, by PyAV: what arrived, in order, as FFmpeg tells it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av

SILENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """One packet: seconds by the camera's clock (`None` if FFmpeg knows none), and since the viewer began."""

    kind: str
    pts_s: float | None
    at_s: float
    is_keyframe: bool
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Watched:
    """The codecs by kind ("video", "audio"), and the packets of both."""

    codecs: dict[str, str]
    packets: list[Arrived]

    def of(self, kind: str) -> list[Arrived]:
        """The packets of one kind."""
        return [packet for packet in self.packets if packet.kind == kind]

    def times(self, kind: str) -> list[float]:
        """The distinct camera times of one kind in rising order: split packets count once."""
        return sorted({packet.pts_s for packet in self.of(kind) if packet.pts_s is not None})

    def steps(self, kind: str) -> list[float]:
        """The seconds between one time and the next: all alike in a stream without holes,

        but for the last few where B-frames arrive after frames shown later.
        """
        times = self.times(kind)
        return [later - earlier for earlier, later in itertools.pairwise(times)]


def open_camera(
    url: str, transport: Literal["tcp", "udp"] = "tcp", ca_file: Path | None = None
) -> av.container.InputContainer:
    """The open stream; PyAV's own error where the camera refuses, is away, or has a certificate of others."""
    options = {
        "rtsp_transport": transport,
        "timeout": str(int(SILENCE_S * 1e6)),
        "analyzeduration": "100000",
    }
    if ca_file:
        options |= {"tls_verify": "1", "ca_file": str(ca_file)}
    return av.open(url, options=options, timeout=(SILENCE_S, SILENCE_S))


def packets(opened: av.container.InputContainer) -> Iterator[Arrived]:
    """Packets as they arrive; ends where FFmpeg sees an end."""
    began = time.monotonic()
    for packet in opened.demux():
        if packet.size == 0:
            continue
        pts_s = None if packet.pts is None else float(packet.pts * Fraction(packet.time_base))
        kind, at_s = packet.stream.type, time.monotonic() - began
        yield Arrived(kind, pts_s, at_s, packet.is_keyframe, bytes(packet))


def watch(
    url: str, seconds: float, transport: Literal["tcp", "udp"] = "tcp", ca_file: Path | None = None
) -> Watched:
    """What arrives within so many seconds of camera time on the video track (or until the stream ends)."""
    seen: list[Arrived] = []
    with open_camera(url, transport, ca_file) as opened:
        codecs: dict[str, str] = {stream.type: stream.codec_context.name for stream in opened.streams}
        for packet in packets(opened):
            seen.append(packet)
            if packet.kind == "video" and packet.pts_s is not None and packet.pts_s >= seconds:
                break
    return Watched(codecs, seen)
