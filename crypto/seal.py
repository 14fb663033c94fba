"""Sealing as bytes arrive. Nothing here can open what it sealed.

The file key is drawn, wrapped and forgotten while the writer is made; the payload cipher is forgotten when
the file is finished. A chunk number seals one plaintext only: after a sink that failed, the same bytes are
sealed again, which gives the same ciphertext.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.errors import BadRecipient
from crypto.header import RandomBytes, make_header
from crypto.payload import CHUNK_BYTES, FILE_KEY_BYTES, NONCE_BYTES, chunk_nonce, payload_cipher
from crypto.recipient import Recipient

Sink = Callable[[bytes], object]
"""Takes all the bytes it is given, or raises having taken none that a second try would not overwrite."""

Plaintext = bytes | bytearray | memoryview


class SealWriter:
    """One sealed file, written from beginning to end.

    Header and nonce go to the sink when it is made, every later call of the sink is one whole sealed chunk.
    A full chunk is held until a byte more comes or `finish` is called, since it might be the last.

    When the sink raises, the exception passes on and nothing is lost: all the bytes given to `write` are
    taken, those the sink does not have are in `pending`, and `write(b"")` or `finish()` tries the same chunks
    again.
    """

    def __init__(self, recipients: Sequence[Recipient], sink: Sink, random: RandomBytes = os.urandom) -> None:
        """Raises BadRecipient, and what the sink raises."""
        _check(recipients)
        file_key, nonce = random(FILE_KEY_BYTES), random(NONCE_BYTES)
        header = make_header([recipient.wrap(file_key, random) for recipient in recipients], file_key)
        start = bytes(header) + nonce
        self.payload_start = len(start)
        """Bytes of header and nonce: where the first chunk begins in the sealed file."""
        self.sealed_bytes = 0
        """Bytes of plaintext that the sink has, in whole chunks."""
        self._cipher: ChaCha20Poly1305 | None = payload_cipher(file_key, nonce)
        self._sink = sink
        self._chunks = 0
        self._pending = bytearray()
        self._finishing = False
        sink(start)

    @property
    def pending(self) -> bytes:
        """The plaintext that was written but is not yet in the sink."""
        return bytes(self._pending)

    def write(self, data: Plaintext) -> None:
        """Seals what fills chunks and keeps the rest. Raises what the sink raises; see the class."""
        if self._finishing:
            raise ValueError("a sealed file that is finished takes no more")
        with memoryview(data) as given, given.cast("B") as view:
            if len(self._pending) + len(view) <= CHUNK_BYTES:
                self._pending += view
            elif len(self._pending) > CHUNK_BYTES:  # the sink failed before: what waits goes first
                self._pending += view
                self._seal_pending()
            else:
                self._seal_ahead(view)

    def finish(self) -> None:
        """Seals the last chunk and forgets the cipher. May be tried again when the sink raised."""
        if self._cipher is None:
            raise ValueError("this sealed file is finished already")
        self._finishing = True
        self._seal_pending()
        self._seal(self._pending, last=True)
        self._pending = bytearray()
        self._cipher = None

    def _seal_ahead(self, view: memoryview) -> None:
        """More than fits into the chunk that waits: seals straight from the caller's bytes."""
        used = CHUNK_BYTES - len(self._pending) if self._pending else 0
        self._pending += view[:used]
        try:
            if self._pending:
                self._seal(self._pending, last=False)
                self._pending = bytearray()
            while len(view) - used > CHUNK_BYTES:
                self._seal(view[used : used + CHUNK_BYTES], last=False)
                used += CHUNK_BYTES
        finally:
            self._pending += view[used:]

    def _seal_pending(self) -> None:
        while len(self._pending) > CHUNK_BYTES:
            self._seal(self._pending[:CHUNK_BYTES], last=False)
            del self._pending[:CHUNK_BYTES]

    def _seal(self, chunk: Plaintext, *, last: bool) -> None:
        if self._cipher is None:
            raise ValueError("this sealed file is finished already")
        self._sink(self._cipher.encrypt(chunk_nonce(self._chunks, last=last), chunk, None))
        self._chunks += 1
        self.sealed_bytes += len(chunk)


def seal_bytes(data: Plaintext, recipients: Sequence[Recipient], random: RandomBytes = os.urandom) -> bytes:
    """A whole sealed file of `data`. Raises BadRecipient."""
    pieces: list[bytes] = []
    writer = SealWriter(recipients, pieces.append, random)
    writer.write(data)
    writer.finish()
    return b"".join(pieces)


def _check(recipients: Sequence[Recipient]) -> None:
    if not recipients:
        raise BadRecipient("There is no recipient to seal to.")
    if len(recipients) > 1 and any(recipient.alone for recipient in recipients):
        raise BadRecipient("A file sealed with a passphrase can have no other recipient.")
    if len({recipient.post_quantum for recipient in recipients}) > 1:
        raise BadRecipient(
            "Post-quantum recipients (age1pq1…) cannot be mixed with classic ones (age1…): "
            "the file would only be as safe as the classic ones."
        )
