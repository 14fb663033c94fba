"""Folding: what is appended is what is read back, and a new file goes on where the last one stopped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.chain.folding import Fold, first_start
from pipeline.chain.records import (
    MOST_STREAMS,
    Collapsed,
    DamagedRecord,
    Expired,
    Gap,
    Reason,
    Record,
    Segment,
    Signed,
    StreamCheckpoint,
    encode,
)

DEVICE = bytes(range(16))
STREAMS = st.sampled_from(["main", "sub"])
SMALL = st.integers(0, 1000)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(
        Segment, STREAMS, SMALL, SMALL, SMALL, SMALL, st.integers(1, 5), st.binary(min_size=32, max_size=32)
    ),
    st.builds(Gap, STREAMS, SMALL, st.text(max_size=9)),
    st.builds(Expired, STREAMS, st.sampled_from(Reason), SMALL, st.integers(1, 9)),
    st.builds(Signed, SMALL, st.binary(min_size=64, max_size=64)),
    st.builds(Collapsed, st.integers(1, 9)),
)


def _fold() -> Fold:
    return Fold(first_start(1, DEVICE, "front", bytes(16)))


def _segment(stream: str, sequence: int, generation: int = 1) -> Segment:
    return Segment(stream, sequence, 0, 0, 0, generation, bytes(32))


@given(st.lists(RECORDS, max_size=30))
def test_what_is_appended_is_read_back(records: list[Record]) -> None:
    fold = _fold()
    data = b"".join(fold.append(record) for record in records)
    again, at, found = _fold(), 0, []
    while at < len(data):
        record, at = again.read(data, at)
        found.append(record)
    assert found == records
    assert vars(again) == vars(fold)


def test_the_table_says_where_each_stream_stands() -> None:
    fold = _fold()
    for record in (
        _segment("main", 3),
        _segment("main", 5, 2),
        _segment("main", 4),
        _segment("sub", 0),
        Expired("main", Reason.AGE, 3, 2),
        Expired("gone", Reason.AGE, 3, 2),
    ):
        fold.append(record)
    assert fold.next_sequence("main") == 6
    assert fold.next_sequence("other") == 0
    start = fold.next_start(2, bytes(16))
    assert start.streams == (StreamCheckpoint("main", 6, 1, 1), StreamCheckpoint("sub", 1, 1, 1))
    assert (start.count, start.head) == (7, fold.head)
    after = Fold(start)
    assert (after.count, after.streams) == (8, fold.streams)


def test_a_signature_names_the_file_and_the_head() -> None:
    one = _fold()
    other = Fold(first_start(1, DEVICE, "back", bytes(16)), one.head, one.count)
    assert one.signed_message(5) != other.signed_message(5)
    assert one.signed_message(5) != one.signed_message(6)
    before = one.signed_message(5)
    one.append(_segment("main", 0))
    assert one.signed_message(5) != before


def test_unsigned_counts_since_the_last_signature() -> None:
    fold = _fold()
    fold.append(_segment("main", 0))
    assert fold.unsigned == 2
    fold.append(Signed(9, bytes(64)))
    assert (fold.unsigned, fold.last_signed_ms) == (0, 9)


def test_a_copy_is_changed_apart() -> None:
    fold = _fold()
    trial = fold.copy()
    trial.append(_segment("main", 0))
    assert (fold.count, fold.streams) == (1, {})


def test_a_camera_with_too_many_streams_is_refused_and_nothing_changed() -> None:
    fold = _fold()
    for number in range(MOST_STREAMS):
        fold.append(_segment(f"s{number}", 0))
    head = fold.head
    with pytest.raises(DamagedRecord, match="streams"):
        fold.append(_segment("one-more", 0))
    assert fold.head == head


def test_a_record_of_another_chain_does_not_fit() -> None:
    with pytest.raises(DamagedRecord, match="check"):
        _fold().read(encode(_segment("main", 0), bytes(32)), 0)
