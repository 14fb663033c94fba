"""Events of one camera as they come, those under way included: for somebody who watches them being found.

Rules:
- What is under way lies sealed as well (`.part`); it is opened with the same identities as everything else.
- A file that gets another name meanwhile, or is not there any more, is looked for again the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crypto.errors import CryptoError
from crypto.identity import Identity
from crypto.unseal import unseal_bytes
from pipeline import walk
from pipeline.event import EventObject, EventRecord, NotARecord, parse_record
from pipeline.event_names import parse_under_way
from pipeline.model import StreamName
from pipeline.names import EVENTS, PART_SUFFIX, NotAName


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that was found, in the event that people call `event_id`."""

    event_id: str
    thing: EventObject


class NewestEvents:
    """What is new in one camera's events, each thing once."""

    def __init__(self, root: Path, camera: str, identities: Sequence[Identity]) -> None:
        self._root = root
        self._camera = camera
        self._identities = identities
        self._read: set[tuple[Path, int]] = set()
        self._shown: dict[int, set[tuple[str, int]]] = {}  # the things of an event, by its sequence

    def look(self) -> list[Sighting]:
        """Everything found since the last time, in the order of the events. Raises OSError."""
        return [sighting for record in self._fresh() for sighting in self._news(record)]

    @property
    def event_ids(self) -> list[str]:
        """All events that something was found in."""
        return [f"{self._camera}-{sequence}" for sequence in sorted(self._shown)]

    def _news(self, record: EventRecord) -> list[Sighting]:
        sequence = record.mark.sequence
        shown = self._shown.setdefault(sequence, set())
        fresh = [thing for thing in record.objects if (thing.label, thing.first_ns) not in shown]
        shown.update((thing.label, thing.first_ns) for thing in fresh)
        return [Sighting(f"{self._camera}-{sequence}", thing) for thing in fresh]

    def _fresh(self) -> Iterator[EventRecord]:
        for path in self._paths():
            try:
                version = (path, path.stat().st_mtime_ns)
                if version in self._read:
                    continue
                record = parse_record(unseal_bytes(path.read_bytes(), self._identities))
            except (FileNotFoundError, CryptoError, NotARecord):
                continue
            self._read.add(version)
            yield record

    def _paths(self) -> Iterator[Path]:
        for hour in walk.hours(self._root, StreamName(self._camera, EVENTS)):
            folder = self._root / hour.path
            yield from (folder / str(one.name) for one in walk.segments(self._root, hour))
            yield from sorted(path for path in folder.glob(f"*{PART_SUFFIX}") if _is_under_way(path))


def _is_under_way(path: Path) -> bool:
    try:
        parse_under_way(path.name)
    except NotAName:
        return False
    return True
