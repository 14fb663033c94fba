"""A re-wrapped file opens for its new recipient and nobody else, here and with other age programs."""

from __future__ import annotations

import os
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import BadRecipient, DamagedHeader, HeaderMac, WrongIdentity
from crypto.header import header_end, parse_header
from crypto.identity import HybridIdentity, Identity, ScryptIdentity, X25519Identity
from crypto.payload import CHUNK_BYTES
from crypto.recipient import ScryptRecipient
from crypto.rewrap import rewrap
from crypto.seal import seal_bytes
from crypto.unseal import unseal_bytes
from tests.support.age_programs import age, npm_open, npm_seal

Made = X25519Identity | HybridIdentity
PLAINTEXTS = [b"", b"one chunk", os.urandom(2 * CHUNK_BYTES + 5)]
each_plaintext = pytest.mark.parametrize("plaintext", PLAINTEXTS, ids=["empty", "short", "three_chunks"])
each_kind = pytest.mark.parametrize("kind", [X25519Identity, HybridIdentity])


def _rewrapped(sealed: bytes, old: Identity, new: Made) -> bytes:
    end = header_end(sealed) or 0
    return bytes(rewrap(parse_header(sealed), [old], new.recipient)) + sealed[end:]


@each_kind
@each_plaintext
def test_it_opens_for_the_new_one_only(plaintext: bytes, kind: type[Made]) -> None:
    old, new = kind.generate(os.urandom), kind.generate(os.urandom)
    sealed = seal_bytes(plaintext, [old.recipient])
    again = _rewrapped(sealed, old, new)
    assert unseal_bytes(again, [new]) == plaintext
    with pytest.raises(WrongIdentity):
        unseal_bytes(again, [old])
    with pytest.raises(WrongIdentity):
        unseal_bytes(sealed, [new])


@each_kind
def test_the_payload_stays_and_the_header_is_as_long(kind: type[Made]) -> None:
    old, new = kind.generate(os.urandom), kind.generate(os.urandom)
    sealed = seal_bytes(PLAINTEXTS[2], [old.recipient])
    again = _rewrapped(sealed, old, new)
    end = header_end(sealed) or 0
    assert header_end(again) == end
    assert again[end:] == sealed[end:]
    assert again[:end] != sealed[:end]


@each_plaintext
def test_age_and_pyrage_open_it(plaintext: bytes, tmp_path: Path) -> None:
    old, new = X25519Identity.generate(os.urandom), X25519Identity.generate(os.urandom)
    again = _rewrapped(seal_bytes(plaintext, [old.recipient]), old, new)
    identity_file = tmp_path / "identity.txt"
    identity_file.write_text(f"{new}\n")
    assert age("-d", "-i", identity_file, data=again) == plaintext
    assert pyrage.decrypt(again, [pyrage.x25519.Identity.from_str(str(new))]) == plaintext


def test_what_age_sealed_to_two_is_rewrapped_to_one(tmp_path: Path) -> None:
    old, other, new = (X25519Identity.generate(os.urandom) for _ in range(3))
    sealed = age("-r", str(other.recipient), "-r", str(old.recipient), data=PLAINTEXTS[2])
    again = _rewrapped(sealed, old, new)
    assert len(parse_header(again).stanzas) == 1
    assert unseal_bytes(again, [new]) == PLAINTEXTS[2]


@each_kind
@each_plaintext
def test_npm_opens_it_and_it_rewraps_what_npm_sealed(plaintext: bytes, kind: type[Made]) -> None:
    old, new = kind.generate(os.urandom), kind.generate(os.urandom)
    again = _rewrapped(npm_seal(plaintext, recipients=[str(old.recipient)]), old, new)
    assert npm_open(again, identities=[str(new)]) == plaintext


def test_a_stranger_rewraps_nothing() -> None:
    owner, stranger = X25519Identity.generate(os.urandom), X25519Identity.generate(os.urandom)
    with pytest.raises(WrongIdentity):
        _rewrapped(seal_bytes(b"footage", [owner.recipient]), stranger, stranger)


def test_kinds_are_not_mixed() -> None:
    classic, hybrid = X25519Identity.generate(os.urandom), HybridIdentity.generate(os.urandom)
    with pytest.raises(BadRecipient, match="of its own kind"):
        _rewrapped(seal_bytes(b"footage", [classic.recipient]), classic, hybrid)
    with pytest.raises(BadRecipient, match="of its own kind"):
        _rewrapped(seal_bytes(b"footage", [hybrid.recipient]), hybrid, classic)


def test_a_key_file_is_rewrapped_to_a_person() -> None:
    person = X25519Identity.generate(os.urandom)
    sealed = seal_bytes(b"footage", [ScryptRecipient("passphrase", work_factor=10)])
    assert unseal_bytes(_rewrapped(sealed, ScryptIdentity("passphrase"), person), [person]) == b"footage"


@given(st.data())
def test_a_changed_header_is_refused(data: st.DataObject) -> None:
    old, new = X25519Identity.generate(os.urandom), X25519Identity.generate(os.urandom)
    sealed = bytearray(seal_bytes(b"footage", [old.recipient]))
    at = data.draw(st.integers(0, (header_end(sealed) or 0) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((DamagedHeader, HeaderMac, WrongIdentity)):
        rewrap(parse_header(bytes(sealed)), [old], new.recipient)
