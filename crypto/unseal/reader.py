"""Random access to the plaintext of a sealed file, for players and exporters that jump about."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from crypto.errors import DamagedPayload
from crypto.identity import Identity
from crypto.payload import CHUNK_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES
from crypto.unseal.opening import Readable, Source, open_header
from crypto.unseal.stream import damaged, last_chunk

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class SeekableFile(Readable, Protocol):
    """A binary file that can be read anywhere."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Where it stands then, from the beginning."""


class SealedReader(io.RawIOBase):
    """The plaintext of a sealed file that stands alone in `file`, readable and seekable.

    The last chunk is verified first, since the length of the plaintext depends on it. Only the chunks asked
    for are read; the one used last is kept. Does not close `file`.
    """

    def __init__(self, file: SeekableFile, identities: Sequence[Identity]) -> None:
        """Raises WrongIdentity, DamagedHeader, Truncated or DamagedPayload."""
        super().__init__()
        self._file = file
        file.seek(0)
        self._opened = open_header(Source(file), identities)
        self._position = 0
        sealed_bytes = file.seek(0, os.SEEK_END) - self._opened.payload_start
        self._last = max(0, (sealed_bytes - 1) // SEALED_CHUNK_BYTES)
        self.size_bytes = sealed_bytes - (self._last + 1) * TAG_BYTES
        """Length of the plaintext."""
        self._held = last_chunk(self._opened, self._last, self._piece(self._last))
        self._held_number = self._last

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position in the plaintext."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Moves the position, also beyond the end, where nothing is read."""
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}
        origin = origins.get(whence)
        if origin is None or origin + offset < 0:
            raise ValueError("no such position")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills the buffer, or up to the end or to a damaged chunk; raises DamagedPayload at one."""
        with memoryview(buffer) as given, given.cast("B") as view:
            filled = 0
            while filled < len(view) and self._position < self.size_bytes:
                try:
                    part = self._part(len(view) - filled)
                except DamagedPayload:
                    if filled:
                        break
                    raise
                view[filled : filled + len(part)] = part
                filled += len(part)
                self._position += len(part)
            return filled

    def readall(self) -> bytes:
        """All from the position to the end."""
        pieces = []
        while piece := self.read(max(0, self.size_bytes - self._position)):
            pieces.append(piece)
        return b"".join(pieces)

    def _part(self, length: int) -> memoryview:
        """At most `length` bytes from the position to the end of its chunk."""
        number, skip = divmod(self._position, CHUNK_BYTES)
        return memoryview(self._chunk(number))[skip : skip + length]

    def _chunk(self, number: int) -> bytes:
        if number != self._held_number:
            chunk = self._opened.chunk(number, self._piece(number), last=number == self._last)
            if chunk is None:
                raise damaged(self._opened.offset(number))
            self._held_number, self._held = number, chunk
        return self._held

    def _piece(self, number: int) -> bytes:
        self._file.seek(self._opened.offset(number))
        return Source(self._file).take(SEALED_CHUNK_BYTES)
