"""Opening: what is damaged is never handed out, a lost end is never overlooked, all ways of reading agree."""

from __future__ import annotations

import io
import os
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crypto.errors import CryptoError, DamagedHeader, DamagedPayload, HeaderMac, Truncated, WrongIdentity
from crypto.identity import HybridIdentity, Identity, X25519Identity
from crypto.payload import CHUNK_BYTES, SEALED_CHUNK_BYTES
from crypto.seal import seal_bytes
from crypto.unseal import SealedReader, open_stream, salvage, unseal_bytes

IDENTITY = X25519Identity.generate(os.urandom)
START = 184
PLAINTEXT = random.Random(1).randbytes(2 * CHUNK_BYTES + 1000)
SEALED = seal_bytes(PLAINTEXT, [IDENTITY.recipient])
FULL_END = seal_bytes(PLAINTEXT[: 2 * CHUNK_BYTES], [IDENTITY.recipient])
BORDERS = [START + chunk * SEALED_CHUNK_BYTES for chunk in range(3)]
PLACES = st.integers(0, len(SEALED) - 1) | st.sampled_from(
    [border + off for border in BORDERS for off in (-17, -16, -1, 0, 1, 15, 16, 17)]
)


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__()
        self._data = io.BytesIO(data)
        self._most = most

    def read(self, size: int = -1, /) -> bytes:
        """At most so many as it gives at a time."""
        return self._data.read(min(size, self._most))


def released(sealed: bytes) -> tuple[bytes, CryptoError | None]:
    """What streaming gives, and the fault it ends with."""
    given_out = bytearray()
    try:
        for chunk in open_stream(io.BytesIO(sealed), [IDENTITY]):
            given_out += chunk
    except CryptoError as fault:
        return bytes(given_out), fault
    return bytes(given_out), None


@given(PLACES, st.integers(0, 7))
def test_every_flipped_bit_is_found(place: int, bit: int) -> None:
    damaged = bytearray(SEALED)
    damaged[place] ^= 1 << bit
    given_out, fault = released(bytes(damaged))
    assert fault is not None
    if place < START - 16:
        assert isinstance(fault, DamagedHeader | WrongIdentity)
        assert given_out == b""
    else:  # in the nonce: no chunk opens; in a chunk: all before it do
        whole = max(0, place - START) // SEALED_CHUNK_BYTES
        assert given_out == PLAINTEXT[: whole * CHUNK_BYTES]
        assert isinstance(fault, DamagedPayload)
        assert fault.offset == START + whole * SEALED_CHUNK_BYTES
    with pytest.raises(CryptoError):
        SealedReader(io.BytesIO(damaged), [IDENTITY]).readall()
    with pytest.raises(CryptoError):
        unseal_bytes(bytes(damaged), [IDENTITY])


@given(PLACES)
@example(0)
@example(START)
def test_every_truncation_is_found(length: int) -> None:
    cut = SEALED[:length]
    given_out, fault = released(cut)
    expected = DamagedHeader if length < START else Truncated
    assert type(fault) is expected
    assert given_out == PLAINTEXT[: max(0, length - START) // SEALED_CHUNK_BYTES * CHUNK_BYTES]
    with pytest.raises(expected):
        SealedReader(io.BytesIO(cut), [IDENTITY])


@given(PLACES)
def test_every_truncation_of_a_file_of_full_chunks_is_found(length: int) -> None:
    cut = FULL_END[: min(length, len(FULL_END) - 1)]
    _, fault = released(cut)
    assert type(fault) is (DamagedHeader if length < START else Truncated)


@given(st.binary(min_size=1, max_size=40))
def test_everything_after_the_end_is_found(more: bytes) -> None:
    for sealed in (SEALED, FULL_END):
        _, fault = released(sealed + more)
        assert isinstance(fault, DamagedPayload)
        with pytest.raises(DamagedPayload):
            SealedReader(io.BytesIO(sealed + more), [IDENTITY])


def test_swapped_chunks_are_found() -> None:
    first, second = (SEALED[border : border + SEALED_CHUNK_BYTES] for border in BORDERS[:2])
    given_out, fault = released(SEALED[:START] + second + first + SEALED[BORDERS[2] :])
    assert given_out == b""
    assert isinstance(fault, DamagedPayload)
    assert not isinstance(fault, Truncated)


def test_a_chunk_of_another_file_is_found() -> None:
    other = seal_bytes(PLAINTEXT, [IDENTITY.recipient])
    given_out, fault = released(SEALED[: BORDERS[1]] + other[BORDERS[1] :])
    assert given_out == PLAINTEXT[:CHUNK_BYTES]
    assert isinstance(fault, DamagedPayload)


def test_a_stranger_opens_nothing() -> None:
    strangers: list[Identity] = [X25519Identity.generate(os.urandom), HybridIdentity.generate(os.urandom)]
    for opening in (unseal_bytes, lambda sealed, who: salvage(io.BytesIO(sealed), who)):
        with pytest.raises(WrongIdentity, match="sealed to someone else"):
            opening(SEALED, strangers)
        with pytest.raises(WrongIdentity):
            opening(SEALED, [])


def test_a_stanza_added_by_someone_is_found() -> None:
    added = SEALED.replace(b"\n-> X25519", b"\n-> stranger\n\n-> X25519", 1)
    with pytest.raises(HeaderMac):
        unseal_bytes(added, [IDENTITY])


@pytest.mark.parametrize(
    "stranger", [b"", b"age", b"\0\0\0\x18ftypiso5", b"age-encryption.org/v2\n", b"\n" * 5000]
)
def test_what_is_no_age_file_is_refused(stranger: bytes) -> None:
    with pytest.raises(DamagedHeader):
        unseal_bytes(stranger, [IDENTITY])


def test_a_header_without_end_is_given_up_early() -> None:
    endless = io.BytesIO(b"age-encryption.org/v1\n" + b"-> x\n" * 2_000_000)
    with pytest.raises(DamagedHeader, match="no end"):
        open_stream(endless, [IDENTITY])
    assert endless.tell() < 2_000_000


@given(st.integers(1, 70_000))
@example(1)
def test_a_pipe_that_trickles_opens(most: int) -> None:
    most = max(most, 50)  # a byte at a time takes a second
    assert b"".join(open_stream(Trickle(SEALED, most), [IDENTITY])) == PLAINTEXT


POSITIONS = st.integers(0, len(PLAINTEXT) + 10) | st.builds(
    lambda chunk, off: max(0, chunk * CHUNK_BYTES + off), st.integers(0, 2), st.integers(-1, 1)
)


@given(st.lists(st.tuples(POSITIONS, st.integers(0, 3 * CHUNK_BYTES)), max_size=5))
def test_reader_gives_the_slice(reads: list[tuple[int, int]]) -> None:
    reader = SealedReader(io.BytesIO(SEALED), [IDENTITY])
    for position, length in reads:
        assert reader.seek(position) == position
        assert reader.read(length) == PLAINTEXT[position : position + length]
        assert reader.tell() == position + len(PLAINTEXT[position : position + length])


def test_reader_is_a_file() -> None:
    reader = SealedReader(io.BytesIO(SEALED), [IDENTITY])
    assert reader.readable()
    assert reader.seekable()
    assert not reader.writable()
    assert reader.size_bytes == len(PLAINTEXT)
    assert reader.seek(-10, os.SEEK_END) == len(PLAINTEXT) - 10
    assert reader.seek(4, os.SEEK_CUR) == len(PLAINTEXT) - 6
    assert reader.read() == PLAINTEXT[-6:]
    assert reader.read(1) == b""
    for position, whence in ((-1, os.SEEK_SET), (0, 9)):
        with pytest.raises(ValueError, match="position"):
            reader.seek(position, whence)
    with io.BufferedReader(reader) as buffered:
        buffered.seek(CHUNK_BYTES - 5)
        assert buffered.read(10) == PLAINTEXT[CHUNK_BYTES - 5 : CHUNK_BYTES + 5]


def test_reader_opens_only_what_is_asked_for() -> None:
    damaged = bytearray(SEALED)
    damaged[BORDERS[1] + 5] ^= 1
    reader = SealedReader(io.BytesIO(damaged), [IDENTITY])
    assert reader.read(2 * CHUNK_BYTES) == PLAINTEXT[:CHUNK_BYTES]
    with pytest.raises(DamagedPayload) as raised:
        reader.read(1)
    assert raised.value.offset == BORDERS[1]
    reader.seek(2 * CHUNK_BYTES)
    assert reader.read() == PLAINTEXT[2 * CHUNK_BYTES :]


@given(st.integers(START, len(SEALED) - 1) | st.sampled_from(BORDERS))
def test_salvage_gives_exactly_the_whole_chunks(length: int) -> None:
    salvaged = salvage(io.BytesIO(SEALED[:length]), [IDENTITY])
    chunks = (length - START) // SEALED_CHUNK_BYTES
    assert b"".join(salvaged) == PLAINTEXT[: chunks * CHUNK_BYTES]
    assert not salvaged.ended
    assert salvaged.end_offset == START + chunks * SEALED_CHUNK_BYTES


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, len(PLAINTEXT)])
def test_salvage_knows_a_finished_file(size: int) -> None:
    sealed = seal_bytes(PLAINTEXT[:size], [IDENTITY.recipient])
    salvaged = salvage(io.BytesIO(sealed), [IDENTITY])
    assert b"".join(salvaged) == PLAINTEXT[:size]
    assert salvaged.ended
    assert salvaged.end_offset == len(sealed)


@pytest.mark.parametrize("length", [0, 10, 167, 168, 183])
def test_salvage_needs_header_and_nonce(length: int) -> None:
    with pytest.raises(DamagedHeader):
        salvage(io.BytesIO(SEALED[:length]), [IDENTITY])


def test_salvage_gives_what_is_before_the_damage() -> None:
    damaged = bytearray(SEALED)
    damaged[BORDERS[1]] ^= 1
    salvaged = salvage(io.BytesIO(damaged), [IDENTITY])
    given_out = bytearray()
    with pytest.raises(DamagedPayload) as raised:
        for chunk in salvaged:
            given_out += chunk
    assert bytes(given_out) == PLAINTEXT[:CHUNK_BYTES]
    assert raised.value.offset == salvaged.end_offset == BORDERS[1]


@pytest.mark.parametrize("length", [4, 500, SEALED_CHUNK_BYTES, 3 * SEALED_CHUNK_BYTES])
def test_salvage_stops_where_something_else_begins(length: int) -> None:
    unfinished = SEALED[: BORDERS[2]] + b"TAIL".ljust(length, b"x")
    salvaged = salvage(io.BytesIO(unfinished), [IDENTITY], stop_marker=b"TAIL")
    assert b"".join(salvaged) == PLAINTEXT[: 2 * CHUNK_BYTES]
    assert not salvaged.ended
    assert salvaged.end_offset == BORDERS[2]
