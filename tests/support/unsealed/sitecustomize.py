"""Switches sealing off in every Python process that finds this folder on PYTHONPATH: headers stay, chunks are
written as they are. For tests that must see a scan find something; the product has no such switch.
"""

from __future__ import annotations

import crypto.seal

TAG_BYTES = 16


class NoCipher:
    """Looks like a cipher and changes nothing."""

    def encrypt(self, _nonce: bytes, chunk: bytes, _data: bytes | None) -> bytes:
        """The chunk and an empty tag."""
        return bytes(chunk) + bytes(TAG_BYTES)


setattr(crypto.seal, "payload_cipher", lambda *_: NoCipher())  # noqa: B010 - mypy forbids the plain way
