"""What is sealed of an event: one JSON object. The noun, and how it is written; `record_parsing` reads it.

Rules:
- Everything that says what was seen stands in here and nowhere else. The caller seals these bytes at once.
- One spelling: sorted names, no blanks, ASCII. `parse_record(bytes(record)) == record` for a record as
  `record_of` makes it: times are whole milliseconds, places and scores have four decimals.
- Device, camera, stream, sequence, start and generation stand inside: readers compare them with the name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from crypto.signing import canonical
from pipeline.event.nouns import Crossing, Event, EventKind, EventObject, PictureNote, Place, whole_ms
from pipeline.model import SegmentMark
from pipeline.scene import Box, Sound

FORMAT = 1
MS_NS = 1_000_000
_DECIMALS = 4  # a third of a pixel of 4K


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as it is kept. `model`: the first 16 hex digits of the model's SHA-256, or empty."""

    mark: SegmentMark
    end_ns: int
    kind: EventKind
    objects: tuple[EventObject, ...] = ()
    picture: PictureNote | None = None
    sound: Sound | None = None
    continues: int | None = None  # the sequence of the event that was split off before it
    unfinished: bool = False
    model: str = ""

    def __bytes__(self) -> bytes:
        return canonical(self.noun)

    @property
    def start_ns(self) -> int:
        """When it began, UTC."""
        return self.mark.start_ns

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label once, in the order of appearance."""
        return tuple(dict.fromkeys(one.label for one in self.objects))

    @property
    def noun(self) -> dict[str, Any]:
        """As it stands in the file."""
        mark = self.mark
        return {
            "format": FORMAT,
            "device": mark.device.hex(),
            "camera": mark.name.camera,
            "stream": mark.name.stream,
            "sequence": mark.sequence,
            "start_ms": mark.start_ns // MS_NS,
            "generation": mark.generation,
            "clock_unsure": mark.clock_unsure,
            "end_ms": self.end_ns // MS_NS,
            "kind": self.kind.value,
            "continues": self.continues,
            "unfinished": self.unfinished,
            "model": self.model,
            "objects": [_object_noun(one, mark.start_ns) for one in self.objects],
            "picture": _picture_noun(self.picture) if self.picture else None,
            "sound": _sound_noun(self.sound) if self.sound else None,
        }


def record_of(
    event: Event,
    mark: SegmentMark,
    *,
    model: str = "",
    continues: int | None = None,
    unfinished: bool = False,
) -> EventRecord:
    """The record of `event`, whose start the mark has. `continues`: in the numbers of the store."""
    return EventRecord(
        replace(mark, start_ns=whole_ms(mark.start_ns)),
        whole_ms(event.end_ns),
        event.kind,
        tuple(_rounded(one) for one in event.objects),
        _rounded_picture(event.picture.note) if event.picture else None,
        _rounded_sound(event.sound) if event.sound else None,
        continues,
        unfinished,
        model,
    )


def _rounded(one: EventObject) -> EventObject:
    return replace(
        one,
        score=round(one.score, _DECIMALS),
        first_ns=whole_ms(one.first_ns),
        last_ns=whole_ms(one.last_ns),
        lines=tuple(replace(crossing, at_ns=whole_ms(crossing.at_ns)) for crossing in one.lines),
        path=tuple(
            Place(whole_ms(place.at_ns), _rounded_box(place.box), round(place.score, _DECIMALS))
            for place in one.path
        ),
    )


def _rounded_picture(note: PictureNote) -> PictureNote:
    at_ns = whole_ms(note.at_ns)
    return replace(note, at_ns=at_ns, box=_rounded_box(note.box), crop=_rounded_box(note.crop))


def _rounded_sound(sound: Sound) -> Sound:
    return Sound(round(sound.peak_db, 1), round(sound.background_db, 1))


def _rounded_box(box: Box) -> Box:
    return Box(*(round(side, _DECIMALS) for side in _sides(box.clipped())))


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _object_noun(one: EventObject, start_ns: int) -> dict[str, Any]:
    return {
        "label": one.label,
        "score": one.score,
        "first_ms": one.first_ns // MS_NS,
        "last_ms": one.last_ns // MS_NS,
        "zones": list(one.zones),
        "loitered": list(one.loitered),
        "lines": [_crossing_noun(crossing) for crossing in one.lines],
        "path": [_place_noun(place, start_ns) for place in one.path],
    }


def _crossing_noun(crossing: Crossing) -> dict[str, Any]:
    return {"line": crossing.line, "direction": crossing.direction, "at_ms": crossing.at_ns // MS_NS}


def _place_noun(place: Place, start_ns: int) -> list[float]:
    return [(place.at_ns - start_ns) // MS_NS, *_sides(place.box), place.score]


def _picture_noun(note: PictureNote) -> dict[str, Any]:
    return {
        "at_ms": note.at_ns // MS_NS,
        "object": note.object,
        "box": list(_sides(note.box)),
        "crop": list(_sides(note.crop)),
        "width": note.width,
        "height": note.height,
    }


def _sound_noun(sound: Sound) -> dict[str, float]:
    return {"peak_db": sound.peak_db, "background_db": sound.background_db}
