"""Tail records round-trip, a torn or damaged one ends the log, and only what is needed is kept."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from pipeline.envelope import CHUNK_BYTES, SEALED_CHUNK_BYTES
from pipeline.store.tail import HEAD_BYTES, Remainder, TailRecord, read_records, records_begin, remainder

COUNTS = st.integers(0, 2**40)
RECORDS = st.builds(TailRecord, COUNTS, st.integers(0, 2**32 - 1), COUNTS, st.binary(max_size=300))
LOG = [TailRecord(100 * n, 100, n + 1, bytes([n]) * 50) for n in range(5)]


def _bytes(records: list[TailRecord]) -> bytes:
    return b"".join(bytes(record) for record in records)


@given(st.lists(RECORDS, max_size=5))
def test_records_round_trip(records: list[TailRecord]) -> None:
    assert list(read_records(io.BytesIO(_bytes(records)))) == records


@given(st.lists(RECORDS, min_size=1, max_size=4), st.data())
def test_a_torn_log_gives_the_records_before_the_tear(records: list[TailRecord], data: st.DataObject) -> None:
    whole = _bytes(records)
    cut = data.draw(st.integers(0, len(whole) - 1))
    read = list(read_records(io.BytesIO(whole[:cut])))
    assert read == records[: len(read)]
    assert cut - len(_bytes(read)) < len(bytes(records[len(read)]))


@given(st.data())
def test_a_flipped_bit_ends_the_log_before_its_record(data: st.DataObject) -> None:
    damaged = bytearray(_bytes(LOG))
    bit = data.draw(st.integers(0, len(damaged) * 8 - 1))
    damaged[bit // 8] ^= 1 << bit % 8
    assert list(read_records(io.BytesIO(bytes(damaged)))) == LOG[: bit // 8 // (HEAD_BYTES + 50)]


def test_the_remainder_reaches_beyond_the_chunks_without_a_hole() -> None:
    first = TailRecord(0, 40_000, 1, b"a")
    second = TailRecord(40_000, 20_000, 2, b"b")
    third = TailRecord(CHUNK_BYTES, 10, 3, b"c")
    assert remainder(0, [first, second]) == Remainder((first, second), 2)
    assert remainder(0, [first, second, third]) == Remainder((first, second), 2)
    assert remainder(1, [first, second, third]) == Remainder((third,), 3)
    assert remainder(1, [first, second]) == Remainder((), 2)
    assert remainder(2, []) == Remainder((), 0)


def test_where_records_begin() -> None:
    beginning = b"h" * 200
    for chunks in range(3):
        reach = chunks * CHUNK_BYTES
        records = [TailRecord(reach, CHUNK_BYTES - 1, 1, b"r" * 70_000), TailRecord(reach + 9, 9, 2, b"s")]
        file = beginning + b"x" * SEALED_CHUNK_BYTES * chunks + _bytes(records)
        for cut in (0, 60_000, 70_000, len(bytes(records[0])), len(_bytes(records))):
            size = 200 + SEALED_CHUNK_BYTES * chunks + cut
            assert records_begin(io.BytesIO(file[:size]), 200, size) == chunks
    looks_alike = beginning + b"TAIL".ljust(SEALED_CHUNK_BYTES, b"x") * 2 + _bytes(LOG)
    assert records_begin(io.BytesIO(looks_alike), 200, len(looks_alike)) == 2
