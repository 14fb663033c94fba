"""Sealing: how plaintext goes into chunks, what a failing sink leaves behind, and what is forgotten."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Callable
from types import FunctionType, ModuleType

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import BadRecipient
from crypto.identity import HybridIdentity, X25519Identity
from crypto.payload import CHUNK_BYTES, SEALED_CHUNK_BYTES
from crypto.recipient import Recipient, ScryptRecipient
from crypto.seal import SealWriter, seal_bytes
from crypto.unseal import unseal_bytes

IDENTITY = X25519Identity.generate(os.urandom)
HYBRID = HybridIdentity.generate(os.urandom)
# Half of all sizes lie within two bytes of a chunk's border.
NEAR_BORDER = st.builds(
    lambda chunks, off: max(0, chunks * CHUNK_BYTES + off), st.integers(0, 3), st.integers(-2, 2)
)
SIZES = NEAR_BORDER | st.integers(0, 4 * CHUNK_BYTES)


def content(size: int) -> bytes:
    """So many bytes that never repeat at the same place in a chunk."""
    return random.Random(size).randbytes(size)


@given(st.lists(SIZES, max_size=4))
def test_any_split_of_writes_opens_as_the_whole(sizes: list[int]) -> None:
    parts = [content(size) for size in sizes]
    pieces: list[bytes] = []
    writer = SealWriter([IDENTITY.recipient], pieces.append)
    for part in parts:
        writer.write(part)
        written = b"".join(parts)[: writer.sealed_bytes + len(writer.pending)]
        assert written.endswith(writer.pending)
        assert len(writer.pending) <= CHUNK_BYTES
        assert sum(map(len, pieces[1:])) == writer.sealed_bytes // CHUNK_BYTES * SEALED_CHUNK_BYTES
    writer.finish()
    plaintext = b"".join(parts)
    assert unseal_bytes(b"".join(pieces), [IDENTITY]) == plaintext
    assert writer.sealed_bytes == len(plaintext)
    assert writer.pending == b""
    assert {len(piece) for piece in pieces[1:-1]} <= {SEALED_CHUNK_BYTES}


def test_a_file_is_168_bytes_of_header_16_of_nonce_and_16_a_chunk() -> None:
    sealed = seal_bytes(content(2 * CHUNK_BYTES + 1), [IDENTITY.recipient])
    assert sealed.index(b"\n---") + 1 + 48 == 168
    assert len(sealed) == 168 + 16 + 3 * 16 + 2 * CHUNK_BYTES + 1


def test_a_hybrid_header_is_1627_bytes() -> None:
    assert len(seal_bytes(b"", [HYBRID.recipient])) == 1627 + 16 + 16


def test_a_full_chunk_is_held_until_more_comes() -> None:
    pieces: list[bytes] = []
    writer = SealWriter([IDENTITY.recipient], pieces.append)
    assert len(pieces) == 1
    assert len(pieces[0]) == writer.payload_start == 184
    writer.write(content(CHUNK_BYTES))
    assert (len(pieces), writer.sealed_bytes) == (1, 0)
    writer.write(memoryview(b"!"))
    assert (len(pieces), writer.sealed_bytes, writer.pending) == (2, CHUNK_BYTES, b"!")


class FullDisk:
    """A sink that refuses some calls."""

    def __init__(self, refusals: set[int]) -> None:
        self.refusals = refusals
        self.calls = 0
        self.refused: list[bytes] = []
        self.pieces: list[bytes] = []

    def __call__(self, piece: bytes) -> None:
        self.calls += 1
        if self.calls in self.refusals:
            self.refused.append(piece)
            raise OSError(28, "No space left on device")
        self.pieces.append(piece)


def persist(action: Callable[[], None], again: Callable[[], None]) -> None:
    """Does it, and then tries again until the sink takes all."""
    try:
        action()
    except OSError:
        persist(again, again)


@given(st.lists(SIZES, min_size=1, max_size=4), st.sets(st.integers(2, 12)))
def test_a_failing_sink_loses_nothing_and_no_chunk_number_seals_two_plaintexts(
    sizes: list[int], refusals: set[int]
) -> None:
    disk = FullDisk(refusals)
    writer = SealWriter([IDENTITY.recipient], disk)
    for size in sizes:
        persist(lambda size=size: writer.write(content(size)), lambda: writer.write(b""))  # type: ignore[misc]
    persist(writer.finish, writer.finish)
    assert unseal_bytes(b"".join(disk.pieces), [IDENTITY]) == b"".join(map(content, sizes))
    # A refused piece either came again as it was, or was never needed: nothing else was sealed in its place.
    assert set(disk.refused) <= set(disk.pieces)


def test_a_sink_that_fails_while_more_comes_keeps_the_order() -> None:
    disk = FullDisk({2, 3})
    writer = SealWriter([IDENTITY.recipient], disk)
    parts = [content(100_000), content(70_000), content(3)]
    for part in parts:
        persist(lambda part=part: writer.write(part), lambda: None)  # type: ignore[misc]
    writer.finish()
    assert unseal_bytes(b"".join(disk.pieces), [IDENTITY]) == b"".join(parts)


def test_after_a_failed_finish_nothing_more_is_taken() -> None:
    disk = FullDisk({2})
    writer = SealWriter([IDENTITY.recipient], disk)
    writer.write(b"x")
    with pytest.raises(OSError, match="No space"):
        writer.finish()
    with pytest.raises(ValueError, match="takes no more"):
        writer.write(b"y")  # would seal chunk 0 as last with another plaintext
    writer.finish()
    with pytest.raises(ValueError, match="finished already"):
        writer.finish()
    assert unseal_bytes(b"".join(disk.pieces), [IDENTITY]) == b"x"


def test_the_writer_never_holds_the_file_key_and_forgets_the_cipher() -> None:
    drawn: list[bytes] = []

    def draw(count: int) -> bytes:
        drawn.append(os.urandom(count))
        return drawn[-1]

    writer = SealWriter([IDENTITY.recipient], lambda piece: None, draw)
    writer.write(content(CHUNK_BYTES + 1))
    assert not any(held is drawn[0] for held in reachable(writer))
    assert any(isinstance(held, ChaCha20Poly1305) for held in reachable(writer))
    writer.finish()
    assert not any(isinstance(held, ChaCha20Poly1305) for held in reachable(writer))


def reachable(root: object) -> list[object]:
    """Every object that can be reached from this one, code and modules left out."""
    found: dict[int, object] = {}
    waiting = [root]
    while waiting:
        held = waiting.pop()
        if id(held) in found or isinstance(held, type | ModuleType | FunctionType):
            continue
        found[id(held)] = held
        waiting += gc.get_referents(held)
    return list(found.values())


@pytest.mark.parametrize(
    ("recipients", "why"),
    [
        ([], "no recipient"),
        ([IDENTITY.recipient, HYBRID.recipient], "cannot be mixed"),
        ([ScryptRecipient("pass", 10), IDENTITY.recipient], "no other recipient"),
        ([ScryptRecipient("pass", 10), ScryptRecipient("word", 10)], "no other recipient"),
    ],
)
def test_recipients_that_do_not_go_together_are_refused(recipients: list[Recipient], why: str) -> None:
    with pytest.raises(BadRecipient, match=why):
        seal_bytes(b"", recipients)


def test_several_recipients_each_open() -> None:
    others = [X25519Identity.generate(os.urandom) for _ in range(3)]
    sealed = seal_bytes(b"for all", [other.recipient for other in others])
    assert all(unseal_bytes(sealed, [other]) == b"for all" for other in others)
    hybrids = [HybridIdentity.generate(os.urandom) for _ in range(2)]
    sealed = seal_bytes(b"for all", [hybrid.recipient for hybrid in hybrids])
    assert all(unseal_bytes(sealed, [IDENTITY, hybrid]) == b"for all" for hybrid in hybrids)
