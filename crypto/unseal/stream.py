"""Opening from front to back, chunk by chunk, from anything that can be read."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from crypto.errors import DamagedPayload, Truncated
from crypto.identity import Identity
from crypto.payload import SEALED_CHUNK_BYTES, TAG_BYTES
from crypto.unseal.opening import Opened, Readable, Source, open_header


def open_stream(file: Readable, identities: Sequence[Identity]) -> Iterator[bytes]:
    """Opens the header at once; then yields the plaintext of each chunk, at most 64 KiB, as it is asked for.

    Raises WrongIdentity or DamagedHeader at once; the iterator raises DamagedPayload or Truncated, after
    every chunk before the fault. A file counts as whole only when the iterator ends without raising.
    """
    source = Source(file)
    return _chunks(source, open_header(source, identities))


def unseal_bytes(data: bytes, identities: Sequence[Identity]) -> bytes:
    """The plaintext of a whole sealed file. Raises as `open_stream` does, and then gives nothing."""
    return b"".join(open_stream(io.BytesIO(data), identities))


def _chunks(source: Source, opened: Opened) -> Iterator[bytes]:
    number = 0
    while len(piece := source.take(SEALED_CHUNK_BYTES)) == SEALED_CHUNK_BYTES:
        chunk = opened.chunk(number, piece, last=False)
        if chunk is None:
            yield last_chunk(opened, number, piece)
            if source.take(1):
                raise DamagedPayload("This sealed file goes on after its end.", opened.offset(number + 1))
            return
        yield chunk
        number += 1
    yield last_chunk(opened, number, piece)


def last_chunk(opened: Opened, number: int, piece: bytes) -> bytes:
    """The plaintext of the last piece of a file. Raises Truncated or DamagedPayload."""
    offset = opened.offset(number)
    chunk = opened.chunk(number, piece, last=True)
    if chunk is None:
        if len(piece) == SEALED_CHUNK_BYTES and opened.chunk(number, piece, last=False) is None:
            raise damaged(offset)
        raise _lost_end(offset)
    if number and len(piece) == TAG_BYTES:
        raise DamagedPayload("This sealed file ends in an empty chunk, which no sealer writes.", offset)
    return chunk


def damaged(offset: int) -> DamagedPayload:
    """The fault of a chunk that is there and does not open."""
    return DamagedPayload(
        f"This sealed file is damaged at or after byte {offset}; all before it is genuine.", offset
    )


def _lost_end(offset: int) -> Truncated:
    """The fault of a file whose last piece is not a last chunk."""
    return Truncated(
        f"This sealed file lost its end, or is damaged at or after byte {offset}; all before it is genuine.",
        offset,
    )
