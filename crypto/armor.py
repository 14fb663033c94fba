"""ASCII armor: age files as text, for key files that are mailed or printed.

Decoding is strict, so that an armored file has one form only: whole lines of 64 columns, canonical base64
with padding, nothing but white space outside. Line ends may be LF or CRLF.
"""

from __future__ import annotations

import binascii

from crypto.errors import DamagedArmor

_BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END = b"-----END AGE ENCRYPTED FILE-----"
_COLUMNS = 64
_OUTSIDE = b" \t\r\n"


def armor(sealed: bytes) -> str:
    """The armored text of a sealed file."""
    encoded = binascii.b2a_base64(sealed, newline=False)
    lines = [encoded[at : at + _COLUMNS] for at in range(0, len(encoded), _COLUMNS)]
    return b"\n".join((_BEGIN, *lines, _END, b"")).decode("ascii")


def is_armored(data: bytes) -> bool:
    """Whether this looks like an armored file, not a binary one; `dearmor` says whether it is sound."""
    return data.lstrip(_OUTSIDE).startswith(b"-----BEGIN")


def dearmor(text: str | bytes) -> bytes:
    """The sealed file in an armored text. Raises DamagedArmor."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    lines = data.strip(_OUTSIDE).replace(b"\r\n", b"\n").split(b"\n")
    if lines[0] != _BEGIN:
        raise DamagedArmor("This text does not begin as an armored age file does.")
    if lines[-1] != _END or len(lines) < 2:
        raise DamagedArmor(
            "This armored age file does not end as it should: its last line is missing or changed."
        )
    return _decode(lines[1:-1])


def _decode(lines: list[bytes]) -> bytes:
    if any(len(line) != _COLUMNS for line in lines[:-1]) or not all(
        1 <= len(line) <= _COLUMNS for line in lines
    ):
        raise DamagedArmor("This armored age file has a line of a wrong length.")
    encoded = b"".join(lines)
    try:
        decoded = binascii.a2b_base64(encoded, strict_mode=True)
    except binascii.Error:
        raise DamagedArmor("This armored age file has a character that does not belong there.") from None
    if binascii.b2a_base64(decoded, newline=False) != encoded:  # bits set in the padding
        raise DamagedArmor("This armored age file ends in base64 that no encoder writes.")
    return decoded
