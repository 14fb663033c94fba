"""Packets to a fragmented MP4 of our own: an init segment, then fragments of at most a second. Pure.

Rules (docs/format.md, section 2, gives every byte):
- Decode times start at 0 at the segment's first frame, for absolute ones make players show decades.
- Only a stream with reordered frames has an edit list, of one entry: it moves the first frame shown to 0.
  Negative composition offsets would do without, but FFmpeg adds the most negative one to every time it reads.
- A `uuid` box right behind `ftyp` carries the segment's mark, so readers notice a file that was swapped.
- It is given what the segmenter promises: the first packet is a keyframe, decode times grow within a track,
  and no audio is older than that keyframe. What breaks it raises MuxError; nothing wrong is written.
- Tables are packed by one call a track, since this runs for every second of every camera.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pipeline.boxes import BadBox, Bytes, box, full_box, walk
from pipeline.model import Fragment, Packet, SegmentMark, StreamInfo, StreamName, Track
from pipeline.sample_entry import sample_description

MARK_UUID = bytes.fromhex("19cc2d4803f14132ae5cc7b9248e2d5d")
VIDEO_TRACK, AUDIO_TRACK = 1, 2

_EPOCH_1904_S = 2_082_844_800
_MARK = struct.Struct(">BBIQq16sB")
_MARK_VERSION, _CLOCK_UNSURE = 1, 1
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
_SELF_CONTAINED = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
_UNDEFINED_LANGUAGE = 0x55C4
_MOVIE_TIMESCALE = 1000
_KEYFRAME, _OTHER_FRAME = (
    0x0200_0000,
    0x0101_0000,
)  # depends on no other; depends on others, is no sync sample
_TFHD_FLAGS = 0x02_0000 | 0x20  # offsets count from the moof; default sample flags present
_TRUN_OFFSET, _TRUN_FIRST_FLAGS = 0x1, 0x4
_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_COMPOSITION = 0x100, 0x200, 0x400, 0x800


class MuxError(ValueError):
    """The packets break what the segmenter promises (or there are gigabytes in one fragment)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which timestamps of the stream are 0 in the segment: those of its first video packet."""

    video_pts: int
    video_dts: int
    audio_pts: int = 0

    @classmethod
    def of(cls, info: StreamInfo, first: Packet) -> Origin:
        """The origin of a segment that begins with the video packet `first`."""
        rate = info.audio.timescale if info.audio else 0
        return cls(first.pts, first.dts, first.pts * rate // info.video.timescale)


def init_segment(info: StreamInfo, mark: SegmentMark, start: Origin) -> bytes:
    """What stands before the fragments: `ftyp`, the mark, `moov`. Raises MuxError on a name over 255 bytes.

    `start` must be the one given to `fragment`.
    """
    tracks = [(VIDEO_TRACK, info.video)] + ([(AUDIO_TRACK, info.audio)] if info.audio else [])
    created = mark.start_ns // 1_000_000_000 + _EPOCH_1904_S
    shift = start.video_pts - start.video_dts
    traks = [_trak(number, track, created, shift) for number, track in tracks]
    extends = box(b"mvex", *(full_box(b"trex", 0, 0, struct.pack(">5I", n, 1, 0, 0, 0)) for n, _ in tracks))
    header = full_box(
        b"mvhd",
        1,
        0,
        struct.pack(">QQIQIH10x", created, created, _MOVIE_TIMESCALE, 0, 0x10000, 0x100),
        _MATRIX,
        struct.pack(">24xI", len(tracks) + 1),
    )
    brands = box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6", b"mp41")
    return b"".join((brands, mark_box(mark), box(b"moov", header, *traks, extends)))


def mark_box(mark: SegmentMark) -> bytes:
    """The `uuid` box with the mark. Raises MuxError when a name has more than 255 bytes."""
    names = [mark.name.camera.encode(), mark.name.stream.encode()]
    if max(map(len, names)) > 255:
        raise MuxError("a camera's or stream's name has more than 255 bytes")
    flags = _CLOCK_UNSURE if mark.clock_unsure else 0
    fixed = _MARK.pack(
        _MARK_VERSION, flags, mark.generation, mark.sequence, mark.start_ns, mark.device, len(names[0])
    )
    return box(b"uuid", MARK_UUID, fixed, names[0], bytes((len(names[1]),)), names[1])


def read_mark(init: Bytes) -> SegmentMark:
    """The mark in an init segment, or in a whole segment. Raises BadBox when it has none or a damaged one."""
    view = memoryview(init)
    for found in walk(view):
        if found.kind == b"uuid" and view[found.body : found.body + 16] == MARK_UUID:
            return _parse_mark(bytes(view[found.body + 16 : found.end]))
        if found.kind in (b"moov", b"moof", b"mdat"):
            break
    raise BadBox("the file does not begin with the mark of a segment")


def _parse_mark(body: bytes) -> SegmentMark:
    try:
        version, flags, generation, sequence, start_ns, device, length = _MARK.unpack_from(body)
        if version != _MARK_VERSION:
            raise BadBox(f"the segment's mark is of version {version}, which this release cannot read")
        camera_end = _MARK.size + length
        name = StreamName(body[_MARK.size : camera_end].decode(), body[camera_end + 1 :].decode())
        if len(name.stream.encode()) != body[camera_end]:
            raise BadBox("the segment's mark has the wrong length")
    except (struct.error, IndexError, UnicodeDecodeError):
        raise BadBox("the segment's mark is damaged") from None
    return SegmentMark(device, name, sequence, start_ns, generation, bool(flags & _CLOCK_UNSURE))


def fragment(info: StreamInfo, sequence_number: int, packets: Fragment, start: Origin) -> bytes:
    """One `moof` with its `mdat`; `sequence_number` counts from 1 within the segment. Raises MuxError."""
    try:
        return _fragment(info, sequence_number, packets, start)
    except struct.error:
        raise MuxError("packets are out of order, older than the segment, or too large") from None


def _fragment(info: StreamInfo, sequence_number: int, packets: Fragment, start: Origin) -> bytes:
    video = _video_run(packets.video, start) if packets.video else None
    audio = _audio_run(packets.audio, start) if packets.audio else None
    runs = [run for run in (video, audio) if run]
    data_offset = 8 + _MFHD_BYTES + sum(run.traf_bytes for run in runs) + 8
    parts = [_MOOF.pack(data_offset - 8, b"moof", _MFHD_BYTES, b"mfhd", 0, sequence_number)]
    for run in runs:
        parts.append(run.traf(data_offset))
        data_offset += run.data_bytes
    parts.append(_BOX.pack(8 + sum(run.data_bytes for run in runs), b"mdat"))
    parts.extend([p.data for p in packets.video])
    parts.extend([p.data for p in packets.audio])
    return b"".join(parts)


_BOX = struct.Struct(">I4s")
_MOOF = struct.Struct(">I4sI4sII")
_MFHD_BYTES = 16
# traf; tfhd with flags, track, default sample flags; tfdt with version, time; trun with flags, count, offset
_TRAF = struct.Struct(">I4s I4sIII I4sIQ I4sIIi")
_TFHD_BYTES, _TFDT_BYTES, _TRUN_HEAD_BYTES = 20, 20, 20


@dataclass(frozen=True, slots=True)
class _Run:
    """A track's part of a fragment: `table` is the packed body of its trun, behind the data offset."""

    track: int
    decode_time: int
    default_flags: int
    trun_flags: int
    count: int
    table: bytes
    data_bytes: int

    @property
    def traf_bytes(self) -> int:
        return _TRAF.size + len(self.table)

    def traf(self, data_offset: int) -> bytes:
        trun_bytes = _TRUN_HEAD_BYTES + len(self.table)
        return (
            _TRAF.pack(
                *(self.traf_bytes, b"traf"),
                *(_TFHD_BYTES, b"tfhd", _TFHD_FLAGS, self.track, self.default_flags),
                *(_TFDT_BYTES, b"tfdt", 1 << 24, self.decode_time),
                *(trun_bytes, b"trun", 1 << 24 | self.trun_flags | _TRUN_OFFSET, self.count, data_offset),
            )
            + self.table
        )


@lru_cache(maxsize=1024)
def _rows(fields: str, count: int) -> struct.Struct:
    """A table of `count` rows; fragments have some tens of packets, so few shapes ever occur."""
    return struct.Struct(">" + fields * count)


def _video_run(packets: tuple[Packet, ...], start: Origin) -> _Run:
    durations = _durations(packets)
    sizes = [len(p.data) for p in packets]
    offsets = [p.pts - p.dts for p in packets]
    columns, fields, flags = [durations, sizes], "II", _TRUN_DURATION | _TRUN_SIZE
    keyframes = [p.is_keyframe for p in packets]
    lead = b""
    if any(keyframes[1:]):
        columns.append([_KEYFRAME if k else _OTHER_FRAME for k in keyframes])
        fields, flags = fields + "I", flags | _TRUN_FLAGS
    elif keyframes[0]:
        lead, flags = struct.pack(">I", _KEYFRAME), flags | _TRUN_FIRST_FLAGS
    if any(offsets):
        columns.append(offsets)
        fields, flags = fields + "i", flags | _TRUN_COMPOSITION
    table = lead + _rows(fields, len(packets)).pack(
        *[value for row in zip(*columns, strict=True) for value in row]
    )
    decode_time = packets[0].dts - start.video_dts
    return _Run(VIDEO_TRACK, decode_time, _OTHER_FRAME, flags, len(packets), table, sum(sizes))


def _audio_run(packets: tuple[Packet, ...], start: Origin) -> _Run:
    sizes = [len(p.data) for p in packets]
    rows = [value for row in zip(_durations(packets), sizes, strict=True) for value in row]
    table = _rows("II", len(packets)).pack(*rows)
    flags = _TRUN_DURATION | _TRUN_SIZE
    return _Run(
        AUDIO_TRACK, packets[0].pts - start.audio_pts, _KEYFRAME, flags, len(packets), table, sum(sizes)
    )


def _durations(packets: tuple[Packet, ...]) -> list[int]:
    """From packet to packet: each is decoded exactly at its own time; the last has its own duration."""
    times = [p.dts for p in packets]
    durations = [after - before for before, after in pairwise(times)]
    durations.append(packets[-1].duration)
    return durations


def _trak(number: int, track: Track, created: int, shift: int) -> bytes:
    is_video = number == VIDEO_TRACK
    header = full_box(
        b"tkhd",
        1,
        3,  # enabled, in the movie
        struct.pack(">QQI4xQ8xHHH2x", created, created, number, 0, 0, 0, 0 if is_video else 0x100),
        _MATRIX,
        struct.pack(">II", track.width << 16, track.height << 16),
    )
    edits = _edit_list(shift) if is_video and shift > 0 else b""
    return box(b"trak", header, edits, _media(track, is_video, created))


def _edit_list(media_time: int) -> bytes:
    """Shows the media from `media_time` on; a duration of 0 stands for all that the fragments bring."""
    return box(b"edts", full_box(b"elst", 0, 0, struct.pack(">IIiHH", 1, 0, media_time, 1, 0)))


def _media(track: Track, is_video: bool, created: int) -> bytes:
    times = struct.pack(">QQIQHH", created, created, track.timescale, 0, _UNDEFINED_LANGUAGE, 0)
    handler = struct.pack(">4x4s12x", b"vide" if is_video else b"soun") + (
        b"video\0" if is_video else b"sound\0"
    )
    kind = full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    tables = (
        sample_description(track),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    information = box(b"minf", kind, _SELF_CONTAINED, box(b"stbl", *tables))
    return box(b"mdia", full_box(b"mdhd", 1, 0, times), full_box(b"hdlr", 0, 0, handler), information)
