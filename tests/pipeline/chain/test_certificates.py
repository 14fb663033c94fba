"""Certificates round-trip, each malformation is refused, and a series holds only together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import BadSignature
from crypto.signing import sign
from pipeline.chain.certificates import PURPOSE, Certificate, judge, parse_certificate
from pipeline.chain.heads import Heads, NotAHead, parse_heads
from pipeline.chain.log import Head
from pipeline.names import LAST_MS

DEVICE = bytes(range(16))
HASHES = st.binary(min_size=32, max_size=32)
SIGNERS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(6)]
CERTIFICATES = st.builds(
    Certificate,
    st.integers(1, 1 << 40),
    HASHES,
    st.just(DEVICE),
    st.integers(0, LAST_MS),
    st.one_of(st.just(b""), HASHES),
    st.lists(HASHES, unique=True, max_size=5).map(lambda found: tuple(sorted(found))),
)


def _public(number: int) -> bytes:
    return SIGNERS[number].public_key().public_bytes_raw()


@given(CERTIFICATES)
def test_certificates_round_trip(certificate: Certificate) -> None:
    line = certificate.signed(SIGNERS[0])
    assert parse_certificate(bytes(line)) == (certificate, line)


_NOUN = Certificate(1, bytes(32), DEVICE, 5, b"", (bytes(32),)).noun


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 0},
        {"number": "1"},
        {"number": True},
        {"key": "00"},
        {"key": 5},
        {"device": "xyz"},
        {"at_ms": -1},
        {"at_ms": LAST_MS + 1},
        {"previous": "00"},
        {"commitments": ["00"]},
        {"commitments": "00"},
        {"commitments": ["ff" * 32, "00" * 32]},
        {"commitments": ["00" * 32, "00" * 32]},
        {"more": 1},
    ],
    ids=json.dumps,
)
def test_each_malformation_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadSignature, match="certificate"):
        parse_certificate(bytes(sign(PURPOSE, {**_NOUN, **changes}, SIGNERS[0])))


def test_a_line_that_is_none_is_refused() -> None:
    with pytest.raises(BadSignature):
        parse_certificate(b"{}")


def _series(*signed_by: int) -> list[bytes]:
    """Certificates 1, 2 …, of which number n has key n and is signed by the key said."""
    lines: list[bytes] = []
    previous = b""
    for number, signer in enumerate(signed_by, 1):
        line = Certificate(number, _public(number), DEVICE, number, previous).signed(SIGNERS[signer])
        previous = line.digest
        lines.append(bytes(line))
    return lines


def test_a_series_holds_together() -> None:
    judged = judge(_series(1, 1, 2, 3), DEVICE, [_public(1)])
    assert (judged.faults, judged.unconfirmed, judged.newest) == ((), (), 4)


def test_a_new_series_needs_an_owner() -> None:
    lines = _series(1, 1, 3, 3)
    judged = judge(lines, DEVICE, [_public(1)])
    assert (judged.faults, judged.unconfirmed) == ((), (3,))
    assert not judged.known[4].confirmed
    assert judge(lines, DEVICE, [_public(1), _public(3)]).unconfirmed == ()


def test_one_signed_by_a_stranger_is_told() -> None:
    judged = judge(_series(1, 5, 2), DEVICE, [_public(1)])
    assert "certificate 2 is not signed by the key before it" in judged.faults[0]
    assert 2 not in judged.known


def test_one_left_out_is_told() -> None:
    lines = _series(1, 1, 2, 3)
    judged = judge([lines[0], lines[2], lines[3]], DEVICE, [_public(1)])
    assert judged.faults == ("certificate 2 is missing before 3",)
    assert judged.unconfirmed == (3,)
    assert judge(lines[2:], DEVICE, None).faults == ("certificates 1 to 2 are missing before 3",)


def test_one_twice_and_one_of_another_device_are_told() -> None:
    lines = _series(1, 1)
    assert any("two certificates" in one for one in judge([*lines, lines[1]], DEVICE, None).faults)
    assert all("another device" in one for one in judge(lines, bytes(16), None).faults)


def test_one_that_does_not_continue_is_told() -> None:
    first, _ = _series(1, 1)
    other = bytes(Certificate(2, _public(2), DEVICE, 2, bytes(32)).signed(SIGNERS[1]))
    assert judge([first, other], DEVICE, None).faults == (
        "certificate 2 does not continue the one before it",
    )


HEADS = Heads("ab" * 32, DEVICE, 5, 2, "cd" * 32, {"front": Head(3, 700, bytes(range(32)))}, "anna")


@pytest.mark.parametrize(
    "changes",
    [
        {"root": "xyz"},
        {"device": "00"},
        {"made_ms": 1.5},
        {"made_ms": -1},
        {"manifest": [1]},
        {"manifest": ["1", ""]},
        {"cameras": {"..": {}}},
        {"cameras": {"front": {"number": 1, "count": 2, "head": "00"}}},
        {"cameras": []},
        {"by": None},
        {"more": 1},
    ],
    ids=json.dumps,
)
def test_a_head_that_is_none_is_refused(changes: dict[str, Any]) -> None:
    assert parse_heads(bytes(HEADS)) == (HEADS, None)
    with pytest.raises(NotAHead):
        parse_heads(json.dumps({**HEADS.noun, **changes}).encode())
