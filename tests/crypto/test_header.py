"""The header: what is read is what was written, byte by byte, and anything else is refused."""

from __future__ import annotations

import os

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import DamagedHeader
from crypto.header import Header, Stanza, check_mac, header_end, make_header, parse_header, payload_start

ARGUMENT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=10)
STANZA = st.builds(
    Stanza,
    st.lists(ARGUMENT, min_size=1, max_size=4).map(tuple),
    # 48 bytes fill a line of 64 columns, and then an empty line must follow
    st.binary(max_size=120) | st.sampled_from([bytes(47), bytes(48), bytes(49), bytes(96)]),
)
HEADER = make_header([Stanza(("X25519", "AAAA"), bytes(32)), Stanza(("grease",), bytes(96))], bytes(16))


@given(st.lists(STANZA, min_size=1, max_size=4), st.binary(max_size=40))
def test_parse_gives_what_was_made(stanzas: list[Stanza], rest: bytes) -> None:
    header = make_header(stanzas, bytes(16))
    assert parse_header(bytes(header) + rest) == header
    assert header_end(bytes(header) + rest) == len(bytes(header))


@given(
    st.binary(max_size=300)
    | st.builds(lambda tail: b"age-encryption.org/v1\n" + tail, st.binary(max_size=300))
)
def test_any_bytes_are_a_header_or_refused(data: bytes) -> None:
    try:
        header = parse_header(data)
    except DamagedHeader:
        return
    assert data.startswith(bytes(header))


@given(st.integers(0, len(bytes(HEADER)) - 1), st.integers(1, 255))
def test_a_changed_byte_never_passes_for_the_same_header(place: int, change: int) -> None:
    changed = bytearray(bytes(HEADER))
    changed[place] ^= change
    try:
        found = parse_header(bytes(changed))
    except DamagedHeader:
        return
    assert found != HEADER
    with pytest.raises(InvalidSignature):
        check_mac(found, bytes(16))


@given(st.integers(0, len(bytes(HEADER)) + 15))
def test_payload_start_is_known_only_with_header_and_nonce(length: int) -> None:
    whole = bytes(HEADER) + bytes(16)
    assert payload_start(whole[:length]) is None
    assert payload_start(whole) == payload_start(whole + b"chunk") == len(whole)


def test_payload_start_refuses_another_file_at_its_first_bytes() -> None:
    with pytest.raises(DamagedHeader, match="not a sealed file"):
        payload_start(b"\0\0")


def test_mac_belongs_to_file_key_and_stanzas() -> None:
    check_mac(HEADER, bytes(16))
    with pytest.raises(InvalidSignature):
        check_mac(HEADER, os.urandom(16))
    with pytest.raises(InvalidSignature):
        check_mac(Header(HEADER.stanzas[:1], HEADER.mac), bytes(16))
