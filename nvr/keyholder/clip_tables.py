"""The sample tables of one track of a progressive MP4: gathered run by run, written at the end. Pure."""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import chain, groupby

from nvr.keyholder.segment_tables import Run, TrackFormat
from pipeline.boxes import full_box

_LAST_U32 = 0xFFFF_FFFF


class ClipTrack:
    """Times count in the track's timescale, `begins_at` and `ends_at` from the clip's start."""

    def __init__(self, form: TrackFormat) -> None:
        self.form = form
        self.begins_at: int | None = None
        self.media_duration = 0
        self._durations = array("I")
        self._sizes = array("I")
        self._composition = array("i")
        self._keyframes = array("I")
        self._chunk_at = array("Q")
        self._chunk_counts = array("I")

    @property
    def count(self) -> int:
        """How many packets it has."""
        return len(self._sizes)

    @property
    def ends_at(self) -> int:
        """Where the next packet would be decoded."""
        return (self.begins_at or 0) + self.media_duration

    @property
    def first_composition(self) -> int:
        """How much later than it is decoded the first packet is shown, as stored (see `tables`)."""
        return self._composition[0] + self._composition_shift() if self._composition else 0

    def stretch(self, by: int) -> None:
        """Makes the last packet longer, or shorter, but not to nothing."""
        last = self._durations[-1]
        changed = min(max(last + by, 1), _LAST_U32)
        self._durations[-1] = changed
        self.media_duration += changed - last

    def add(self, run: Run, data_at: int) -> None:
        """Appends a run whose bytes stand at `data_at` of the file."""
        before = len(self._sizes)
        self._durations.extend(run.durations)
        self._sizes.extend(run.sizes)
        self.media_duration += sum(run.durations)
        if run.composition and not self._composition:
            self._composition.extend(array("i", bytes(4 * before)))
        if run.composition or self._composition:
            self._composition.extend(run.composition or array("i", bytes(4 * len(run.sizes))))
        self._keyframes.extend([before + 1 + k for k in run.keyframes])
        self._chunk_at.append(data_at)
        self._chunk_counts.append(len(run.sizes))

    def tables(self) -> bytes:
        """The boxes inside `stbl`. Composition offsets are moved to 0 and up: old players know no others."""
        boxes = [self.form.description, _run_lengths(b"stts", self._durations)]
        if any(self._composition):
            shift = self._composition_shift()
            boxes.append(_run_lengths(b"ctts", array("I", [c + shift for c in self._composition])))
        if len(self._keyframes) < self.count:
            boxes.append(_column(b"stss", self._keyframes))
        return b"".join([*boxes, self._sizes_box(), self._chunks_box(), self._offsets_box()])

    def _composition_shift(self) -> int:
        return max(0, -min(self._composition, default=0))

    def _sizes_box(self) -> bytes:
        return full_box(b"stsz", 0, 0, struct.pack(">II", 0, self.count), _big_endian(self._sizes))

    def _chunks_box(self) -> bytes:
        rows = array("I")
        first = 1
        for count, chunks in groupby(self._chunk_counts):
            rows.extend((first, count, 1))
            first += sum(1 for _ in chunks)
        return full_box(b"stsc", 0, 0, struct.pack(">I", len(rows) // 3), _big_endian(rows))

    def _offsets_box(self) -> bytes:
        if self._chunk_at and self._chunk_at[-1] > _LAST_U32:
            return _column(b"co64", self._chunk_at)
        return _column(b"stco", array("I", self._chunk_at))


def _run_lengths(kind: bytes, values: array[int]) -> bytes:
    pairs = [(sum(1 for _ in same), value) for value, same in groupby(values)]
    return full_box(kind, 0, 0, struct.pack(">I", len(pairs)), _big_endian(array("I", chain(*pairs))))


def _column(kind: bytes, values: array[int]) -> bytes:
    return full_box(kind, 0, 0, struct.pack(">I", len(values)), _big_endian(values))


def _big_endian(values: array[int]) -> bytes:
    swapped = array(values.typecode, values)
    if sys.byteorder == "little":
        swapped.byteswap()
    return swapped.tobytes()
