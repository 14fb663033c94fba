"""The payload of an age file: a 16-byte nonce, then chunks of 64 KiB, each under ChaCha20-Poly1305.

A chunk's nonce is its number and whether it is the last. So no two chunks of a file share one, chunks cannot
be swapped, and a file that lost its end does not pass for a whole one.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE_KEY_BYTES = 16
NONCE_BYTES = 16
TAG_BYTES = 16
CHUNK_BYTES = 64 * 1024
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
WRAP_NONCE = bytes(12)
"""The nonce under which a wrap key, used once by construction, seals a file key."""


def derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 to 32 bytes, as age derives all its keys."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def payload_cipher(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    """The cipher of all chunks of the file with this file key and payload nonce."""
    return ChaCha20Poly1305(derive(file_key, nonce, b"payload"))


def chunk_nonce(number: int, *, last: bool) -> bytes:
    """The nonce of chunk `number`, counted from 0."""
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
