"""What a sealed file contains, as two hashes: of its headers, and of all else.

    content = SHA-256(header hash || payload hash)

Rules:
- Hashed apart, so that a file whose headers were replaced (the same file key, sealed to somebody else) is
  shown to carry the same payload, given the header hash of before.
- The order of feeding is that of the file, within each kind; how the bytes are cut into calls says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

CONTENT_BYTES = 32

Bytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Content:
    """The hashes of one file, 32 bytes each, and how long it is."""

    header_hash: bytes
    payload_hash: bytes
    size_bytes: int

    @property
    def digest(self) -> bytes:
        """What the chain remembers of the file, 32 bytes."""
        return content_digest(self.header_hash, self.payload_hash)


def content_digest(header_hash: bytes, payload_hash: bytes) -> bytes:
    """SHA-256 of both, 32 bytes."""
    return sha256(header_hash + payload_hash).digest()


class ContentHash:
    """Fed as a file is written or read. Costs one pass of SHA-256, without the GIL for pieces above 2 kB."""

    def __init__(self) -> None:
        self._header = sha256()
        self._payload = sha256()
        self.size_bytes = 0
        """How many bytes it was fed."""

    def header(self, data: Bytes) -> None:
        """An age header, from its first byte through the line feed after the MAC."""
        self._header.update(data)
        self.size_bytes += len(data)

    def payload(self, data: Bytes) -> None:
        """What is no header: nonce and sealed chunks."""
        self._payload.update(data)
        self.size_bytes += len(data)

    def content(self) -> Content:
        """Of what it was fed so far."""
        return Content(self._header.digest(), self._payload.digest(), self.size_bytes)

    def digest(self) -> bytes:
        """`content().digest`, 32 bytes."""
        return self.content().digest
