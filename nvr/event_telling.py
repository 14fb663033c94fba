"""What `nvr events` says of events: lines for people, nouns for programs. Pure.

Rules: without a record (nobody gave an identity) there is nothing but times, cameras and numbers to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from nvr.quantities import format_duration
from nvr.stored_events import StoredEvent, event_id
from pipeline.event import EventObject, EventRecord

MS_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event, and its record if it was opened."""

    event: StoredEvent
    record: EventRecord | None = None


def lines_of(events: Sequence[ToldEvent], zone: tzinfo) -> list[str]:
    """A line for each: when (local), how long, which, and what was seen or heard there."""
    widths = [max((len(str(one.event)) for one in events), default=0), 0]
    widths[1] = max((len(_duration(one.event)) for one in events), default=0)
    lines = []
    for one in events:
        start = datetime.fromtimestamp(one.event.name.start_ms / 1000, zone)
        told = [*([_seen(one.record)] if one.record else []), *_doubts(one)]
        line = f"{start:%Y-%m-%d %H:%M:%S}  {_duration(one.event):>{widths[1]}}  {one.event!s:<{widths[0]}}"
        lines.append(f"{line}  {', '.join(told)}".rstrip())
    return lines


def _duration(event: StoredEvent) -> str:
    return format_duration(event.name.duration_ms / 1000)


def _seen(record: EventRecord) -> str:
    """`person 0.62 (drive, crossed gate), 2 × car 0.55, sound`."""
    told = []
    for label in record.labels:
        own = [one for one in record.objects if one.label == label]
        count = f"{len(own)} × " if len(own) > 1 else ""
        places = f" ({', '.join(found)})" if (found := _places(own)) else ""
        told.append(f"{count}{shown(label)} {max(one.score for one in own):.2f}{places}")
    if record.sound:
        told.append(f"sound {record.sound.peak_db - record.sound.background_db:.0f} dB above the usual")
    return ", ".join(told)


def _places(objects: Sequence[EventObject]) -> list[str]:
    zones = [zone for one in objects for zone in one.zones]
    loitered = [f"stayed in {zone}" for one in objects for zone in one.loitered]
    lines = [f"crossed {one.line} {one.direction}" for thing in objects for one in thing.lines]
    return [shown(text) for text in dict.fromkeys((*zones, *loitered, *lines))]


def _doubts(one: ToldEvent) -> list[str]:
    name = one.event.name
    flags = [("clock unsure", name.clock_unsure), ("interrupted", name.unfinished)]
    return [text for text, holds in flags if holds]


def shown(text: str) -> str:
    """Text from a sealed record, safe for a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def noun_of(one: ToldEvent) -> dict[str, Any]:
    """The stable shape of `--json`; what only an identity opens is null without one."""
    event, record, name = one.event, one.record, one.event.name
    return {
        "event": str(event),
        "camera": event.camera,
        "sequence": name.sequence,
        "start_ms": name.start_ms,
        "end_ms": name.end_ms,
        "clock_unsure": name.clock_unsure,
        "unfinished": name.unfinished,
        "kept_until_ms": name.kept_until_ms or None,
        "picture": event.thumb is not None,
        "seen": _record_noun(event, record) if record else None,
    }


def _record_noun(event: StoredEvent, record: EventRecord) -> dict[str, Any]:
    before = record.continues
    return {
        "kind": record.kind.value,
        "continues": event_id(event.camera, before) if before is not None else None,
        "labels": list(record.labels),
        "objects": [_object_noun(one) for one in record.objects],
        "sound": {"peak_db": record.sound.peak_db, "background_db": record.sound.background_db}
        if record.sound
        else None,
    }


def _object_noun(one: EventObject) -> dict[str, Any]:
    return {
        "label": one.label,
        "score": one.score,
        "first_ms": one.first_ns // MS_NS,
        "last_ms": one.last_ns // MS_NS,
        "zones": list(one.zones),
        "loitered": list(one.loitered),
        "lines": [
            {"line": crossing.line, "direction": crossing.direction, "at_ms": crossing.at_ns // MS_NS}
            for crossing in one.lines
        ],
    }
