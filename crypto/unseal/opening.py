"""From the first byte of a sealed file to the cipher of its chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.errors import DamagedHeader, HeaderMac, WrongIdentity
from crypto.header import Header, check_mac, header_end, parse_header
from crypto.identity import Identity
from crypto.payload import NONCE_BYTES, SEALED_CHUNK_BYTES, chunk_nonce, payload_cipher

_READ_BYTES = 4096


class Readable(Protocol):
    """A binary file, pipe or the like, read from where it stands."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes; none at the end."""


class Source:
    """Reads a sealed file from its beginning: the header, then pieces of a length."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._ahead = b""

    def header(self) -> bytes:
        """All of the header and no more. Raises DamagedHeader where it does not end."""
        data = bytearray()
        while (end := header_end(data)) is None:
            block = self._file.read(_READ_BYTES)
            if not block:
                raise DamagedHeader("This sealed file ends within its header.")
            data += block
        self._ahead = bytes(data[end:])
        return bytes(data[:end])

    def take(self, length: int) -> bytes:
        """So many bytes, fewer only at the end of the file."""
        piece, self._ahead = self._ahead[:length], self._ahead[length:]
        while len(piece) < length:
            block = self._file.read(length - len(piece))
            if not block:
                break
            piece = piece + block if piece else block
        return piece


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose header opened."""

    cipher: ChaCha20Poly1305 = field(repr=False)
    payload_start: int
    """Where the first chunk begins."""

    def offset(self, number: int) -> int:
        """Where chunk `number` begins in the sealed file."""
        return self.payload_start + number * SEALED_CHUNK_BYTES

    def chunk(self, number: int, piece: bytes, *, last: bool) -> bytes | None:
        """The plaintext of a sealed chunk; None when it is not chunk `number` of this file, unaltered."""
        try:
            return self.cipher.decrypt(chunk_nonce(number, last=last), piece, None)
        except InvalidTag:
            return None


def open_header(source: Source, identities: Sequence[Identity]) -> Opened:
    """Reads header and nonce. Raises WrongIdentity, DamagedHeader or HeaderMac."""
    raw = source.header()
    header = parse_header(raw)
    file_key = file_key_of(header, identities)
    nonce = source.take(NONCE_BYTES)
    if len(nonce) != NONCE_BYTES:
        raise DamagedHeader("This sealed file ends right after its header.")
    return Opened(payload_cipher(file_key, nonce), len(raw) + NONCE_BYTES)


def file_key_of(header: Header, identities: Sequence[Identity]) -> bytes:
    """What opens the payload, once the header's MAC was verified. Raises as `open_header` does."""
    if len(header.stanzas) > 1 and any(stanza.args[0] == "scrypt" for stanza in header.stanzas):
        raise DamagedHeader(
            "The header of this sealed file is damaged: a passphrase stanza must be the only one."
        )
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            _check_mac(header, file_key)
            return file_key
    raise WrongIdentity("None of the identities given opens this file: it was sealed to someone else.")


def _check_mac(header: Header, file_key: bytes) -> None:
    try:
        check_mac(header, file_key)
    except InvalidSignature:
        raise HeaderMac("The header of this sealed file was changed after it was sealed.") from None
