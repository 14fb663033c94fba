"""The content of a segment as it lies in the store, and where its headers are.

Rules:
- Of a finished segment the header is the age header at its beginning. An unfinished one has one more in each
  tail record, and before it, in the record's head, the check that covers it: both are replaced when the file
  is sealed to somebody else, so both count as header. All else is payload.
- Whatever the bytes are, they have exactly one content, and no other bytes of a file read in the same way
  have it: what is no header, or no whole record, is payload. So a damaged file is told by another content.
- A file is read once, through one buffer, at the speed of hashing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from crypto.errors import DamagedHeader
from crypto.header import header_end
from crypto.payload import NONCE_BYTES
from pipeline.content import CONTENT_BYTES, Content, ContentHash, content_digest
from pipeline.envelope import BEGINNING_BYTES, SEALED_CHUNK_BYTES
from pipeline.store.tail import HEAD_BYTES, read_record, records_begin

__all__ = [
    "CONTENT_BYTES",
    "Content",
    "ContentHash",
    "Kind",
    "Section",
    "content_digest",
    "content_of",
    "sections",
]

CHECK_BYTES = 4
_BUFFER_BYTES = 1 << 18


class Kind(Enum):
    """What a section of a file is. HEADER and CHECK are what sealing to somebody else replaces."""

    HEADER = "header"
    CHECK = "check"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Section:
    """`length` bytes of a file, all of one kind, from `offset`."""

    kind: Kind
    offset: int
    length: int


def content_of(file: BinaryIO, *, unfinished: bool) -> Content:
    """What `file` contains, read to its end. Raises OSError only; gives some content for whatever it holds.

    `unfinished` is what the segment's name, or the chain, says of it. Moves the file's position. Open the
    file without buffering: it is read in pieces of 256 KiB.
    """
    found = ContentHash()
    view = memoryview(bytearray(_BUFFER_BYTES))
    for section in sections(file, unfinished=unfinished):
        file.seek(section.offset)
        feed = found.payload if section.kind is Kind.PAYLOAD else found.header
        for piece in _pieces(file, section.length, view):
            feed(piece)
    return found.content()


def _pieces(file: BinaryIO, length: int, view: memoryview) -> Iterator[memoryview]:
    """`length` bytes from the file's position, fewer where it ends; a piece lasts until the next."""
    while length > 0:
        count = file.readinto(view[: min(length, len(view))])  # type: ignore[attr-defined]
        if not count:
            return
        yield view[:count]
        length -= count


def sections(file: BinaryIO, *, unfinished: bool) -> list[Section]:
    """All of the file, section by section, in order and without a hole. Raises OSError."""
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    end = _header_bytes(file.read(BEGINNING_BYTES))
    if not end:
        return _payload(0, size_bytes)
    found = [Section(Kind.HEADER, 0, end)]
    if not unfinished:
        return found + _payload(end, size_bytes)
    first = end + NONCE_BYTES
    begin = first + records_begin(file, first, size_bytes) * SEALED_CHUNK_BYTES
    if begin > size_bytes:
        return found + _payload(end, size_bytes)
    return found + _payload(end, begin) + _records(file, begin, size_bytes)


def _records(file: BinaryIO, begin: int, size_bytes: int) -> list[Section]:
    found: list[Section] = []
    file.seek(begin)
    while (record := read_record(file)) is not None:
        sealed = begin + HEAD_BYTES
        end = _header_bytes(record.sealed[:BEGINNING_BYTES])
        if not end:
            break
        found += _payload(begin, sealed - CHECK_BYTES)
        found.append(Section(Kind.CHECK, sealed - CHECK_BYTES, CHECK_BYTES))
        found.append(Section(Kind.HEADER, sealed, end))
        begin = sealed + len(record.sealed)
        found += _payload(sealed + end, begin)
    return found + _payload(begin, size_bytes)


def _payload(begin: int, end: int) -> list[Section]:
    return [Section(Kind.PAYLOAD, begin, end - begin)] if end > begin else []


def _header_bytes(beginning: bytes) -> int:
    """How long the age header is that `beginning` begins with; 0 where none begins, or it does not end."""
    try:
        return header_end(beginning) or 0
    except DamagedHeader:
        return 0
