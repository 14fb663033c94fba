"""The tail log: what a segment being written holds beyond its whole sealed chunks. Pure parsing and making.

Rules:
- A record is a clear head of 32 bytes and a whole age file of its own, so no file key is ever used twice.
- A record that is torn or damaged ends the log: what comes after it is ignored.
- Records may overlap (each begins at the last whole chunk or where the one before ended, whichever is later),
  and together with the chunks they leave no hole up to the end of the last record.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from pipeline.envelope import CHUNK_BYTES, SEALED_CHUNK_BYTES

MAGIC = b"TAIL"
_HEAD = struct.Struct(">4sIQQII")
HEAD_BYTES = _HEAD.size
# A record holds what does not fill a chunk and at most one chunk that is held back, beside its header.
_LONGEST_SEALED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TailRecord:
    """Plaintext bytes `plain_offset` to `plain_end` of the segment, sealed; `duration_ns` of media up to
    there.
    """

    plain_offset: int
    plain_bytes: int
    duration_ns: int
    sealed: bytes = field(repr=False)

    @property
    def plain_end(self) -> int:
        """Where the plaintext it carries ends in the segment's."""
        return self.plain_offset + self.plain_bytes

    def __bytes__(self) -> bytes:
        head = _HEAD.pack(MAGIC, len(self.sealed), self.plain_offset, self.duration_ns, self.plain_bytes, 0)[
            :28
        ]
        return head + zlib.crc32(self.sealed, zlib.crc32(head)).to_bytes(4, "big") + self.sealed


def read_record(file: BinaryIO) -> TailRecord | None:
    """The record at the file's position, which moves past it; None where no whole, undamaged record
    stands.
    """
    head = file.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
        return None
    _, sealed_bytes, plain_offset, duration_ns, plain_bytes, stated = _HEAD.unpack(head)
    if sealed_bytes > _LONGEST_SEALED_BYTES:
        return None
    sealed = file.read(sealed_bytes)
    if len(sealed) < sealed_bytes or zlib.crc32(sealed, zlib.crc32(head[:28])) != stated:
        return None
    return TailRecord(plain_offset, plain_bytes, duration_ns, sealed)


def read_records(file: BinaryIO) -> Iterator[TailRecord]:
    """The records from the file's position on, up to the first that is not whole."""
    while (record := read_record(file)) is not None:
        yield record


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is needed beside `chunks` whole chunks, and how much media all of it is (0 when nothing says)."""

    records: tuple[TailRecord, ...]
    duration_ns: int


def remainder(chunks: int, log: Iterable[TailRecord]) -> Remainder:
    """The records that reach beyond the whole chunks without a hole; holds no more than those in memory."""
    reach = chunks * CHUNK_BYTES
    needed: list[TailRecord] = []
    duration_ns = 0
    for record in log:
        if record.plain_offset > reach:
            break  # a power cut took chunks that this record counted on
        duration_ns = record.duration_ns
        if record.plain_end > reach:
            needed.append(record)
            reach = record.plain_end
    return Remainder(tuple(needed), duration_ns)


def records_begin(file: BinaryIO, first: int, size_bytes: int) -> int:
    """How many whole chunks stand in an unfinished segment before its tail records, or before its end.

    A record can only stand where a chunk would begin, and is known by its head alone, so also when the
    writing of it was cut off. That a chunk looks like the head of the record that fits there has a chance
    below 2**-80.
    Moves the file's position.
    """
    chunks = 0
    while (offset := first + chunks * SEALED_CHUNK_BYTES) + SEALED_CHUNK_BYTES <= size_bytes:
        file.seek(offset)
        if _continues(file.read(HEAD_BYTES), chunks * CHUNK_BYTES):
            return chunks
        chunks += 1
    return chunks


def _continues(head: bytes, reach: int) -> bool:
    magic, _, plain_offset, _, plain_bytes, _ = _HEAD.unpack(head)
    return bool(
        magic == MAGIC and plain_offset <= reach < plain_offset + plain_bytes and plain_bytes <= CHUNK_BYTES
    )
