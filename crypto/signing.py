"""Signed lines: one JSON text and one Ed25519 signature in a line that a person can read.

    <canonical JSON> <base64 of the signature>\\n

Rules:
- There is one spelling of each noun: keys sorted, no spaces, ASCII, no floats, no key twice. Whatever is
  spelled otherwise is refused, so that a digest says all there is to say.
- What is signed is `sealed-nvr/<purpose>/v1`, a line feed, and the JSON: a signature given for one purpose is
  worth nothing for another.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crypto.errors import BadSignature

SIGNATURE_BYTES = 64
PUBLIC_BYTES = 32


def canonical(noun: dict[str, Any]) -> bytes:
    """The one spelling of `noun`: dicts, lists, text, integers, booleans only. Raises ValueError."""
    return json.dumps(noun, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def digest(noun: dict[str, Any]) -> bytes:
    """SHA-256 of the one spelling."""
    return sha256(canonical(noun)).digest()


def message(purpose: str, body: bytes) -> bytes:
    """The bytes that a signature for `purpose` is made over."""
    return b"sealed-nvr/" + purpose.encode("ascii") + b"/v1\n" + body


@dataclass(frozen=True, slots=True)
class SignedLine:
    """A noun and its signature, which `check` has yet to verify. `bytes()` gives the line back."""

    noun: dict[str, Any] = field(hash=False)
    body: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: bytes) -> SignedLine:
        """The noun in a line, with its line feed or without. Raises BadSignature if it is none."""
        body, _, text = line.removesuffix(b"\n").rpartition(b" ")
        try:
            signature = base64.b64decode(text, validate=True)
            noun = json.loads(body, parse_float=_no_floats, parse_constant=_no_floats)
            is_one_spelling = isinstance(noun, dict) and canonical(noun) == body
        except (ValueError, RecursionError, binascii.Error):
            raise BadSignature("It is not a signed line: its text was changed or cut off.") from None
        if not is_one_spelling or len(signature) != SIGNATURE_BYTES or base64.b64encode(signature) != text:
            raise BadSignature("It is not a signed line: its text was changed or cut off.")
        return cls(noun, body, signature)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the JSON: what the next in a series refers to."""
        return sha256(self.body).digest()

    def check(self, purpose: str, public: bytes) -> None:
        """Returns if the owner of `public` (32 bytes) signed it for `purpose`. Raises BadSignature."""
        verify(public, self.signature, message(purpose, self.body))

    def __bytes__(self) -> bytes:
        return self.body + b" " + base64.b64encode(self.signature) + b"\n"


def sign(purpose: str, noun: dict[str, Any], signer: Ed25519PrivateKey) -> SignedLine:
    """The noun, signed. Raises ValueError for what has no canonical spelling."""
    body = canonical(noun)
    return SignedLine(noun, body, signer.sign(message(purpose, body)))


def verify(public: bytes, signature: bytes, signed: bytes) -> None:
    """Returns if `signature` is of the owner of `public`. Raises BadSignature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        raise BadSignature("The signature does not fit: it was changed, or somebody else signed.") from None


def _no_floats(text: str) -> float:
    raise ValueError(text)
