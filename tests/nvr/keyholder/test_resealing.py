"""A copy for somebody else opens as its original does, and carries the same payload."""

from __future__ import annotations

import io
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import BadRecipient, CryptoError, DamagedHeader, WrongIdentity
from crypto.identity import HybridIdentity, X25519Identity
from crypto.seal import seal_bytes
from crypto.unseal import unseal_bytes
from nvr.keyholder.resealing import Resealed, reseal
from nvr.keyholder.unfinished import unfinished_plaintext
from pipeline.chain.content import Content, content_digest, content_of
from pipeline.store import open_segment, recover
from tests.support.store_writing import FRONT, append_fragments, make_store, mark, plaintext

Made = X25519Identity | HybridIdentity
each_kind = pytest.mark.parametrize("kind", [X25519Identity, HybridIdentity])
OLD, NEW = X25519Identity.generate(os.urandom), X25519Identity.generate(os.urandom)


def _copied(data: bytes, old: Made, new: Made, *, unfinished: bool = False) -> tuple[bytes, Resealed]:
    target = io.BytesIO()
    done = reseal(io.BytesIO(data), target, [old], new.recipient, unfinished=unfinished)
    return target.getvalue(), done


def _content(data: bytes, *, unfinished: bool = False) -> Content:
    return content_of(io.BytesIO(data), unfinished=unfinished)


@each_kind
@pytest.mark.parametrize("size", [0, 1, 65_536, 300_000])
def test_a_finished_one(kind: type[Made], size: int) -> None:
    old, new = kind.generate(os.urandom), kind.generate(os.urandom)
    recorded = os.urandom(size)
    original = seal_bytes(recorded, [old.recipient])
    copy, done = _copied(original, old, new)
    assert unseal_bytes(copy, [new]) == recorded
    assert done == Resealed(_content(original), sha256(copy).hexdigest())
    assert len(copy) == len(original)
    assert content_digest(done.original.header_hash, _content(copy).payload_hash) == done.original.digest


@each_kind
@pytest.mark.parametrize("sequence", range(4))
def test_an_unfinished_one(tmp_path: Path, kind: type[Made], sequence: int) -> None:
    """From quiet streams, whose records are all there is, to busy ones that are chunks and a record."""
    old, new = kind.generate(os.urandom), kind.generate(os.urandom)
    store = make_store(tmp_path / "store")
    segment = open_segment(store, mark(sequence), [old.recipient])
    written = append_fragments(segment, 7)
    segment.abandon()
    (made,) = recover(store, FRONT.camera).published
    original = (store.root / made.path).read_bytes()
    copy, done = _copied(original, old, new, unfinished=True)
    opened = b"".join(unfinished_plaintext(io.BytesIO(copy), [new]))
    assert opened == plaintext(sequence, written)
    assert done == Resealed(_content(original, unfinished=True), sha256(copy).hexdigest())
    digest = content_digest(done.original.header_hash, _content(copy, unfinished=True).payload_hash)
    assert (digest, len(copy)) == (done.original.digest, len(original))
    with pytest.raises(WrongIdentity):
        list(unfinished_plaintext(io.BytesIO(copy), [old]))


def test_who_cannot_open_it_cannot_copy_it() -> None:
    with pytest.raises(WrongIdentity):
        _copied(seal_bytes(b"x", [OLD.recipient]), NEW, OLD)


def test_the_kind_of_recipient_stays() -> None:
    with pytest.raises(BadRecipient):
        _copied(seal_bytes(b"x", [OLD.recipient]), OLD, HybridIdentity.generate(os.urandom))


@pytest.mark.parametrize("data", [b"", b"age-encryption.org/v1\n", b"no age file at all", bytes(1000)])
def test_what_is_no_sealed_file_is_refused(data: bytes) -> None:
    for unfinished in (False, True):
        with pytest.raises(DamagedHeader):
            _copied(data, OLD, NEW, unfinished=unfinished)


@given(st.data())
def test_a_damaged_file_is_refused_or_known_by_its_content(data: st.DataObject) -> None:
    original = seal_bytes(bytes(1000), [OLD.recipient])
    at = data.draw(st.integers(0, len(original) - 1))
    changed = original[:at] + bytes([original[at] ^ 1 << data.draw(st.integers(0, 7))]) + original[at + 1 :]
    try:
        _, done = _copied(changed, OLD, NEW)
    except CryptoError:
        return
    assert done.original.digest != _content(original).digest
