"""Events: what counts of the tracks, in which zones and over which lines, from when to when.

Rules: neither numpy nor OpenCV is needed here. Time, tracks and sounds come in as data; nothing is read or
written. `pipeline.watcher` brings tracker, sound and events together; they do not know each other.
"""

from __future__ import annotations

from pipeline.event.maker import EventMaker
from pipeline.event.nouns import (
    Began,
    BestPicture,
    Changed,
    Crossing,
    Ended,
    Event,
    EventKind,
    EventObject,
    Happening,
    PictureNote,
    Place,
    Tracked,
)
from pipeline.event.record import EventRecord, record_of
from pipeline.event.record_parsing import NotARecord, parse_record
from pipeline.event.rules import DEFAULT_LABELS, Direction, Line, Rules, Zone, faults

__all__ = [
    "DEFAULT_LABELS",
    "Began",
    "BestPicture",
    "Changed",
    "Crossing",
    "Direction",
    "Ended",
    "Event",
    "EventKind",
    "EventMaker",
    "EventObject",
    "EventRecord",
    "Happening",
    "Line",
    "NotARecord",
    "PictureNote",
    "Place",
    "Rules",
    "Tracked",
    "Zone",
    "faults",
    "parse_record",
    "record_of",
]
