"""The sample entries of what the store keeps: how an MP4 tells a player which decoder to set up. Pure.

H.265 is always `hvc1` (parameter sets only here, as `Packet` promises): Apple's players refuse `hev1`.
"""

from __future__ import annotations

import struct

from pipeline.boxes import box, descriptor, full_box
from pipeline.model import Codec, Kind, Track

_DPI_72 = 0x0048_0000
_LAYOUT_DEPTH = struct.pack(">Hh", 24, -1)  # no alpha; colours are in the stream itself
_AAC_OBJECT_TYPE, _AUDIO_STREAM = 0x40, 0x15


def sample_description(track: Track) -> bytes:
    """The `stsd` box of a track."""
    entry = _video_entry(track) if track.kind is Kind.VIDEO else _audio_entry(track)
    return full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry)


def _video_entry(track: Track) -> bytes:
    kind, configuration = (b"avc1", b"avcC") if track.codec is Codec.H264 else (b"hvc1", b"hvcC")
    head = struct.pack(">6xH16xHHIIIH32x", 1, track.width, track.height, _DPI_72, _DPI_72, 0, 1)
    return box(kind, head, _LAYOUT_DEPTH, box(configuration, track.extradata))


def _audio_entry(track: Track) -> bytes:
    kind = b"mp4a" if track.codec is Codec.AAC else b"Opus"
    rate = (
        track.timescale << 16 if track.timescale <= 0xFFFF else 0
    )  # 16.16: faster ones stand in the extradata
    head = struct.pack(">6xH8xHHHHI", 1, max(track.channels, 1), 16, 0, 0, rate)
    return box(kind, head, _esds(track) if track.codec is Codec.AAC else box(b"dOps", track.extradata))


def _esds(track: Track) -> bytes:
    specific = descriptor(5, track.extradata)
    config = descriptor(4, struct.pack(">BB3sII", _AAC_OBJECT_TYPE, _AUDIO_STREAM, b"", 0, 0), specific)
    return full_box(b"esds", 0, 0, descriptor(3, b"\x00\x01\x00", config, descriptor(6, b"\x02")))
