"""Reads the record of an event back. Pure.

Rules: whoever could write the store could have written the bytes. What is not exactly of the form is refused
with one sentence, and never shown in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

from pipeline.event.nouns import Crossing, EventKind, EventObject, PictureNote, Place
from pipeline.event.record import FORMAT, MS_NS, EventRecord
from pipeline.event.rules import Direction
from pipeline.model import SegmentMark, StreamName
from pipeline.names import LAST_MS, LAST_SEQUENCE, camera_name
from pipeline.scene import Box, Sound

LARGEST_BYTES = 16 * 1024 * 1024  # far above 200 things with a path of five minutes each
_LONGEST_TEXT = 200
_MOST = 100_000  # of anything in a list
_HEX = set("0123456789abcdef")
_DIRECTIONS = {Direction.LEFT_TO_RIGHT.value, Direction.RIGHT_TO_LEFT.value}
T = TypeVar("T")


class NotARecord(ValueError):
    """The bytes are no record of an event; the message is a sentence."""


def parse_record(content: bytes) -> EventRecord:
    """The record in these bytes. Raises NotARecord."""
    if len(content) > LARGEST_BYTES:
        raise NotARecord("The record of this event is larger than any can be: it was damaged or changed.")
    try:
        noun = json.loads(content)
    except (ValueError, RecursionError):
        raise NotARecord("The record of this event is not JSON: it was damaged or changed.") from None
    if isinstance(noun, dict) and type(noun.get("format")) is int and noun["format"] > FORMAT:
        raise NotARecord("The record of this event was written by a newer version of nvr: use that one.")
    try:
        return _record(_Fields(noun))
    except (ValueError, TypeError, LookupError):
        raise NotARecord("The record of this event is not of its form: it was damaged or changed.") from None


class _Fields:
    """The fields of one JSON object; each is taken once, and none may be left."""

    def __init__(self, noun: Any) -> None:
        if not isinstance(noun, dict):
            raise ValueError("not an object")
        self._noun = dict(noun)

    def raw(self, name: str) -> Any:
        return self._noun.pop(name)

    def done(self) -> None:
        if self._noun:
            raise ValueError("unknown fields")

    def text(self, name: str) -> str:
        return _text(self.raw(name))

    def integer(self, name: str, last: int, first: int = 0) -> int:
        return _integer(self.raw(name), last, first)

    def at_ns(self, name: str) -> int:
        return self.integer(name, LAST_MS) * MS_NS

    def flag(self, name: str) -> bool:
        value = self.raw(name)
        if not isinstance(value, bool):
            raise ValueError("not a flag")
        return value

    def number(self, name: str, first: float, last: float) -> float:
        return _number(self.raw(name), first, last)

    def each(self, name: str, read: Callable[[Any], T]) -> tuple[T, ...]:
        value = self.raw(name)
        if not isinstance(value, list) or len(value) > _MOST:
            raise ValueError("not a list")
        return tuple(read(one) for one in value)

    def maybe(self, name: str, read: Callable[[Any], T]) -> T | None:
        value = self.raw(name)
        return None if value is None else read(value)


def _record(fields: _Fields) -> EventRecord:
    if fields.integer("format", FORMAT, FORMAT) != FORMAT:
        raise ValueError("another format")
    mark = _mark(fields)
    record = EventRecord(
        mark,
        fields.at_ns("end_ms"),
        EventKind(fields.text("kind")),
        fields.each("objects", lambda noun: _object(_Fields(noun), mark.start_ns)),
        fields.maybe("picture", lambda noun: _picture(_Fields(noun))),
        fields.maybe("sound", lambda noun: _sound(_Fields(noun))),
        fields.maybe("continues", lambda noun: _integer(noun, LAST_SEQUENCE)),
        fields.flag("unfinished"),
        _hexadecimal(fields.text("model"), (0, 16)),
    )
    fields.done()
    _check(record)
    return record


def _check(record: EventRecord) -> None:
    """What must hold between the fields."""
    if record.end_ns < record.start_ns or bool(record.objects) != (record.kind is EventKind.SEEN):
        raise ValueError("fields contradict each other")
    if record.picture is not None and record.picture.object >= len(record.objects):
        raise ValueError("a picture of nothing")


def _mark(fields: _Fields) -> SegmentMark:
    name = StreamName(camera_name(fields.text("camera")), fields.text("stream"))
    if name.stream != "events":
        raise ValueError("not an event's stream")
    return SegmentMark(
        bytes.fromhex(_hexadecimal(fields.text("device"), (32,))),
        name,
        fields.integer("sequence", LAST_SEQUENCE),
        fields.at_ns("start_ms"),
        fields.integer("generation", LAST_SEQUENCE),
        fields.flag("clock_unsure"),
    )


def _object(fields: _Fields, start_ns: int) -> EventObject:
    one = EventObject(
        fields.text("label"),
        fields.number("score", 0, 1),
        fields.at_ns("first_ms"),
        fields.at_ns("last_ms"),
        fields.each("zones", _text),
        fields.each("loitered", _text),
        fields.each("lines", lambda noun: _crossing(_Fields(noun))),
        fields.each("path", lambda noun: _place(noun, start_ns)),
    )
    fields.done()
    return one


def _crossing(fields: _Fields) -> Crossing:
    crossing = Crossing(fields.text("line"), fields.text("direction"), fields.at_ns("at_ms"))
    fields.done()
    if crossing.direction not in _DIRECTIONS:
        raise ValueError("not a direction")
    return crossing


def _place(noun: Any, start_ns: int) -> Place:
    offset_ms, left, top, right, bottom, score = noun
    at_ns = start_ns + _integer(offset_ms, LAST_MS) * MS_NS
    return Place(at_ns, _box([left, top, right, bottom]), _number(score, 0, 1))


def _picture(fields: _Fields) -> PictureNote:
    note = PictureNote(
        fields.at_ns("at_ms"),
        fields.integer("object", _MOST),
        _box(fields.raw("box")),
        _box(fields.raw("crop")),
        fields.integer("width", 65_536, 1),
        fields.integer("height", 65_536, 1),
    )
    fields.done()
    return note


def _sound(fields: _Fields) -> Sound:
    sound = Sound(fields.number("peak_db", -200, 200), fields.number("background_db", -200, 200))
    fields.done()
    return sound


def _box(noun: Any) -> Box:
    left, top, right, bottom = (_number(side, 0, 1) for side in noun)
    if left > right or top > bottom:
        raise ValueError("not a box")
    return Box(left, top, right, bottom)


def _text(noun: Any) -> str:
    if not isinstance(noun, str) or len(noun) > _LONGEST_TEXT:
        raise ValueError("not a text")
    return noun


def _hexadecimal(text: str, lengths: tuple[int, ...]) -> str:
    if len(text) not in lengths or not set(text) <= _HEX:
        raise ValueError("not hexadecimal")
    return text


def _integer(noun: Any, last: int, first: int = 0) -> int:
    if type(noun) is not int or not first <= noun <= last:
        raise ValueError("not a whole number of that range")
    return noun


def _number(noun: Any, first: float, last: float) -> float:
    if type(noun) not in (int, float) or not math.isfinite(noun) or not first <= noun <= last:
        raise ValueError("not a number of that range")
    return float(noun)
