"""A segment copied for somebody else: new headers, everything else as it is.

Rules:
- The payload is copied, never opened. Of an unfinished segment each tail record has a header of its own, and
  a check over it in the record's head: both are made anew, so that the copy opens as the original did.
- What was read is hashed as it was read: the caller compares it with the chain before it believes the copy.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from crypto.header import parse_header
from crypto.identity import Identity
from crypto.recipient import Recipient
from crypto.rewrap import rewrap
from pipeline.chain.content import Content, ContentHash, Kind, Section, sections

_PIECE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Resealed:
    """What the original contained, and the SHA-256 (hex) of the copy."""

    original: Content
    digest: str


def reseal(
    source: BinaryIO,
    target: BinaryIO,
    identities: Sequence[Identity],
    recipient: Recipient,
    *,
    unfinished: bool,
) -> Resealed:
    """Copies `source`, which `identities` open, into `target` for `recipient`.

    Raises WrongIdentity, DamagedHeader, BadRecipient, OSError.
    """
    return _Copy(source, target, identities, recipient).made(sections(source, unfinished=unfinished))


class _Copy:
    def __init__(
        self, source: BinaryIO, target: BinaryIO, identities: Sequence[Identity], recipient: Recipient
    ) -> None:
        self._source = source
        self._target = target
        self._identities = identities
        self._recipient = recipient
        self._original = ContentHash()
        self._digest = sha256()
        self._next_header = b""

    def made(self, found: Sequence[Section]) -> Resealed:
        if not found or found[0].kind is not Kind.HEADER:
            parse_header(self._read(found[0]) if found else b"")  # says why it is none
        for at, section in enumerate(found):
            if section.kind is Kind.PAYLOAD:
                self._payload(section)
            elif section.kind is Kind.CHECK:
                self._check(found[at - 1 : at + 3])
            else:
                self._header(section)
        return Resealed(self._original.content(), self._digest.hexdigest())

    def _payload(self, section: Section) -> None:
        self._source.seek(section.offset)
        left = section.length
        while left > 0:
            piece = self._source.read(min(left, _PIECE_BYTES))
            if not piece:
                raise EOFError("the segment became shorter while it was read")
            self._original.payload(piece)
            self._put(piece)
            left -= len(piece)

    def _header(self, section: Section) -> None:
        old = self._read(section)
        self._original.header(old)
        self._put(self._next_header or self._rewrapped(old))
        self._next_header = b""

    def _check(self, around: Sequence[Section]) -> None:
        """The check of a record: over its head before it, its new header, and its payload."""
        head, check, header, *payload = around
        self._original.header(self._read(check))
        self._next_header = self._rewrapped(self._read(header))
        crc = zlib.crc32(self._next_header, zlib.crc32(self._read(head)))
        for section in payload:
            crc = zlib.crc32(self._read(section), crc)
        self._put(crc.to_bytes(4, "big"))

    def _rewrapped(self, header: bytes) -> bytes:
        return bytes(rewrap(parse_header(header), self._identities, self._recipient))

    def _read(self, section: Section) -> bytes:
        self._source.seek(section.offset)
        return self._source.read(section.length)

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._target.write(data)
