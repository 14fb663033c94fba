"""To whom a file can be sealed. Public: nothing here opens anything.

A recipient's text form is age's own, so that any age program can seal to it.
"""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crypto import bech32, hybrid
from crypto.errors import BadRecipient
from crypto.header import RandomBytes, Stanza, encode64
from crypto.hybrid import HybridRecipient
from crypto.payload import WRAP_NONCE, derive

PREFIX = "age"
X25519_INFO = b"age-encryption.org/v1/X25519"
SCRYPT_INFO = b"age-encryption.org/v1/scrypt"
SCRYPT_SALT_BYTES = 16
DEFAULT_WORK_FACTOR = 16

__all__ = [
    "HybridRecipient",
    "Recipient",
    "ScryptRecipient",
    "X25519Recipient",
    "parse_recipient",
    "scrypt_wrap_key",
]


class Recipient(Protocol):
    """Someone to seal to."""

    @property
    def post_quantum(self) -> bool:
        """Whether it resists quantum computers. Those that do are not mixed with those that do not."""

    @property
    def alone(self) -> bool:
        """Whether it must be the only recipient of a file, as a passphrase must."""

    def __str__(self) -> str:
        """The text form, `age1…`."""

    def wrap(self, file_key: bytes, random: RandomBytes) -> Stanza:
        """A stanza from which only the identity of this recipient gets the file key."""


class X25519Recipient:
    """The classic recipient, `age1…`: 32 bytes of a public key."""

    post_quantum = False
    alone = False

    def __init__(self, public: bytes) -> None:
        """Raises BadRecipient, also for the few points of low order, to which everyone could open."""
        try:
            self._public = X25519PublicKey.from_public_bytes(public)
            X25519PrivateKey.from_private_bytes(bytes(32)).exchange(self._public)
        except ValueError:
            raise BadRecipient("This recipient is damaged: it is not a public key.") from None
        self._bytes = bytes(public)

    def __str__(self) -> str:
        return bech32.encode(PREFIX, self._bytes)

    def __repr__(self) -> str:
        return f"X25519Recipient({self})"

    def wrap(self, file_key: bytes, random: RandomBytes) -> Stanza:
        """A stanza from which only the identity of this recipient gets the file key."""
        ephemeral = X25519PrivateKey.from_private_bytes(random(32))
        share = ephemeral.public_key().public_bytes_raw()
        wrap_key = derive(ephemeral.exchange(self._public), share + self._bytes, X25519_INFO)
        return Stanza(("X25519", encode64(share)), seal_file_key(wrap_key, file_key))


class ScryptRecipient:
    """Whoever knows a passphrase. `work_factor` is the base-2 logarithm of scrypt's N (16: 64 MiB)."""

    post_quantum = True  # nothing in it is asymmetric
    alone = True

    def __init__(self, passphrase: str, work_factor: int = DEFAULT_WORK_FACTOR) -> None:
        if not passphrase or not 1 <= work_factor <= 30:
            raise BadRecipient("A passphrase must not be empty, and its work factor is between 1 and 30.")
        self._passphrase = passphrase
        self._work_factor = work_factor

    def __str__(self) -> str:
        return "a passphrase"

    def __repr__(self) -> str:
        return f"ScryptRecipient(work_factor={self._work_factor})"

    def wrap(self, file_key: bytes, random: RandomBytes) -> Stanza:
        """A stanza from which only the passphrase gets the file key."""
        salt = random(SCRYPT_SALT_BYTES)
        wrap_key = scrypt_wrap_key(self._passphrase, salt, self._work_factor)
        return Stanza(("scrypt", encode64(salt), str(self._work_factor)), seal_file_key(wrap_key, file_key))


def seal_file_key(wrap_key: bytes, file_key: bytes) -> bytes:
    """The 32-byte body of a stanza; each wrap key must seal one file key only."""
    return ChaCha20Poly1305(wrap_key).encrypt(WRAP_NONCE, file_key, None)


def scrypt_wrap_key(passphrase: str, salt: bytes, work_factor: int) -> bytes:
    """The wrap key of a passphrase. Takes 2**work_factor KiB of memory, and CPU time to match."""
    cost = Scrypt(salt=SCRYPT_INFO + salt, length=32, n=1 << work_factor, r=8, p=1)
    return cost.derive(passphrase.encode())


def parse_recipient(text: str) -> X25519Recipient | HybridRecipient:
    """The recipient that a text names. Raises BadRecipient, whose message does not contain the text."""
    text = text.strip()
    if text.upper().startswith("AGE-SECRET-KEY-"):
        raise BadRecipient(
            "This is an identity, which is secret: give its recipient, which begins with age1."
        )
    try:
        prefix, public = bech32.decode(text)
    except ValueError as fault:
        raise BadRecipient(f"This is not a recipient (age1…): {fault}.") from None
    if prefix == PREFIX:
        return X25519Recipient(public)
    if prefix == hybrid.PREFIX:
        return HybridRecipient(public)
    raise BadRecipient(
        "This is not a recipient that we can seal to: it begins with neither age1 nor age1pq1."
    )
