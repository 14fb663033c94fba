"""The header of an age file: parsed strictly and pure, so that bytes(parse_header(data)) is what was parsed.

A header that another writer could have spelt differently is refused: the MAC is over the bytes as they stand.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from crypto.errors import DamagedHeader
from crypto.payload import NONCE_BYTES, derive

RandomBytes = Callable[[int], bytes]
"""So many bytes from a cryptographic source, as os.urandom gives them."""

VERSION_LINE = b"age-encryption.org/v1\n"
MAX_HEADER_BYTES = 1 << 20
"""Room for some 600 hybrid recipients; a file whose header goes on for longer is not read into memory."""

_COLUMNS = 64
_MAC_LINE = re.compile(rb"--- ([A-Za-z0-9+/]{43})")
_ARGUMENTS = re.compile(rb"->(?: [\x21-\x7e]+)+")


@dataclass(frozen=True, slots=True)
class Stanza:
    """The file key, wrapped for one recipient.

    `args` are the kind and what the identity needs, `body` is the wrapped file key.
    """

    args: tuple[str, ...]
    body: bytes = field(repr=False)

    def __bytes__(self) -> bytes:
        encoded = encode64(self.body).encode("ascii")
        # A body that fills its last line is followed by an empty one: the short line ends the stanza.
        lines = [encoded[at : at + _COLUMNS] for at in range(0, len(encoded) + 1, _COLUMNS)]
        return b"\n".join((b"-> " + " ".join(self.args).encode("ascii"), *lines, b""))


@dataclass(frozen=True, slots=True)
class Header:
    """The stanzas of a file and the MAC over them."""

    stanzas: tuple[Stanza, ...]
    mac: bytes = field(repr=False)

    def __bytes__(self) -> bytes:
        return _authenticated(self.stanzas) + b" " + encode64(self.mac).encode("ascii") + b"\n"


def make_header(stanzas: Sequence[Stanza], file_key: bytes) -> Header:
    """The header that carries these stanzas, authenticated with the file key that they wrap."""
    return Header(tuple(stanzas), _mac(stanzas, file_key).finalize())


def _mac(stanzas: Sequence[Stanza], file_key: bytes) -> HMAC:
    mac = HMAC(derive(file_key, b"", b"header"), SHA256())
    mac.update(_authenticated(stanzas))
    return mac


def check_mac(header: Header, file_key: bytes) -> None:
    """Raises cryptography's InvalidSignature unless the header was made with this file key."""
    _mac(header.stanzas, file_key).verify(header.mac)


def payload_start(data: bytes) -> int | None:
    """Where the first chunk begins in a file that begins with `data`.

    None while `data` is not all of header and nonce. Needs no identity. Raises DamagedHeader.
    """
    if header_end(data) is None:
        return None
    start = len(bytes(parse_header(data))) + NONCE_BYTES
    return start if start <= len(data) else None


def header_end(data: bytes | bytearray) -> int | None:
    """Where the header ends in a file that begins with `data`; None when more of it is needed.

    Raises DamagedHeader as soon as `data` cannot be the beginning of an age file.
    """
    if not VERSION_LINE.startswith(data[: len(VERSION_LINE)]):
        raise DamagedHeader("This is not a sealed file (age v1), or its first bytes are damaged.")
    mark = data.find(b"\n---")
    end = data.find(b"\n", mark + 1) if mark >= 0 else -1
    if end < 0 and len(data) > MAX_HEADER_BYTES:
        raise DamagedHeader("The header of this sealed file has no end.")
    return end + 1 if end >= 0 else None


def parse_header(data: bytes) -> Header:
    """The header at the beginning of `data`; what follows it is ignored. Raises DamagedHeader."""
    end = header_end(data)
    if end is None:
        raise DamagedHeader("This sealed file ends within its header.")
    lines = data[len(VERSION_LINE) : end - 1].split(b"\n")
    stanzas: list[Stanza] = []
    at = 0
    while at < len(lines) - 1:
        stanza, at = _parse_stanza(lines, at)
        stanzas.append(stanza)
    found = _MAC_LINE.fullmatch(lines[-1])
    if not found or not stanzas:
        raise _malformed("its last line is not a MAC" if not found else "it has no stanza")
    return Header(tuple(stanzas), decode64(found[1]))


def _parse_stanza(lines: list[bytes], at: int) -> tuple[Stanza, int]:
    if not _ARGUMENTS.fullmatch(lines[at]):
        raise _malformed("a stanza does not begin as it should")
    args = tuple(lines[at].decode("ascii").split(" ")[1:])
    encoded = bytearray()
    for after, line in enumerate(lines[at + 1 : -1], at + 2):
        encoded += line
        if len(line) > _COLUMNS:
            break
        if len(line) < _COLUMNS:
            return Stanza(args, decode64(bytes(encoded))), after
    raise _malformed("a stanza has no end")


def _authenticated(stanzas: Sequence[Stanza]) -> bytes:
    return b"".join((VERSION_LINE, *map(bytes, stanzas), b"---"))


def encode64(data: bytes) -> str:
    """Base64 without padding."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").decode("ascii")


def decode64(text: str | bytes) -> bytes:
    """Canonical base64 without padding. Raises DamagedHeader for anything else."""
    encoded = text.encode("ascii") if isinstance(text, str) else text
    try:
        data = binascii.a2b_base64(encoded + b"=" * (-len(encoded) % 4), strict_mode=True)
    except binascii.Error:
        raise _malformed("it has base64 that is none") from None
    if binascii.b2a_base64(data, newline=False).rstrip(b"=") != encoded:
        raise _malformed("it has base64 that no encoder writes")
    return data


def _malformed(why: str) -> DamagedHeader:
    return DamagedHeader(f"The header of this sealed file is damaged: {why}.")
