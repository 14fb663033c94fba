"""The sealing side of age's hybrid recipients, `mlkem768x25519`: safe as long as one of the two halves holds.

The file key is sealed by HPKE (RFC 9180, base mode) over X-Wing, HKDF-SHA-256 and ChaCha20-Poly1305. The
library draws the ephemeral keys itself: the `random` given to `wrap` is not used.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from crypto import bech32
from crypto.errors import BadRecipient
from crypto.header import RandomBytes, Stanza, encode64

PREFIX = "age1pq"
STANZA_KIND = "mlkem768x25519"
INFO = b"age-encryption.org/mlkem768x25519"
MLKEM_PUBLIC_BYTES = 1184
MLKEM_SHARE_BYTES = 1088
SHARE_BYTES = MLKEM_SHARE_BYTES + 32
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class HybridRecipient:
    """ML-KEM-768 and X25519 together, `age1pq1…`: 1216 bytes, of which the last 32 are the X25519 part."""

    post_quantum = True
    alone = False

    def __init__(self, public: bytes) -> None:
        """Raises BadRecipient."""
        try:
            mlkem = MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES])
            x25519 = X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:])
            X25519PrivateKey.from_private_bytes(bytes(32)).exchange(x25519)  # refuses points of low order
            self._public = MLKEM768X25519PublicKey(mlkem, x25519)
        except ValueError:
            raise BadRecipient("This post-quantum recipient is damaged: it is not a public key.") from None
        self._text = bech32.encode(PREFIX, public)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"HybridRecipient({self._text[:20]}…)"

    def wrap(self, file_key: bytes, random: RandomBytes) -> Stanza:
        """A stanza from which only the identity of this recipient gets the file key."""
        del random
        wrapped = SUITE.encrypt(file_key, self._public, info=INFO)
        return Stanza((STANZA_KIND, encode64(wrapped[:SHARE_BYTES])), wrapped[SHARE_BYTES:])
