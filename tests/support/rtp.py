"""A clip cut into RTP payloads: H.264 (RFC 6184), H.265 (RFC 7798), AAC (RFC 3640), Opus, G.711.

Times count in the track's clock rate, from the track's first decode time. A unit's `data` is what a recorder
keeps of it (see `pipeline.model.Packet`), so that what was sent can be compared with what was recorded.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av

MTU = 1400  # bytes of RTP payload, as cameras send them
VIDEO_CLOCK = 90_000
H264_UNKEPT = range(7, 10)  # parameter sets and the delimiter
H265_UNKEPT = range(32, 36)
FU_A = 28
FU_H265 = 49
STATIC_TYPES = {"pcm_mulaw": (0, "PCMU"), "pcm_alaw": (8, "PCMA")}
AAC_MODE = "streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3"


@dataclass(frozen=True, slots=True)
class Unit:
    """One access unit: `data` with 4-byte length prefixes and without parameter sets, for video."""

    kind: str
    pts: int
    dts: int
    is_keyframe: bool
    data: bytes = field(repr=False)
    payloads: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a clip and its lines in the session description; `length` of one round, in its clock."""

    kind: str
    clock: int
    payload_type: int
    description: tuple[str, ...]
    units: tuple[Unit, ...] = field(repr=False)
    length: int


@dataclass(frozen=True, slots=True)
class _Video:
    """How one video codec's NAL units are told apart and cut."""

    name: str
    parameters: tuple[bytes, ...]

    def kind_of(self, nal: bytes) -> int:
        return nal[0] & 31 if self.name == "h264" else nal[0] >> 1 & 63

    def is_kept(self, nal: bytes) -> bool:
        return self.kind_of(nal) not in (H264_UNKEPT if self.name == "h264" else H265_UNKEPT)

    def cut(self, nal: bytes) -> Iterator[bytes]:
        """A NAL unit as one payload, or as fragmentation units."""
        if len(nal) <= MTU:
            yield nal
            return
        head = (
            bytes([nal[0] & 0xE0 | FU_A])
            if self.name == "h264"
            else bytes([nal[0] & 0x81 | FU_H265 << 1, nal[1]])
        )
        body, room = nal[len(head) :], MTU - len(head) - 1
        for at in range(0, len(body), room):
            edges = 0x80 * (at == 0) | 0x40 * (at + room >= len(body))
            yield head + bytes([edges | self.kind_of(nal)]) + body[at : at + room]

    def description(self, payload_type: int) -> tuple[str, ...]:
        sets = [base64.b64encode(nal).decode() for nal in self.parameters]
        if self.name == "h264":
            sprop = f"packetization-mode=1;sprop-parameter-sets={','.join(sets)}"
        else:
            sprop = ";".join(
                f"sprop-{name}={text}" for name, text in zip(("vps", "sps", "pps"), sets, strict=False)
            )
        return f"rtpmap:{payload_type} {self.name.upper()}/{VIDEO_CLOCK}", f"fmtp:{payload_type} {sprop}"


def read_tracks(path: Path) -> tuple[Track, ...]:
    """The tracks of an MP4 or MOV, video first."""
    with av.open(str(path)) as clip:
        packets: dict[int, list[av.Packet]] = {stream.index: [] for stream in clip.streams}  # type: ignore[type-arg]
        for packet in clip.demux():
            if packet.size:
                packets[packet.stream_index].append(packet)
        video = _video_track(clip.streams.video[0], packets[clip.streams.video[0].index])
        audio = tuple(_audio_track(stream, packets[stream.index]) for stream in clip.streams.audio[:1])
        return (video, *audio)


def _video_track(stream: av.VideoStream, packets: list[av.Packet]) -> Track:  # type: ignore[type-arg]
    extradata = stream.codec_context.extradata or b""
    if stream.codec_context.name == "h264":
        codec = _Video("h264", tuple(_avcc_sets(extradata)))
    else:
        codec = _Video("h265", tuple(_hvcc_sets(extradata)))
    units = []
    for packet, (pts, dts) in zip(packets, _times(packets, VIDEO_CLOCK), strict=True):
        nals = [nal for nal in _split(bytes(packet)) if codec.is_kept(nal)]
        sent = (*codec.parameters, *nals) if packet.is_keyframe else nals
        payloads = tuple(piece for nal in sent for piece in codec.cut(nal))
        data = b"".join(struct.pack(">I", len(nal)) + nal for nal in nals)
        units.append(Unit("video", pts, dts, packet.is_keyframe, data, payloads))
    return Track(
        "video", VIDEO_CLOCK, 96, codec.description(96), tuple(units), _length(packets, units, VIDEO_CLOCK)
    )


def _audio_track(stream: av.AudioStream, packets: list[av.Packet]) -> Track:  # type: ignore[type-arg]
    name, rate = stream.codec_context.name.removeprefix("lib"), stream.codec_context.sample_rate
    if name in STATIC_TYPES:
        return _telephone_track(name, rate, b"".join(bytes(packet) for packet in packets))
    units = tuple(
        Unit("audio", pts, dts, True, bytes(packet), (_audio_payload(name, bytes(packet)),))
        for packet, (pts, dts) in zip(packets, _times(packets, rate), strict=True)
    )
    lines: tuple[str, ...] = ("rtpmap:97 opus/48000/2",)
    if name == "aac":
        config = (stream.codec_context.extradata or b"").hex()
        rtpmap = f"rtpmap:97 mpeg4-generic/{rate}/{stream.codec_context.channels}"
        lines = (rtpmap, f"fmtp:97 {AAC_MODE};config={config}")
    return Track("audio", rate, 97, lines, units, _length(packets, units, rate))


def _telephone_track(name: str, rate: int, samples: bytes) -> Track:
    """G.711, a byte a sample, in packets of 20 ms."""
    size = rate // 50
    pieces = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]
    units = tuple(
        Unit("audio", number * size, number * size, True, piece, (piece,))
        for number, piece in enumerate(pieces)
    )
    payload_type, short = STATIC_TYPES[name]
    line = f"rtpmap:{payload_type} {short}/{rate}"
    return Track("audio", rate, payload_type, (line,), units, len(pieces) * size)


def _audio_payload(name: str, data: bytes) -> bytes:
    """AAC wears a header of one access unit; the others are sent bare."""
    return struct.pack(">HH", 16, len(data) << 3) + data if name == "aac" else data


def _times(packets: list[av.Packet], clock: int) -> Iterator[tuple[int, int]]:  # type: ignore[type-arg]
    """pts and dts of each packet in the track's clock, from the first dts."""
    first = packets[0].dts or 0
    for packet in packets:
        ticks = Fraction(packet.time_base) * clock
        dts = first if packet.dts is None else packet.dts
        pts = dts if packet.pts is None else packet.pts
        yield round((pts - first) * ticks), round((dts - first) * ticks)


def _length(packets: list[av.Packet], units: tuple[Unit, ...] | list[Unit], clock: int) -> int:  # type: ignore[type-arg]
    return units[-1].dts + round((packets[-2].duration or 0) * Fraction(packets[-2].time_base) * clock)


def _split(sample: bytes) -> Iterator[bytes]:
    """The NAL units of a length-prefixed sample."""
    at = 0
    while at < len(sample):
        (size,) = struct.unpack_from(">I", sample, at)
        yield sample[at + 4 : at + 4 + size]
        at += 4 + size


def _avcc_sets(box: bytes) -> Iterator[bytes]:
    """SPS and PPS of an avcC body."""
    at = 5
    for mask in (31, 255):
        count, at = box[at] & mask, at + 1
        for _ in range(count):
            size = int.from_bytes(box[at : at + 2], "big")
            yield box[at + 2 : at + 2 + size]
            at += 2 + size


def _hvcc_sets(box: bytes) -> Iterator[bytes]:
    """VPS, SPS and PPS of an hvcC body (32, 33, 34; what else stands there is left out)."""
    at = 23
    for _ in range(box[22]):
        kind, count, at = box[at] & 63, int.from_bytes(box[at + 1 : at + 3], "big"), at + 3
        for _ in range(count):
            size = int.from_bytes(box[at : at + 2], "big")
            if kind in (32, 33, 34):
                yield box[at + 2 : at + 2 + size]
            at += 2 + size
