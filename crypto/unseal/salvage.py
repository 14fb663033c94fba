"""Opening what is there of a file that was never finished.

Only for files that are known to be unfinished: of a finished one that lost its end this would give a part and
no fault, which is why the other ways of opening refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crypto.identity import Identity
from crypto.payload import SEALED_CHUNK_BYTES
from crypto.unseal.opening import Opened, Readable, Source, open_header
from crypto.unseal.stream import damaged


class Salvaged:
    """Iterate over it, once: the plaintext of each whole chunk, in order.

    The iterator ends where the file ends, also within a chunk; at the last chunk of a finished file; or where
    the file goes on with `stop_marker`. It raises DamagedPayload at a whole chunk that does not open.
    """

    def __init__(self, source: Source, opened: Opened, stop_marker: bytes) -> None:
        self._source = source
        self._opened = opened
        self._stop_marker = stop_marker
        self.ended = False
        """Whether the chunk that ends a finished file was found."""
        self.end_offset = opened.payload_start
        """Where, in bytes of the sealed file, the chunks given so far end."""

    def __iter__(self) -> Iterator[bytes]:
        number = 0
        while not self.ended:
            piece = self._source.take(SEALED_CHUNK_BYTES)
            chunk = self._open(number, piece)
            if chunk is None:
                self._judge(piece)
                return
            self.end_offset += len(piece)
            number += 1
            yield chunk

    def _open(self, number: int, piece: bytes) -> bytes | None:
        if len(piece) == SEALED_CHUNK_BYTES:
            chunk = self._opened.chunk(number, piece, last=False)
            if chunk is not None:
                return chunk
        chunk = self._opened.chunk(number, piece, last=True)
        self.ended = chunk is not None
        return chunk

    def _judge(self, piece: bytes) -> None:
        marked = self._stop_marker and piece.startswith(self._stop_marker)
        if len(piece) == SEALED_CHUNK_BYTES and not marked:
            raise damaged(self.end_offset)


def salvage(file: Readable, identities: Sequence[Identity], stop_marker: bytes = b"") -> Salvaged:
    """Opens the header of an unfinished file and prepares its whole chunks.

    `stop_marker` is how something else begins that may follow the chunks in the same file.
    Raises WrongIdentity or DamagedHeader: without header and nonce there is nothing to salvage.
    """
    source = Source(file)
    return Salvaged(source, open_header(source, identities), stop_marker)
