"""The `moov` box of a progressive MP4. Pure.

Rules:
- The movie counts in 1/90000 s, so edit lists are exact to the frame. Boxes take their 64-bit form only where
  a number needs it: old players know the other one alone.
- An edit list is written only where it says something: the first frame's delay by reordering, audio that
  begins after the video, and what `--exact` hides.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from nvr.keyholder.clip_tables import ClipTrack
from pipeline.boxes import box, full_box

MOVIE_TIMESCALE = 90_000
_EPOCH_1904_S = 2_082_844_800
_LAST_U32 = 0xFFFF_FFFF
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
_SELF_CONTAINED = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
_UNDEFINED_LANGUAGE = 0x55C4


@dataclass(frozen=True, slots=True)
class Shown:
    """The part of the clip that is shown, in movie time; what is outside stays in the file, hidden."""

    from_at: int
    to_at: int


def movie(video: ClipTrack, audio: ClipTrack | None, shown: Shown, created_s: int) -> bytes:
    """The whole box; `created_s` is the UTC second of the first frame shown."""
    created = created_s + _EPOCH_1904_S
    traks = [_trak(1, video, shown, created, b"vide")]
    if audio is not None and audio.count:
        traks.append(_trak(2, audio, shown, created, b"soun"))
    header = _timed(b"mvhd", 0, created, ">I", (MOVIE_TIMESCALE,), shown.to_at - shown.from_at)
    rest = struct.pack(">IH10x", 0x10000, 0x100) + _MATRIX + struct.pack(">24xI", len(traks) + 1)
    return box(b"moov", _closed(header, rest), *traks)


def _timed(
    kind: bytes, flags: int, created: int, middle: str, values: tuple[int, ...], duration: int
) -> bytes:
    """The beginning of mvhd, tkhd and mdhd: created, modified, some numbers, duration."""
    large = max(duration, created) > _LAST_U32
    form = f">{'QQ' if large else 'II'}{middle.removeprefix('>')}{'Q' if large else 'I'}"
    return full_box(kind, int(large), flags, struct.pack(form, created, created, *values, duration))


def _closed(beginning: bytes, rest: bytes) -> bytes:
    """A box with more in it than it had."""
    return struct.pack(">I", len(beginning) + len(rest)) + beginning[4:] + rest


def _trak(number: int, track: ClipTrack, shown: Shown, created: int, handler: bytes) -> bytes:
    is_video = handler == b"vide"
    duration, edits = _edits(track, shown)
    header = _timed(b"tkhd", 3, created, ">I4x", (number,), duration)
    rest = struct.pack(">8xHHH2x", 0, 0, 0 if is_video else 0x100) + _MATRIX + track.form.size
    return box(b"trak", _closed(header, rest), edits, _media(track, created, handler))


def _media(track: ClipTrack, created: int, handler: bytes) -> bytes:
    times = _timed(b"mdhd", 0, created, ">I", (track.form.timescale,), track.media_duration)
    name = b"video\0" if handler == b"vide" else b"sound\0"
    kind = full_box(b"vmhd", 0, 1, bytes(8)) if handler == b"vide" else full_box(b"smhd", 0, 0, bytes(4))
    return box(
        b"mdia",
        _closed(times, struct.pack(">HH", _UNDEFINED_LANGUAGE, 0)),
        full_box(b"hdlr", 0, 0, struct.pack(">4x4s12x", handler), name),
        box(b"minf", kind, _SELF_CONTAINED, box(b"stbl", track.tables())),
    )


def _edits(track: ClipTrack, shown: Shown) -> tuple[int, bytes]:
    """How long the track is shown (movie time), and its edit list or nothing."""
    rate = track.form.timescale
    begins = (track.begins_at or 0) * MOVIE_TIMESCALE // rate
    ends = min(track.ends_at * MOVIE_TIMESCALE // rate, shown.to_at)
    silent = max(begins - shown.from_at, 0)
    hidden = max(shown.from_at - begins, 0)
    length = max(ends - max(begins, shown.from_at), 0)
    media_time = track.first_composition + hidden * rate // MOVIE_TIMESCALE
    cut_short = track.ends_at * MOVIE_TIMESCALE // rate > shown.to_at
    rows = [(silent, -1)] if silent else []
    if not rows and not media_time and not cut_short:
        return length, b""
    return silent + length, _edit_list([*rows, (length, media_time)])


def _edit_list(rows: list[tuple[int, int]]) -> bytes:
    large = any(value > 0x7FFF_FFFF for row in rows for value in row)
    form = ">QqHH" if large else ">IiHH"
    body = b"".join(struct.pack(form, length, media_time, 1, 0) for length, media_time in rows)
    return box(b"edts", full_box(b"elst", int(large), 0, struct.pack(">I", len(rows)), body))
