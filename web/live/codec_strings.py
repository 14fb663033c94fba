"""The type of a stream as `MediaSource.isTypeSupported` asks for it (RFC 6381). Pure."""

from __future__ import annotations

from pipeline.model import Codec, StreamInfo, Track

_AAC_LC = 2
_ESCAPED_TYPE = 31


def mime_type(info: StreamInfo) -> str:
    """For example `video/mp4; codecs="avc1.64001f, mp4a.40.2"`."""
    codecs = [_video(info.video)] + ([_audio(info.audio)] if info.audio else [])
    return f'video/mp4; codecs="{", ".join(codecs)}"'


def _video(track: Track) -> str:
    if track.codec is Codec.H264:
        return f"avc1.{track.extradata[1:4].hex()}"
    return _hvc1(track.extradata)


def _hvc1(box: bytes) -> str:
    """ISO/IEC 14496-15, annex E: profile, compatibility bits in reverse, tier and level, constraints."""
    space = ("", "A", "B", "C")[box[1] >> 6]
    compatible = int(f"{int.from_bytes(box[2:6], 'big'):032b}"[::-1], 2)
    tier = "H" if box[1] & 0x20 else "L"
    constraints = box[6:12].rstrip(b"\0")
    parts = [f"hvc1.{space}{box[1] & 0x1F}", f"{compatible:X}", f"{tier}{box[12]}"]
    return ".".join(parts + [f"{byte:X}" for byte in constraints])


def _audio(track: Track) -> str:
    if track.codec is Codec.OPUS:
        return "opus"
    head = int.from_bytes(track.extradata[:2].ljust(2, b"\0"), "big")
    kind = head >> 11
    if kind == _ESCAPED_TYPE:
        kind = 32 + (head >> 5 & 0x3F)
    return f"mp4a.40.{kind or _AAC_LC}"
