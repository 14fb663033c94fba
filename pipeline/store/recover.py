"""Start-up: what a crash left becomes unfinished segments. No identity is needed, nothing is opened.

Rules:
- Only who holds the camera's lock may call this, and segments still being written are named in `keep`.
- Every step can be interrupted and the whole repeated: the tail log goes last.
- A file that cannot be dealt with now (a full or read-only disk) stays as it is and is reported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline import walk
from pipeline.durable import DISK, DiskCalls, fsync_directory, rename_without_replacing
from pipeline.envelope import BEGINNING_BYTES, SEALED_CHUNK_BYTES, first_chunk
from pipeline.model import StreamName
from pipeline.names import (
    HIGHEST_BEGUN,
    PART_SUFFIX,
    TAIL_SUFFIX,
    NotAName,
    PartName,
    SegmentName,
    StoredSegment,
)
from pipeline.store.layout import Store
from pipeline.store.tail import Remainder, read_records, records_begin, remainder


@dataclass(frozen=True, slots=True)
class Recovered:
    """What start-up made of the leftovers of one camera."""

    published: tuple[StoredSegment, ...] = ()
    discarded: int = 0  # files that held no footage at all
    failures: tuple[str, ...] = ()  # a sentence for each that could not be dealt with


def recover(
    store: Store, camera: str, keep: frozenset[Path] = frozenset(), disk: DiskCalls = DISK
) -> Recovered:
    """Deals with every `.part` and `.tail` of the camera whose `.part` path is not in `keep`. Raises
    StoreMissing.

    For each, in order of names:
    1. where a published segment has the same start and sequence, remove `.part` and `.tail`: it was published
    2. where `.part` ends within its header, or neither a chunk nor a record with media is there, remove both
    3. cut `.part` after its last whole chunk and append the tail records that reach beyond it
    4. fsync it, rename it without replacing to its name with flag u, fsync the folder, remove `.tail`
    """
    store.open_check()
    published: list[StoredSegment] = []
    failures: list[str] = []
    discarded = 0
    for stream, directory, name in _leftovers(store, camera, keep):
        try:
            segment = _recover_one(stream, directory, name, disk)
        except OSError as error:
            failures.append(
                f"{directory / name.part} could not be recovered: {error.strerror}; it stays as it is"
            )
            continue
        if segment is None:
            discarded += 1
        else:
            published.append(segment)
    return Recovered(tuple(published), discarded, tuple(failures))


def _leftovers(
    store: Store, camera: str, keep: frozenset[Path]
) -> Iterator[tuple[StreamName, Path, PartName]]:
    for stream in walk.streams(store.root, camera):
        for hour in walk.hours(store.root, stream):
            directory = store.root / hour.path
            for name in sorted(_part_names(directory), key=lambda part: (part.start_ms, part.sequence)):
                if directory / name.part not in keep:
                    yield stream, directory, name


def _part_names(directory: Path) -> set[PartName]:
    found = set()
    for entry in walk.entries(directory):
        if entry.name.endswith((PART_SUFFIX, TAIL_SUFFIX)):
            try:
                found.add(PartName.parse(entry.name))
            except NotAName:
                continue
    return found


def _recover_one(
    stream: StreamName, directory: Path, name: PartName, disk: DiskCalls
) -> StoredSegment | None:
    part, tail = directory / name.part, directory / name.tail
    if not part.exists() or _is_published(directory, name):
        _discard(part, tail)
        return None
    with part.open("r+b") as file:
        remaining = _cut(file, tail, disk)
        size_bytes = file.tell()
    if remaining is None:
        _discard(part, tail)
        return None
    published = name.published(remaining.duration_ns // 1_000_000, unfinished=True)
    rename_without_replacing(part, directory / str(published))
    fsync_directory(directory, disk)
    tail.unlink(missing_ok=True)
    return StoredSegment(stream, published, size_bytes)


def _discard(part: Path, tail: Path) -> None:
    part.unlink(missing_ok=True)
    tail.unlink(missing_ok=True)


def _is_published(directory: Path, name: PartName) -> bool:
    for entry in walk.entries(directory):
        try:
            found = SegmentName.parse(entry.name)
        except NotAName:
            continue
        if (found.start_ms, found.sequence) == (name.start_ms, name.sequence):
            return True
    return False


def _cut(file: BinaryIO, tail: Path, disk: DiskCalls) -> Remainder | None:
    """Leaves in `file` whole chunks and needed records, durably, its position at the end; None if that is
    nothing.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    first = first_chunk(file.read(BEGINNING_BYTES))
    if first is None:
        return None
    chunks = records_begin(file, first, size_bytes)
    remaining = _read_remainder(chunks, tail)
    if chunks == 0 and remaining.duration_ns == 0:
        return None
    file.seek(first + chunks * SEALED_CHUNK_BYTES)
    file.truncate()
    file.writelines(bytes(record) for record in remaining.records)
    file.flush()
    disk.fsync(file.fileno())
    return remaining


def _read_remainder(chunks: int, tail: Path) -> Remainder:
    try:
        with tail.open("rb") as log:
            return remainder(chunks, read_records(log))
    except FileNotFoundError:
        return Remainder((), 0)


def last_sequence(store: Store, stream: StreamName) -> int:
    """The highest sequence number that any file of the stream carries; -1 when it has none. Reads names only.

    All of them, since hours are named after a clock that may have been wrong: 260,000 names took 0.3 s, warm.
    """
    last = -1
    for hour in walk.hours(store.root, stream):
        for entry in walk.entries(store.root / hour.path):
            sequence = entry.name.split(".", 2)[1:2]
            if sequence and sequence[0].isdecimal() and sequence[0].isascii():
                last = max(last, _believed(sequence[0]))
    return last


def _believed(digits: str) -> int:
    """Nobody may end a stream by a file whose number leaves none to follow."""
    return int(digits) if len(digits) < len(str(HIGHEST_BEGUN)) else -1
