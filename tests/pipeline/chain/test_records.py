"""Records round-trip, and each way of being none is told for what it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import names
from pipeline.chain.folding import Fold, first_start
from pipeline.chain.records import (
    LONGEST_BODY,
    MOST_STREAMS,
    Collapsed,
    DamagedRecord,
    Expired,
    Gap,
    Reason,
    Record,
    Segment,
    Signed,
    Start,
    StreamCheckpoint,
    TornRecord,
    encode,
    head_after,
    parse_body,
    read_record,
)
from pipeline.chain.varints import varint

DEVICE = bytes(range(16))
HEAD = bytes(range(32))
HASHES = st.binary(min_size=32, max_size=32)
STREAMS = st.from_regex(re.compile(r"[a-z0-9][a-z0-9_-]{0,47}"), fullmatch=True).filter(
    lambda stream: stream not in names.RESERVED_STREAMS
)
TIMES = st.integers(0, names.LAST_MS)
SEQUENCES = st.integers(0, names.LAST_SEQUENCE)
NUMBERS = st.integers(1, 1 << 40)
STARTS = st.builds(
    Start,
    NUMBERS,
    st.binary(min_size=16, max_size=16),
    st.just("front"),
    NUMBERS,
    HASHES,
    st.binary(min_size=16, max_size=16),
    st.lists(
        st.builds(StreamCheckpoint, STREAMS, SEQUENCES, NUMBERS, NUMBERS),
        max_size=MOST_STREAMS,
        unique_by=lambda stream: stream.name,
    ).map(tuple),
)
SEGMENTS = st.builds(
    Segment,
    STREAMS,
    SEQUENCES,
    TIMES,
    st.integers(0, names.LONGEST_MS),
    st.integers(0, 1 << 56),
    NUMBERS,
    HASHES,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    STARTS,
    SEGMENTS,
    st.builds(Gap, STREAMS, TIMES, st.text(max_size=50)),
    st.builds(Expired, STREAMS, st.sampled_from(Reason), SEQUENCES, st.integers(1, 1 << 40)),
    st.builds(Signed, TIMES, st.binary(min_size=64, max_size=64)),
    st.builds(Collapsed, NUMBERS),
)
SEGMENT = Segment("main", 7, 1_795_348_800_000, 10_000, 5_000_000, 3, HEAD)


@given(RECORDS, HASHES)
def test_records_round_trip(record: Record, head: bytes) -> None:
    data = encode(record, head)
    found = read_record(b"before" + data + b"behind", 6, head)
    assert (found.record, found.head, found.end) == (record, head_after(head, record), 6 + len(data))


@given(st.binary(max_size=300), st.integers(0, 10))
def test_what_parses_is_spelt_in_the_one_way(body: bytes, kind: int) -> None:
    try:
        record = parse_body(kind, body)
    except DamagedRecord:
        return
    assert (record.kind, record.body) == (kind, body)


@given(RECORDS, st.data())
def test_a_record_cut_short_is_torn(record: Record, data: st.DataObject) -> None:
    whole = encode(record, HEAD)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(TornRecord):
        read_record(whole[:cut], 0, HEAD)


@given(RECORDS, st.data())
def test_a_changed_byte_is_noticed(record: Record, data: st.DataObject) -> None:
    whole = bytearray(encode(record, HEAD))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedRecord):
        read_record(bytes(whole) + bytes(LONGEST_BODY * 2), 0, HEAD)


def test_a_segment_takes_about_sixty_bytes() -> None:
    assert len(encode(SEGMENT, HEAD)) == 58


def test_the_first_record_says_itself_what_came_before() -> None:
    start = first_start(1, DEVICE, "front", bytes(16))
    assert read_record(encode(start, start.head), 0, None).record == start


def test_a_longest_start_fits() -> None:
    table = tuple(
        StreamCheckpoint(f"{number:048}", names.LAST_SEQUENCE + 1, 1 << 40, 1 << 40)
        for number in range(MOST_STREAMS)
    )
    start = Start(1 << 40, DEVICE, "c" * 48, 1 << 40, HEAD, bytes(16), table)
    assert len(start.body) <= LONGEST_BODY
    assert read_record(encode(start, HEAD), 0, None).record == start


_MAIN = b"\4main"
_MALFORMED = {
    "kind": (9, b"", "kind 9"),
    "start_of_a_newer_version": (1, b"\2", "newer version"),
    "start_with_number_zero": (1, b"\1\0", "spelt"),
    "start_with_too_many_streams": (
        1,
        first_start(1, DEVICE, "front", bytes(16)).body[:-1] + b"\x11",
        "more streams",
    ),
    "start_with_a_stream_twice": (
        1,
        Start(
            1, DEVICE, "front", 0, HEAD, bytes(16), (StreamCheckpoint("main"), StreamCheckpoint("main"))
        ).body,
        "twice",
    ),
    "start_of_no_camera": (1, b"\1\1" + DEVICE + b"\2..\0", "name"),
    "segment_of_no_stream": (2, b"\5chain" + SEGMENT.body[5:], "name"),
    "segment_with_a_flag_too_many": (2, _MAIN + b"\x08" + SEGMENT.body[6:], "flag"),
    "segment_without_the_end_of_its_content": (2, SEGMENT.body[:-1], "shorter"),
    "segment_with_a_byte_too_many": (2, SEGMENT.body + b"\0", "longer"),
    "segment_after_the_year_9999": (
        2,
        _MAIN + b"\0\1\7" + varint(names.LAST_MS + 1) + b"\0\0" + HEAD,
        "too large",
    ),
    "segment_with_a_varint_spelt_long": (2, _MAIN + b"\0\x81\0\7\0\0\0" + HEAD, "spelt"),
    "gap_with_a_long_reason": (3, _MAIN + b"\0" + b"x" * 201, "too long"),
    "gap_with_a_reason_that_is_no_text": (3, _MAIN + b"\0\xff", "reason"),
    "expired_for_no_reason": (4, _MAIN + b"\0\0\1", "reason"),
    "expired_none": (4, _MAIN + b"\1\0\0", "spelt"),
    "signature_cut": (5, b"\0" + bytes(63), "shorter"),
    "collapsed_none": (6, b"\0", "spelt"),
}


@pytest.mark.parametrize("fault", _MALFORMED)
def test_each_malformation_is_refused_for_what_it_is(fault: str) -> None:
    kind, body, said = _MALFORMED[fault]
    with pytest.raises(DamagedRecord, match=said):
        parse_body(kind, body)


def test_a_record_without_a_kind_is_refused() -> None:
    with pytest.raises(DamagedRecord, match="no kind"):
        read_record(b"\0" + bytes(40), 0, HEAD)


def test_a_record_that_would_be_longer_than_any_is_refused() -> None:
    with pytest.raises(DamagedRecord, match="too large"):
        read_record(varint(LONGEST_BODY + 2) + bytes(4000), 0, HEAD)


def test_a_file_that_does_not_begin_with_a_start_is_refused() -> None:
    with pytest.raises(DamagedRecord, match="START"):
        read_record(encode(SEGMENT, HEAD), 0, None)


def test_a_record_behind_another_head_is_refused() -> None:
    with pytest.raises(DamagedRecord, match="check"):
        read_record(encode(SEGMENT, HEAD), 0, bytes(32))


def test_a_start_in_the_middle_is_refused() -> None:
    fold = Fold(first_start(1, DEVICE, "front", bytes(16)))
    with pytest.raises(DamagedRecord, match="middle"):
        fold.append(first_start(1, DEVICE, "front", bytes(16)))
