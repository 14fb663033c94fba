"""What can be told of a sealed file without opening it: where its payload begins, how many whole chunks it
has.

Pure, and no check of authenticity: only an identity can tell whether the bytes are what they seem to be.
"""

from __future__ import annotations

from crypto.errors import DamagedHeader
from crypto.header import payload_start
from crypto.payload import CHUNK_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES

__all__ = [
    "BEGINNING_BYTES",
    "CHUNK_BYTES",
    "SEALED_CHUNK_BYTES",
    "could_be_whole",
    "first_chunk",
    "whole_chunks",
]

# Enough for a header with eight hybrid recipients (about 1.6 kB each); ours have one.
BEGINNING_BYTES = 16_384


def first_chunk(beginning: bytes) -> int | None:
    """Where the first chunk begins in a file that begins so; None if it is no age file, or ends in its
    header.
    """
    try:
        return payload_start(beginning)
    except DamagedHeader:
        return None


def whole_chunks(first: int, size_bytes: int) -> int:
    """How many whole chunks a file of that size holds, the first of which begins at `first`."""
    return max(0, size_bytes - first) // SEALED_CHUNK_BYTES


def could_be_whole(first: int, size_bytes: int) -> bool:
    """Whether a finished age file can have that size: its last chunk is empty only where it is the only
    one.
    """
    rest = size_bytes - first
    return rest == TAG_BYTES or (rest > TAG_BYTES and not 1 <= rest % SEALED_CHUNK_BYTES <= TAG_BYTES)
