"""Bech32 as BIP 173 has it, without its limit on length, as age uses it for recipients and identities.

Strict: one case throughout, a right checksum, no padding bits set. Errors never carry the text: it may be
secret.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_TERMS = tuple(
    functools.reduce(operator.xor, (term for bit, term in enumerate(_GENERATOR) if top >> bit & 1), 0)
    for top in range(32)
)  # a household of hybrid recipients has 2000 letters in each of hundreds
_CHECKSUM_LENGTH = 6


def encode(prefix: str, data: bytes) -> str:
    """The lower-case text of `data` under the lower-case human-readable `prefix`."""
    values = list(_regroup(data, 8, 5))
    spare = -len(data) * 8 % 5
    if spare:
        values.append((data[-1] << spare) & 31)
    checked = _polymod([*_expand(prefix), *values, *[0] * _CHECKSUM_LENGTH]) ^ 1
    checksum = [(checked >> 5 * (5 - place)) & 31 for place in range(_CHECKSUM_LENGTH)]
    return prefix + "1" + "".join(_ALPHABET[value] for value in (*values, *checksum))


def decode(text: str) -> tuple[str, bytes]:
    """The lower-case prefix and the data of a text, which must be all lower or all upper case.

    Raises ValueError, with a message that does not contain the text.
    """
    if text.lower() != text and text.upper() != text:
        raise ValueError("mixed upper and lower case")
    prefix, separator, body = text.lower().rpartition("1")
    if not separator or not prefix or len(body) < _CHECKSUM_LENGTH:
        raise ValueError("too short, or no separator")
    if not all(33 <= ord(letter) <= 126 for letter in prefix) or not _VALUES.keys() >= set(body):
        raise ValueError("a letter that does not occur in Bech32")
    values = [_VALUES[letter] for letter in body]
    if _polymod([*_expand(prefix), *values]) != 1:
        raise ValueError("wrong checksum: a letter is mistyped or missing")
    return prefix, _pack(values[:-_CHECKSUM_LENGTH])


def _pack(values: list[int]) -> bytes:
    spare = len(values) * 5 % 8
    if spare >= 5 or (values and values[-1] & ((1 << spare) - 1)):
        raise ValueError("wrong padding")
    return bytes(_regroup(values, 5, 8))


def _regroup(values: Iterable[int], from_bits: int, to_bits: int) -> Iterable[int]:
    """Whole groups only; the bits left over are the caller's business."""
    held, bits = 0, 0
    for value in values:
        held = ((held << from_bits) | value) & 0xFFF
        bits += from_bits
        while bits >= to_bits:
            bits -= to_bits
            yield (held >> bits) & ((1 << to_bits) - 1)


def _expand(prefix: str) -> list[int]:
    letters = [ord(letter) for letter in prefix]
    return [*(letter >> 5 for letter in letters), 0, *(letter & 31 for letter in letters)]


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value ^ _TERMS[checksum >> 25]
    return checksum
