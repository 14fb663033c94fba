"""MP4 boxes (ISO/IEC 14496-12): writing and walking. Bytes in, bytes out; knows no codec and does no I/O.

Sizes are checked against the buffer before anything is read, so a damaged file ends in `BadBox`, never in a
wrong slice. All integers in MP4 are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")
Bytes = bytes | bytearray | memoryview


class BadBox(ValueError):
    """The bytes are not MP4 boxes, or one is cut off or malformed."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies in a buffer: its body is `buffer[body:end]`, its head begins at `start`."""

    kind: bytes
    start: int
    body: int
    end: int


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of the given four-letter kind around its parts."""
    body = b"".join(parts)
    return _HEAD.pack(8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box that begins with a version (0 to 255) and 24 bits of flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def descriptor(tag: int, *parts: bytes) -> bytes:
    """An MPEG-4 descriptor (inside `esds`), its length written in four bytes as most writers do."""
    body = b"".join(parts)
    size = len(body)
    return (
        bytes((tag, size >> 21 & 127 | 128, size >> 14 & 127 | 128, size >> 7 & 127 | 128, size & 127)) + body
    )


def walk(data: Bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes that lie one after the other in `data[start:end]`; raises BadBox where one does not fit."""
    view = memoryview(data)
    end = len(view) if end is None else end
    while start < end:
        found = box_at(view, start, end)
        if found is None:
            raise BadBox(f"a box is cut off at byte {start}")
        yield found
        start = found.end


def box_at(view: memoryview, start: int, end: int) -> Box | None:
    """The box that begins at `start`, or None when it does not end by `end`; BadBox on a wrong size."""
    if end - start < 8:
        return None
    size, kind = _HEAD.unpack_from(view, start)
    body = start + 8
    if size == 1:
        if end - body < 8:
            return None
        size, body = _LARGE.unpack_from(view, body)[0], body + 8
    if size < body - start:
        raise BadBox(f"the box at byte {start} gives its own size as {size}")
    return Box(kind, start, body, start + size) if start + size <= end else None


def find(data: Bytes, path: bytes, start: int = 0, end: int | None = None) -> Box:
    """The first box on a path of kinds (`b"moov/mvex/trex"`); raises BadBox when one is missing."""
    for kind in path.split(b"/"):
        for found in walk(data, start, end):
            if found.kind == kind:
                start, end = found.body, found.end
                break
        else:
            raise BadBox(f"there is no {kind.decode('latin-1')} box")
    return found


def find_all(data: Bytes, kind: bytes, inside: Box) -> list[Box]:
    """Every box of one kind directly inside another."""
    return [found for found in walk(data, inside.body, inside.end) if found.kind == kind]
