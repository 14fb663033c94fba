"""Names round-trip, say where things lie, and refuse whatever is not one."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import names
from pipeline.event_names import new_name, parse_under_way, part_name
from pipeline.model import StreamName
from pipeline.names import (
    EVENT_STREAMS,
    GapMark,
    HoldName,
    NotAName,
    PartName,
    SegmentName,
    StoredSegment,
)

TIMES = st.integers(0, names.LAST_MS)
SEQUENCES = st.integers(0, names.LAST_SEQUENCE)
COMPONENTS = st.from_regex(re.compile(r"[a-z0-9][a-z0-9_-]{0,47}"), fullmatch=True)
CAMERAS = COMPONENTS.filter(lambda c: c not in names.RESERVED_CAMERAS)
STREAMS = COMPONENTS.filter(lambda s: s not in names.RESERVED_STREAMS)
SEGMENTS = st.builds(
    SegmentName,
    TIMES,
    st.integers(0, names.LONGEST_MS),
    SEQUENCES,
    st.booleans(),
    st.booleans(),
    TIMES,
    st.sampled_from(names.FileKind),
)
FRONT = StreamName("front", "main")


@given(SEGMENTS)
def test_segment_names_round_trip(name: SegmentName) -> None:
    assert SegmentName.parse(str(name)) == name


@given(SEGMENTS)
def test_names_of_events_under_way_round_trip(name: SegmentName) -> None:
    for text in (part_name(name), new_name(name)):
        if name.kind is names.FileKind.FOOTAGE:
            with pytest.raises(NotAName):
                parse_under_way(text)
        else:
            assert parse_under_way(text) == name


@given(st.builds(PartName, TIMES, SEQUENCES, st.booleans()))
def test_part_names_round_trip(name: PartName) -> None:
    assert PartName.parse(name.part) == PartName.parse(name.tail) == name


@given(CAMERAS, TIMES, TIMES, TIMES)
def test_hold_names_round_trip(camera: str, a_ms: int, b_ms: int, made_ms: int) -> None:
    if a_ms != b_ms:
        hold = HoldName(camera, min(a_ms, b_ms), max(a_ms, b_ms), made_ms)
        assert HoldName.parse(str(hold)) == hold


@given(CAMERAS, STREAMS, TIMES, st.text())
def test_gap_marks_round_trip_in_one_line(camera: str, stream: str, at_ms: int, reason: str) -> None:
    mark = GapMark(StreamName(camera, stream), at_ms, reason)
    assert mark.line().count("\n") == 1
    assert GapMark.parse(camera, mark.line()) == mark


@given(st.text())
def test_only_what_would_be_written_is_read(text: str) -> None:
    for parse in (SegmentName.parse, HoldName.parse):
        with contextlib.suppress(NotAName):
            assert str(parse(text)) == text


def test_names_look_as_the_format_says() -> None:
    name = SegmentName(1_795_348_800_123, 10_040, 42)
    assert str(name) == "1795348800123+10040.42.mp4.age"
    assert str(SegmentName(1, 2, 3, True, True)) == "1+2.3.cu.mp4.age"
    assert str(SegmentName(1, 2, 3, kept_until_ms=9)) == "1+2.3.k9.mp4.age"
    assert PartName(1, 3, True).part == "1.3.c.part"
    record, thumb = (SegmentName(1, 2, 3, kept_until_ms=9, kind=names.kind_of(one)) for one in EVENT_STREAMS)
    assert (str(record), str(thumb)) == ("1+2.3.k9.json.age", "1+2.3.k9.jpg.age")
    assert (part_name(record), new_name(thumb)) == ("1+2.3.k9.json.age.part", "1+2.3.k9.jpg.age.new")
    stored = StoredSegment(FRONT, name, 5)
    assert stored.path == "front/main/2026-11-22/12/1795348800123+10040.42.mp4.age"
    assert names.gaps_path("front", name.start_ms) == "front/gaps/2026-11-22.jsonl"
    assert str(HoldName("front", 1, 2, 3)) == "front.1-2.3.hold"


def test_events_and_thumbs_are_streams_of_their_own() -> None:
    for stream in EVENT_STREAMS:
        assert names.stored_stream_name("front", stream) == StreamName("front", stream)
        with pytest.raises(NotAName):
            names.stream_name("front", stream)
    assert names.stored_stream_name("front", "main") == FRONT
    with pytest.raises(NotAName):
        names.stored_stream_name("front", "chain")


@given(TIMES)
def test_a_time_lies_in_its_hour(at_ms: int) -> None:
    start = names.hour_start_ms(names.day_of(at_ms), names.hour_of(at_ms))
    assert start <= at_ms < start + names.HOUR_MS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1+2.3.mp4",
        "01+2.3.mp4.age",
        "1+2.3.uc.mp4.age",
        "1+2.3..mp4.age",
        "1+2.3.x.mp4.age",
        "1+2.3.k0.mp4.age",
        "1+2.3.mp4.age\n",
        "-1+2.3.mp4.age",
        "1+2.3.mp4.age.age",
        "999999999999999+2.3.mp4.age",
        "1+999999999.3.mp4.age",
        "١+2.3.mp4.age",
    ],
)
def test_nonsense_is_no_segment_name(text: str) -> None:
    with pytest.raises(NotAName):
        SegmentName.parse(text)


@pytest.mark.parametrize(
    "text", ["", "..", "a/b", "Front", "küche", "front.main", "-x", "keys", "holds", "a" * 49, "a\n"]
)
def test_nonsense_is_no_camera_name(text: str) -> None:
    with pytest.raises(NotAName, match="cannot be a camera's name"):
        names.camera_name(text)


NOT_GAP_MARKS = [
    "",
    "[]",
    "{}",
    "3",
    "[" * 9999,
    '{"stream":"main","at_ms":"1","reason":"x"}',
    '{"stream":"../x","at_ms":1,"reason":"x"}',
    '{"stream":"main","at_ms":-1,"reason":""}',
]
NOT_HOURS = [
    ("2026-11-31", "00"),
    ("2026-1-1", "00"),
    ("2026-11-22", "24"),
    ("2026-11-22", "7"),
    ("1969-12-31", "23"),
    ("20261122", "00"),
]


@pytest.mark.parametrize("line", NOT_GAP_MARKS)
def test_nonsense_is_no_gap_mark(line: str) -> None:
    with pytest.raises(NotAName):
        GapMark.parse("front", line)


@pytest.mark.parametrize(("day", "hour"), NOT_HOURS)
def test_nonsense_is_no_hour(day: str, hour: str) -> None:
    with pytest.raises(NotAName):
        names.hour_start_ms(day, hour)


def test_a_hold_covers_what_overlaps_it() -> None:
    hold = HoldName("front", 100, 200, 0)
    assert hold.covers("front", 150, 160)
    assert hold.covers("front", 90, 101)
    assert hold.covers("front", 199, 300)
    assert hold.covers("front", 100, 100)
    assert not hold.covers("front", 90, 100)
    assert not hold.covers("front", 200, 300)
    assert not hold.covers("back", 150, 160)
    with pytest.raises(NotAName):
        HoldName("front", 200, 200, 0)
