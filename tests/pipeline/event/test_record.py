"""The sealed record: what is written comes back, and what is malformed is refused with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.event import (
    BestPicture,
    Crossing,
    Event,
    EventMaker,
    EventObject,
    Line,
    NotARecord,
    PictureNote,
    Place,
    Rules,
    Zone,
    parse_record,
    record_of,
)
from pipeline.event.record import MS_NS, EventRecord
from pipeline.model import SegmentMark, StreamName
from pipeline.scene import Box, Point, Polygon, Sound
from tests.support.walks import Walk, all_events, straight

DEVICE = bytes(range(16))
START_NS = 1_790_000_000_123_000_000
WHOLE = Polygon((Point(0.0, 0.0), Point(1.0, 0.0), Point(1.0, 1.0), Point(0.0, 1.0)))

_shares = st.floats(0, 1, allow_nan=False)
_times = st.integers(0, 10**12).map(lambda off: START_NS + off)
_texts = st.text(max_size=20)
_boxes = st.lists(_shares, min_size=4, max_size=4).map(
    lambda s: Box(min(s[0], s[1]), min(s[2], s[3]), max(s[0], s[1]), max(s[2], s[3]))
)
_places = st.builds(Place, _times, _boxes, _shares)
_crossings = st.builds(Crossing, _texts, st.sampled_from(["left-to-right", "right-to-left"]), _times)
_names = st.lists(_texts, max_size=3).map(tuple)
_objects = st.builds(
    EventObject,
    _texts,
    _shares,
    _times,
    _times,
    _names,
    _names,
    st.lists(_crossings, max_size=3).map(tuple),
    st.lists(_places, max_size=5).map(tuple),
)
_several_objects = st.lists(_objects, max_size=3)
_sounds = st.builds(Sound, st.floats(-100, 0), st.floats(-100, 0))


@st.composite
def _records(draw: st.DrawFn) -> EventRecord:
    objects, has_picture = draw(_several_objects), draw(st.booleans())
    picture = None
    if objects and has_picture:
        index = draw(st.integers(0, len(objects) - 1))
        note = PictureNote(draw(_times), index, draw(_boxes), draw(_boxes), 640, 360)
        picture = BestPicture(note, None, None)  # type: ignore[arg-type]  # not written
    event = Event(1, START_NS, draw(_times), tuple(objects), picture, draw(st.none() | _sounds))
    return record_of(
        event,
        mark(draw(st.integers(0, 10**9)), unsure=draw(st.booleans())),
        model=draw(st.sampled_from(["", "0123456789abcdef"])),
        continues=draw(st.none() | st.integers(0, 10**9)),
        unfinished=draw(st.booleans()),
    )


def mark(sequence: int = 42, *, unsure: bool = False) -> SegmentMark:
    return SegmentMark(DEVICE, StreamName("front", "events"), sequence, START_NS, 3, unsure)


@given(_records())
def test_what_is_written_comes_back(record: EventRecord) -> None:
    assert parse_record(bytes(record)) == record
    assert bytes(parse_record(bytes(record))) == bytes(record)


def test_a_walk_over_a_line_in_a_zone_comes_back() -> None:
    rules = Rules(
        zones=(Zone("yard", WHOLE, loiter_s=2),), lines=(Line("gate", Point(0.5, 0.0), Point(0.5, 1.0)),)
    )
    walk = Walk(straight(Point(0.1, 0.6), Point(0.9, 0.6), 25))
    (event,) = all_events(EventMaker(rules), [walk], 60)
    at_start = SegmentMark(DEVICE, StreamName("front", "events"), 42, event.start_ns, 3)
    record = parse_record(bytes(record_of(event, at_start, model="00112233aabbccdd")))

    assert record.labels == ("person",)
    assert record.start_ns == event.start_ns
    assert record.end_ns == event.end_ns
    (person,) = record.objects
    assert person.zones == person.loitered == ("yard",)
    assert [one.direction for one in person.lines] == ["right-to-left"]
    assert len(person.path) == len(event.objects[0].path)


def test_the_names_that_are_documented() -> None:
    path = (Place(START_NS + 400 * MS_NS, Box(0.1, 0.2, 0.3, 0.4), 0.5),)
    crossing = Crossing("gate", "left-to-right", START_NS)
    seen = EventObject("person", 0.51, START_NS, START_NS, ("yard",), ("yard",), (crossing,), path)
    note = PictureNote(START_NS, 0, Box(0.1, 0.2, 0.3, 0.4), Box(0.0, 0.0, 1.0, 1.0), 640, 360)
    event = Event(1, START_NS, START_NS + MS_NS, (seen,), BestPicture(note, None, None), Sound(-20.0, -50.0))  # type: ignore[arg-type]

    assert json.loads(bytes(record_of(event, mark(), model="00112233aabbccdd"))) == {
        "format": 1,
        "device": DEVICE.hex(),
        "camera": "front",
        "stream": "events",
        "sequence": 42,
        "start_ms": START_NS // MS_NS,
        "generation": 3,
        "clock_unsure": False,
        "end_ms": START_NS // MS_NS + 1,
        "kind": "seen",
        "continues": None,
        "unfinished": False,
        "model": "00112233aabbccdd",
        "objects": [
            {
                "label": "person",
                "score": 0.51,
                "first_ms": START_NS // MS_NS,
                "last_ms": START_NS // MS_NS,
                "zones": ["yard"],
                "loitered": ["yard"],
                "lines": [{"line": "gate", "direction": "left-to-right", "at_ms": START_NS // MS_NS}],
                "path": [[400, 0.1, 0.2, 0.3, 0.4, 0.5]],
            }
        ],
        "picture": {
            "at_ms": START_NS // MS_NS,
            "object": 0,
            "box": [0.1, 0.2, 0.3, 0.4],
            "crop": [0.0, 0.0, 1.0, 1.0],
            "width": 640,
            "height": 360,
        },
        "sound": {"peak_db": -20.0, "background_db": -50.0},
    }


def _noun() -> dict[str, Any]:
    seen = EventObject(
        "person", 0.5, START_NS, START_NS, path=(Place(START_NS, Box(0.1, 0.2, 0.3, 0.4), 0.5),)
    )
    noun: dict[str, Any] = json.loads(bytes(record_of(Event(1, START_NS, START_NS, (seen,)), mark())))
    return noun


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 0),
        ("device", "00"),
        ("device", "zz" * 16),
        ("camera", "../x"),
        ("stream", "main"),
        ("sequence", -1),
        ("sequence", True),
        ("start_ms", "1"),
        ("start_ms", 10**18),
        ("end_ms", 0),
        ("kind", "felt"),
        ("kind", "sound"),
        ("continues", "41"),
        ("unfinished", 0),
        ("model", "abc"),
        ("objects", {}),
        ("objects", []),
        ("objects", [1]),
        ("picture", {"at_ms": 0}),
        ("picture", []),
        ("sound", {"peak_db": float("nan"), "background_db": 0}),
        ("more", 1),
    ],
)
def test_a_malformed_field_is_refused(name: str, value: object) -> None:
    with pytest.raises(NotARecord, match=r"^The record of this event is not of its form: "):
        parse_record(json.dumps(_noun() | {name: value}).encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("label", None),
        ("score", 1.5),
        ("first_ms", 0.5),
        ("zones", "yard"),
        ("lines", [{"line": "gate", "direction": "up", "at_ms": 0}]),
        ("path", [[0, 0.1, 0.2, 0.3, 0.4]]),
        ("path", [[0, 0.5, 0.2, 0.3, 0.4, 0.5]]),
        ("path", [[-1, 0.1, 0.2, 0.3, 0.4, 0.5]]),
    ],
)
def test_a_malformed_object_is_refused(name: str, value: object) -> None:
    noun = _noun()
    noun["objects"][0][name] = value
    with pytest.raises(NotARecord):
        parse_record(json.dumps(noun).encode())


@pytest.mark.parametrize("name", list(_noun()))
def test_no_field_may_be_missing(name: str) -> None:
    noun = _noun()
    del noun[name]
    with pytest.raises(NotARecord):
        parse_record(json.dumps(noun).encode())


def test_a_newer_format_says_so() -> None:
    with pytest.raises(NotARecord, match="newer version of nvr"):
        parse_record(json.dumps(_noun() | {"format": 2}).encode())


@given(st.binary(max_size=300))
def test_garbage_is_refused(content: bytes) -> None:
    with pytest.raises(NotARecord):
        parse_record(content)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_damage_is_refused_or_a_record(at: int, damage: bytes) -> None:
    content = json.dumps(_noun()).encode()
    at %= len(content)
    try:
        parse_record(content[:at] + damage + content[at + len(damage) :])
    except NotARecord as refused:
        assert str(refused).count("\n") == 0
