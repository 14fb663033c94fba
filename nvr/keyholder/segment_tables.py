"""An unsealed segment as tables: where its packets lie, how long each lasts, which are keyframes. Pure.

Reads what `pipeline.mux` writes (docs/format.md, section 2) and refuses everything else. Tables are copied
and byte-swapped whole; no packet is ever an object of its own, for an hour has a third of a million of them.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass

from pipeline.boxes import BadBox, Box, box_at, find, find_all, walk
from pipeline.model import SegmentMark
from pipeline.mux import AUDIO_TRACK, VIDEO_TRACK, read_mark

_NOT_SYNC = 0x0001_0000
_DATA_OFFSET, _FIRST_FLAGS, _DURATION, _SIZE, _FLAGS, _OFFSET = 0x1, 0x4, 0x100, 0x200, 0x400, 0x800
_COLUMNS = (_DURATION, _SIZE, _FLAGS, _OFFSET)
NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """What must be equal for two segments to go into one file: the `stsd` box and the timescale."""

    description: bytes
    timescale: int
    size: bytes  # width and height as tkhd has them


@dataclass(frozen=True, slots=True)
class Run:
    """A track's packets in one fragment. `composition` is empty when packets are shown as decoded;
    `keyframes` counts within the run; the bytes lie in one piece from `data_at`.
    """

    decode_time: int
    durations: array[int]
    sizes: array[int]
    composition: array[int]
    keyframes: tuple[int, ...]
    data_at: int

    def part(self, first: int, last: int) -> Run:
        """The packets from `first` until before `last`."""
        if first == 0 and last == len(self.sizes):
            return self
        return Run(
            self.decode_time + sum(self.durations[:first]),
            self.durations[first:last],
            self.sizes[first:last],
            self.composition[first:last],
            tuple(k - first for k in self.keyframes if first <= k < last),
            self.data_at + sum(self.sizes[:first]),
        )


@dataclass(frozen=True, slots=True)
class FragmentTables:
    """The runs of one fragment; None for a track that has no packet in it."""

    video: Run | None
    audio: Run | None


@dataclass(frozen=True, slots=True)
class OpenSegment:
    """A segment in memory. `duration_ns` is how far its footage reaches, as its name says."""

    mark: SegmentMark
    duration_ns: int
    plaintext: memoryview
    video: TrackFormat
    audio: TrackFormat | None
    fragments: tuple[FragmentTables, ...]

    @property
    def start_ns(self) -> int:
        """UTC of the first frame."""
        return self.mark.start_ns

    @property
    def end_ns(self) -> int:
        """UTC of the end of the last frame."""
        return self.start_ns + self.duration_ns


def open_tables(plaintext: bytes, duration_ns: int | None, *, unfinished: bool = False) -> OpenSegment:
    """Reads a whole segment. Raises BadBox when it is none, or breaks off and is not `unfinished`.

    `duration_ns` is what its name says; None where no name does, then the media's own is taken.
    """
    try:
        return _open_tables(memoryview(plaintext), duration_ns, unfinished)
    except (struct.error, IndexError, ValueError) as fault:
        raise fault if isinstance(fault, BadBox) else BadBox("its tables are damaged") from None


def _open_tables(view: memoryview, duration_ns: int | None, unfinished: bool) -> OpenSegment:
    fragments: list[FragmentTables] = []
    formats: dict[int, TrackFormat] = {}
    moof: Box | None = None
    at = 0
    while at < len(view):
        found = box_at(view, at, len(view))
        if found is None:
            if unfinished:
                break
            raise BadBox(f"it breaks off at byte {at}")
        if found.kind == b"moov":
            formats = _formats(view, found)
        elif found.kind == b"moof":
            moof = found
        elif found.kind == b"mdat" and moof is not None:
            fragments.append(_fragment(view, moof, found))
        at = found.end
    if VIDEO_TRACK not in formats:
        raise BadBox("it has no video track")
    if duration_ns is None:
        duration_ns = _media_end(fragments) * NS // formats[VIDEO_TRACK].timescale
    return OpenSegment(
        read_mark(view), duration_ns, view, formats[VIDEO_TRACK], formats.get(AUDIO_TRACK), tuple(fragments)
    )


def _media_end(fragments: list[FragmentTables]) -> int:
    runs = [fragment.video for fragment in fragments if fragment.video]
    return runs[-1].decode_time + sum(runs[-1].durations) if runs else 0


def _formats(view: memoryview, moov: Box) -> dict[int, TrackFormat]:
    return dict(_format(view, trak) for trak in find_all(view, b"trak", moov))


def _format(view: memoryview, trak: Box) -> tuple[int, TrackFormat]:
    tkhd = find(view, b"tkhd", trak.body, trak.end)
    mdhd = find(view, b"mdia/mdhd", trak.body, trak.end)
    stsd = find(view, b"mdia/minf/stbl/stsd", trak.body, trak.end)
    (number,) = struct.unpack_from(">20xI", view, tkhd.body)
    (timescale,) = struct.unpack_from(">20xI", view, mdhd.body)
    if timescale == 0:
        raise BadBox("a track has no timescale")
    description = bytes(view[stsd.start : stsd.end])
    return number, TrackFormat(description, timescale, bytes(view[tkhd.end - 8 : tkhd.end]))


def _fragment(view: memoryview, moof: Box, mdat: Box) -> FragmentTables:
    runs = {}
    for traf in find_all(view, b"traf", moof):
        (number,) = struct.unpack_from(">4xI", view, find(view, b"tfhd", traf.body, traf.end).body)
        run = _run(view, moof, traf)
        if run.data_at < mdat.body or run.data_at + sum(run.sizes) > mdat.end:
            raise BadBox("packets lie outside of their fragment")
        runs[number] = run
    return FragmentTables(runs.get(VIDEO_TRACK), runs.get(AUDIO_TRACK))


def _run(view: memoryview, moof: Box, traf: Box) -> Run:
    boxes = {found.kind: found for found in walk(view, traf.body, traf.end)}
    if b"tfdt" not in boxes or b"trun" not in boxes:
        raise BadBox("a fragment lacks its times or its packets")
    default_flags = struct.unpack_from(">8xI", view, boxes[b"tfhd"].body)[0]
    decode_time = struct.unpack_from(">4xQ", view, boxes[b"tfdt"].body)[0]
    trun = boxes[b"trun"]
    flags, count, data_offset = struct.unpack_from(">IIi", view, trun.body)
    flags &= 0xFF_FFFF
    if not flags & _DATA_OFFSET or not flags & _DURATION or not flags & _SIZE:
        raise BadBox("a fragment was not written by this program")
    at = trun.body + 12 + (4 if flags & _FIRST_FLAGS else 0)
    first_flags = struct.unpack_from(">I", view, at - 4)[0] if flags & _FIRST_FLAGS else default_flags
    columns = _columns(view[at : trun.end], flags, count)
    return Run(
        decode_time,
        columns[_DURATION],
        columns[_SIZE],
        _signed(columns.get(_OFFSET)),
        _keyframes(columns.get(_FLAGS), first_flags, default_flags, count),
        moof.start + data_offset,
    )


def _columns(table: memoryview, flags: int, count: int) -> dict[int, array[int]]:
    present = [flag for flag in _COLUMNS if flags & flag]
    if len(table) != 4 * count * len(present):
        raise BadBox("a fragment's table has the wrong length")
    rows = array("I")
    rows.frombytes(table)
    if sys.byteorder == "little":
        rows.byteswap()
    return {flag: rows[n :: len(present)] for n, flag in enumerate(present)}


def _signed(column: array[int] | None) -> array[int]:
    return array("i", column.tobytes()) if column else array("i")


def _keyframes(column: array[int] | None, first: int, default: int, count: int) -> tuple[int, ...]:
    if column is not None:
        return tuple(n for n, flags in enumerate(column) if not flags & _NOT_SYNC)
    if not default & _NOT_SYNC:
        return tuple(range(count))
    return () if first & _NOT_SYNC else (0,)
