"""A clip's packets as a source would hand them on, for tests of what comes after the source."""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

import av

from pipeline.model import VIDEO_TIMESCALE, Codec, Kind, Packet, StreamInfo, Track

_CODECS = {
    "h264": Codec.H264,
    "hevc": Codec.H265,
    "aac": Codec.AAC,
    "opus": Codec.OPUS,
    "libopus": Codec.OPUS,
}


@lru_cache(maxsize=4)
def read_packets(path: Path) -> tuple[StreamInfo, tuple[Packet, ...]]:
    """What the clip carries, and its packets in the order of the file; `arrived_ns` follows dts."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        audio = container.streams.audio[0] if container.streams.audio else None
        info = StreamInfo(_video(video), _audio(audio) if audio else None)
        found = []
        for packet in container.demux(*([video, audio] if audio else [video])):
            if packet.size and packet.pts is not None:
                track = info.video if packet.stream is video else info.audio
                assert track is not None
                found.append(_packet(packet, track))
    return info, tuple(found)


def _video(stream: av.VideoStream) -> Track:
    context = stream.codec_context
    return Track(
        Kind.VIDEO,
        _CODECS[context.name],
        VIDEO_TIMESCALE,
        bytes(context.extradata or b""),
        context.width,
        context.height,
        reorder=2 if context.has_b_frames else 0,
    )


def _audio(stream: av.AudioStream) -> Track:
    context = stream.codec_context
    extradata = bytes(context.extradata or b"")
    codec = _CODECS[context.name]
    if codec is Codec.OPUS:  # OpusHead is little-endian, dOps is not
        channels, skip, rate, gain, family = struct.unpack("<BHIhB", extradata[9:19])
        extradata = struct.pack(">BBHIhB", 0, channels, skip, rate, gain, family)
    return Track(Kind.AUDIO, codec, context.sample_rate, extradata, channels=context.channels)


def _packet(packet: av.Packet[Any], track: Track) -> Packet:
    assert packet.pts is not None and packet.dts is not None
    scale = packet.time_base * track.timescale
    dts = round(packet.dts * scale)
    return Packet(
        track.kind,
        round(packet.pts * scale),
        dts,
        round((packet.duration or 0) * scale),
        packet.is_keyframe,
        1_000_000_000 + dts * 1_000_000_000 // track.timescale,
        bytes(packet),
    )
