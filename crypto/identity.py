"""Identities: what opens files. Only people's devices hold them; what records or serves never imports this.

An identity shows its secret in `str` alone, never in `repr` and never in an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHAKE256, Hash
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from crypto import bech32, hybrid
from crypto.errors import BadIdentity, DamagedHeader
from crypto.header import RandomBytes, Stanza, decode64
from crypto.payload import FILE_KEY_BYTES, TAG_BYTES, WRAP_NONCE, derive
from crypto.recipient import (
    SCRYPT_SALT_BYTES,
    X25519_INFO,
    HybridRecipient,
    Recipient,
    ScryptRecipient,
    X25519Recipient,
    scrypt_wrap_key,
)

SECRET_BYTES = 32
PREFIX = "age-secret-key-"
HYBRID_PREFIX = "age-secret-key-pq-"
MAX_WORK_FACTOR = 20
"""A header may ask for this much scrypt and no more: 1 GiB and a few seconds."""

_BODY_BYTES = FILE_KEY_BYTES + TAG_BYTES
_WORK_FACTOR = re.compile("[1-9][0-9]*")


class Identity(Protocol):
    """Something that may open files."""

    @property
    def recipient(self) -> Recipient:
        """What to seal to, so that this identity opens it."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """The file key of a header with these stanzas; None when none of them is for this identity.

        Raises DamagedHeader when a stanza of its kind is malformed.
        """


class X25519Identity:
    """The classic identity, `AGE-SECRET-KEY-1…`."""

    def __init__(self, secret: bytes) -> None:
        """Raises BadIdentity unless `secret` is 32 bytes."""
        self._private = X25519PrivateKey.from_private_bytes(_checked(secret))
        self._public = self._private.public_key().public_bytes_raw()
        self.recipient = X25519Recipient(self._public)
        """What to seal to, so that this identity opens it."""

    @classmethod
    def generate(cls, random: RandomBytes) -> X25519Identity:
        """A new identity."""
        return cls(random(SECRET_BYTES))

    def __str__(self) -> str:
        return bech32.encode(PREFIX, self._private.private_bytes_raw()).upper()

    def __repr__(self) -> str:
        return f"<X25519Identity of {self.recipient}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an identity is not pickled")

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """See Identity."""
        return _first(self._unwrap, "X25519", 1, stanzas)

    def _unwrap(self, stanza: Stanza) -> bytes:
        share = _share(stanza, 32)
        secret = _exchange(self._private, share)
        return _open_file_key(derive(secret, share + self._public, X25519_INFO), stanza)


class HybridIdentity:
    """The post-quantum identity, `AGE-SECRET-KEY-PQ-1…`: a seed from which both halves are expanded."""

    def __init__(self, seed: bytes) -> None:
        """Raises BadIdentity unless `seed` is 32 bytes."""
        self._seed = _checked(seed)
        expansion = Hash(SHAKE256(64 + 32))
        expansion.update(self._seed)
        expanded = expansion.finalize()
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self._x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._private = MLKEM768X25519PrivateKey(mlkem, self._x25519)
        public = mlkem.public_key().public_bytes_raw() + self._x25519.public_key().public_bytes_raw()
        self.recipient = HybridRecipient(public)
        """What to seal to, so that this identity opens it."""

    @classmethod
    def generate(cls, random: RandomBytes) -> HybridIdentity:
        """A new identity."""
        return cls(random(SECRET_BYTES))

    def __str__(self) -> str:
        return bech32.encode(HYBRID_PREFIX, self._seed).upper()

    def __repr__(self) -> str:
        return f"<HybridIdentity of {self.recipient!r}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an identity is not pickled")

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """See Identity."""
        return _first(self._unwrap, hybrid.STANZA_KIND, 1, stanzas)

    def _unwrap(self, stanza: Stanza) -> bytes:
        share = _share(stanza, hybrid.SHARE_BYTES)
        # The library does not tell a share of low order from a stanza for someone else; we refuse the header.
        _exchange(self._x25519, share[hybrid.MLKEM_SHARE_BYTES :])
        return hybrid.SUITE.decrypt(share + stanza.body, self._private, info=hybrid.INFO)


class ScryptIdentity:
    """A passphrase. `unwrap` takes the time and memory that the header asks for, up to the maximum."""

    def __init__(self, passphrase: str, max_work_factor: int = MAX_WORK_FACTOR) -> None:
        self._passphrase = passphrase
        self._max_work_factor = max_work_factor

    @property
    def recipient(self) -> ScryptRecipient:
        """What to seal to, so that this passphrase opens it. Raises BadRecipient for an empty one."""
        return ScryptRecipient(self._passphrase)

    def __str__(self) -> str:
        return "a passphrase"

    def __repr__(self) -> str:
        return f"<ScryptIdentity up to work factor {self._max_work_factor}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an identity is not pickled")

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """See Identity."""
        return _first(self._unwrap, "scrypt", 2, stanzas)

    def _unwrap(self, stanza: Stanza) -> bytes:
        salt = _share(stanza, SCRYPT_SALT_BYTES)
        asked = stanza.args[2]
        if not _WORK_FACTOR.fullmatch(asked):
            raise DamagedHeader(
                "The header of this sealed file is damaged: its scrypt work factor is no number."
            )
        if len(asked) > 2 or int(asked) > self._max_work_factor:
            raise DamagedHeader(
                "This file asks for more scrypt work than is done for a file from anywhere: "
                f"its work factor is above {self._max_work_factor}."
            )
        return _open_file_key(scrypt_wrap_key(self._passphrase, salt, int(asked)), stanza)


def parse_identities(text: str) -> list[Identity]:
    """The identities of an identity file: one a line; empty lines and lines that begin with # are skipped.

    Raises BadIdentity, which names the line and never repeats it.
    """
    found: list[Identity] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            found.append(_parse(line.strip(), f"Line {number} of the identity file"))
    if not found:
        raise BadIdentity(
            "There is no identity in this file: it has no line that begins with AGE-SECRET-KEY-."
        )
    return found


def _parse(text: str, where: str) -> Identity:
    try:
        prefix, secret = bech32.decode(text)
    except ValueError as fault:
        raise BadIdentity(f"{where} is not an identity (AGE-SECRET-KEY-…): {fault}.") from None
    if prefix in (PREFIX, HYBRID_PREFIX) and text.upper() != text:
        raise BadIdentity(f"{where} is not an identity: it must be in capital letters.")
    if prefix == PREFIX:
        return X25519Identity(secret)
    if prefix == HYBRID_PREFIX:
        return HybridIdentity(secret)
    if prefix in ("age", "age1pq"):
        raise BadIdentity(
            f"{where} is a recipient, which opens nothing: give the identity that belongs to it."
        )
    raise BadIdentity(f"{where} is an identity of a kind that we cannot use.")


def _checked(secret: bytes) -> bytes:
    if len(secret) != SECRET_BYTES:
        raise BadIdentity("This is not an identity: its secret has the wrong length.")
    return bytes(secret)


def _first(
    unwrap: Callable[[Stanza], bytes], kind: str, parameters: int, stanzas: Sequence[Stanza]
) -> bytes | None:
    """What `unwrap` gives for the first stanza of this kind that is for us."""
    for stanza in stanzas:
        if stanza.args[0] != kind:
            continue
        # The length is checked before anything is tried: no probing which of many passphrases or keys fits.
        if len(stanza.args) != 1 + parameters or len(stanza.body) != _BODY_BYTES:
            raise DamagedHeader(f"The header of this sealed file is damaged: its {kind} stanza is malformed.")
        try:
            return unwrap(stanza)
        except InvalidTag:
            continue
    return None


def _share(stanza: Stanza, length: int) -> bytes:
    share = decode64(stanza.args[1])
    if len(share) != length:
        raise DamagedHeader(
            f"The header of this sealed file is damaged: its {stanza.args[0]} stanza is malformed."
        )
    return share


def _exchange(private: X25519PrivateKey, share: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError:  # the result would be zero, whatever the identity
        raise DamagedHeader(
            "The header of this sealed file is damaged: it has a share that fits everyone."
        ) from None


def _open_file_key(wrap_key: bytes, stanza: Stanza) -> bytes:
    return ChaCha20Poly1305(wrap_key).decrypt(WRAP_NONCE, stanza.body, None)
