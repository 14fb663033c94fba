"""The member key: what a member signs with, derived from the identity, so that one secret is all they keep.

    seed = HKDF-SHA-256(the identity's 32 secret bytes, salt empty, info `sealed-nvr/member-key/v1/<kind>`)

`<kind>` is `x25519` or `mlkem768x25519`; the seed is that of an Ed25519 key (RFC 8032). A signature says
nothing about the identity, and no key of one kind is ever another's.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import bech32
from crypto.errors import BadIdentity
from crypto.identity import HybridIdentity, Identity, X25519Identity
from crypto.payload import derive

_INFO = b"sealed-nvr/member-key/v1/"


def member_key(identity: Identity) -> Ed25519PrivateKey:
    """The key that the holder of `identity` signs with. Raises BadIdentity for a passphrase."""
    if isinstance(identity, HybridIdentity):
        kind = b"mlkem768x25519"
    elif isinstance(identity, X25519Identity):
        kind = b"x25519"
    else:
        raise BadIdentity("Only a member's identity can sign; a passphrase cannot.")
    _, secret = bech32.decode(str(identity))
    return Ed25519PrivateKey.from_private_bytes(derive(bytes(secret), b"", _INFO + kind))


def member_public(identity: Identity) -> bytes:
    """The 32 bytes by which others check what the holder of `identity` signs. Raises as `member_key`."""
    return member_key(identity).public_key().public_bytes_raw()
