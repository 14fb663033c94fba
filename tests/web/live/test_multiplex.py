"""Frames of several streams on one answer."""

from __future__ import annotations

import json

import pytest

from pipeline.wire import Dropped
from web.live.heard import Away, Back, Why
from web.live.multiplex import IDLE, Frame, FrameType, fragment_frame, init_frame, note_frame, parse


def test_a_frame_byte_for_byte() -> None:
    assert bytes(fragment_frame(5, b"moof")) == b"\0\0\0\7\2\0\5moof"
    assert bytes(IDLE) == b"\0\0\0\3\0\xff\xff"


def test_what_is_written_is_read() -> None:
    frames = [
        init_frame(0, 'video/mp4; codecs="avc1.64001f"', 1_795_356_300_123_456_789, "a note", b"ftyp"),
        fragment_frame(1, b""),
        note_frame(2, Away(Why.CAMERA)),
        note_frame(3, Back()),
        note_frame(4, Dropped(31, 1)),
        IDLE,
    ]
    assert list(parse(b"".join(map(bytes, frames)))) == frames


def test_the_head_of_init() -> None:
    body = init_frame(0, "video/mp4", 1_795_356_300_123_456_789, "a note", b"ftyp").body
    length = int.from_bytes(body[:2], "big")
    head = json.loads(body[2 : 2 + length])
    assert head == {"type": "video/mp4", "begin_ms": 1_795_356_300_123, "note": "a note"}
    assert body[2 + length :] == b"ftyp"


def test_states() -> None:
    assert json.loads(note_frame(0, Away(Why.RECORDER)).body) == {"state": "away", "why": "recorder"}
    assert json.loads(note_frame(0, Back()).body) == {"state": "live"}
    assert json.loads(note_frame(0, Dropped(31, 1)).body) == {"packets": 31, "gops": 1}


@pytest.mark.parametrize(
    "data", [b"\0\0\0", b"\0\0\0\2\0\0\0", b"\0\0\0\4\2\0\0", b"\xff\xff\xff\xff\2\0\0", b"\0\0\0\3\x63\0\0"]
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        list(parse(data))


def test_a_frame_is_a_value() -> None:
    assert Frame(FrameType.STATE, 0, b"{}") == Frame(FrameType.STATE, 0, b"{}")
