from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import BadIdentity, BadSignature
from crypto.identity import HybridIdentity, ScryptIdentity, X25519Identity
from crypto.member_key import member_key, member_public
from crypto.signing import SignedLine, canonical, sign

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = SIGNER.public_key().public_bytes_raw()
LEAVES = st.text() | st.integers() | st.booleans()
NOUNS = st.dictionaries(st.text(), st.recursive(LEAVES, lambda inner: st.lists(inner)))


@given(NOUNS)
def test_a_line_comes_back_as_it_was(noun: dict[str, Any]) -> None:
    line = sign("day", noun, SIGNER)
    again = SignedLine.parse(bytes(line))
    assert again == line
    assert again.noun == noun
    assert bytes(line).count(b"\n") == 1
    again.check("day", PUBLIC)


@pytest.mark.parametrize("noun", [{}, {"a": 1, "b": ["c"]}, {"name": "Küche"}])
def test_no_byte_of_a_line_can_be_changed(noun: dict[str, Any]) -> None:
    line = bytes(sign("day", noun, SIGNER))
    for place in range(len(line)):
        for bit in range(8):
            changed = bytearray(line)
            changed[place] ^= 1 << bit
            with pytest.raises(BadSignature):
                SignedLine.parse(bytes(changed)).check("day", PUBLIC)


def test_a_signature_is_for_one_purpose_and_of_one_signer() -> None:
    line = sign("day", {"a": 1}, SIGNER)
    other = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32).public_key().public_bytes_raw()
    for purpose, public in (("head", PUBLIC), ("day", other), ("day", b"short")):
        with pytest.raises(BadSignature):
            line.check(purpose, public)


SIGNATURE = base64.b64encode(bytes(64))


@pytest.mark.parametrize(
    "body",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'{"a":1e400}',
        b'{"a":"\xc3\xa4"}',
        b'["a"]',
        b"[" * 100_000,
        b"",
    ],
)
def test_another_spelling_is_refused(body: bytes) -> None:
    with pytest.raises(BadSignature):
        SignedLine.parse(body + b" " + SIGNATURE + b"\n")


def test_floats_have_no_spelling() -> None:
    assert canonical({"b": 1, "a": "ä"}) == b'{"a":"\\u00e4","b":1}'
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


def test_a_member_signs_with_what_the_identity_gives() -> None:
    """Fixed, since members' keys stand in manifests. The expected ones were made by HKDF on plain HMAC."""
    secret = bytes([0x42]) * 32
    known: dict[type[X25519Identity | HybridIdentity], str] = {
        X25519Identity: "4c408b5ea95e087b97c13c055eeb96479a7d147d3bf3c68ce39ea3ce03310a7a",
        HybridIdentity: "02126bfecbeef10d5ed4089b4d58778e175513e3f1b1ebb690452eb666c86077",
    }
    for kind, public in known.items():
        assert member_public(kind(secret)).hex() == public
        sign("head", {"a": 1}, member_key(kind(secret))).check("head", bytes.fromhex(public))


def test_a_passphrase_signs_nothing() -> None:
    with pytest.raises(BadIdentity, match="member's identity"):
        member_key(ScryptIdentity("six words"))
