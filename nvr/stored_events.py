"""The events in a store, by their names alone: which there are, and what people call them.

Rules:
- The names in the store alone decide, not the index: a copy of the store is enough.
- An event under way is not listed: it has no name yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nvr.errors import NvrError, UsageFault
from pipeline import walk
from pipeline.model import StreamName
from pipeline.names import DAY_MS, EVENTS, HOUR_MS, THUMBS, SegmentName, StoredSegment

_ID = re.compile(r"([a-z0-9][a-z0-9_-]{0,47})-(0|[1-9][0-9]{0,14})")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event's record, and its thumbnail (None where it has none)."""

    record: StoredSegment
    thumb: StoredSegment | None

    @property
    def name(self) -> SegmentName:
        """What the record's name says."""
        return self.record.name

    @property
    def camera(self) -> str:
        """Whose event."""
        return self.record.stream.camera

    def __str__(self) -> str:
        """What people call it: `front-42`."""
        return event_id(self.camera, self.name.sequence)


def event_id(camera: str, sequence: int) -> str:
    """What people call the event: `front-42`."""
    return f"{camera}-{sequence}"


def find_events(root: Path, cameras: Iterable[str], from_ms: int, to_ms: int) -> list[StoredEvent]:
    """What began before `to_ms` and ended after `from_ms`, in the order of beginning. Raises OSError."""
    found = [
        event
        for camera in cameras
        for hour in walk.hours(root, StreamName(camera, EVENTS))
        if from_ms - DAY_MS - HOUR_MS < hour.start_ms < to_ms
        for event in _in_hour(root, hour)
        if event.name.start_ms < to_ms and max(event.name.end_ms, event.name.start_ms + 1) > from_ms
    ]
    return sorted(found, key=lambda event: (event.name.start_ms, event.camera, event.name.sequence))


def find_event(root: Path, text: str) -> StoredEvent:
    """The event that is called so. Raises UsageFault for what is no event's name, NvrError for one that is
    not there, OSError.
    """
    parts = _ID.fullmatch(text)
    if parts is None:
        raise UsageFault(f'"{text[:60]}" is not an event: say its camera and number, like front-42.')
    camera, sequence = parts[1], int(parts[2])
    for hour in reversed(list(walk.hours(root, StreamName(camera, EVENTS)))):
        for event in _in_hour(root, hour):
            if event.name.sequence == sequence:
                return event
    raise NvrError(f"There is no event {text}; nvr events lists those that there are.")


def _in_hour(root: Path, hour: walk.Hour) -> list[StoredEvent]:
    records = walk.segments(root, hour)
    if not records:
        return []
    beside = walk.Hour(StreamName(hour.stream.camera, THUMBS), hour.day, hour.hour)
    thumbs = {one.name.sequence: one for one in walk.segments(root, beside)}
    return [StoredEvent(one, thumbs.get(one.name.sequence)) for one in records]
