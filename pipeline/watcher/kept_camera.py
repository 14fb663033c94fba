"""One camera's events on their way to its store: when they are saved, with which picture, for how long."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from pipeline.event import Began, Changed, Ended, Event, Happening
from pipeline.event_store import EventStore, KeptEvent
from pipeline.watcher.faults import place_of
from pipeline.watcher.pictures import Fetch, Made, Pictures
from pipeline.watcher.settings import CameraSettings

_log = logging.getLogger("nvr.watcher")
SAVE_S = 10.0  # so much of an event a crash costs at most
SAVE_NEWS_S = 2.0  # another object, zone or line is worth an earlier save
APART_NS = 8_000_000_000  # a still camera is looked at every six seconds at least; what is further is a gap
_NS_PER_MS = 1_000_000


class KeptCamera:
    """For the keeping thread alone; `problem` and `lost` may be asked by any."""

    def __init__(self, settings: CameraSettings, store: EventStore, fetch: Fetch | None = None) -> None:
        self._settings = settings
        self._store = store
        self._fetch = fetch
        self._pictures: dict[int, Pictures] = {}
        self._saved_s: dict[int, float] = {}
        self._until_ns = 0

    @property
    def problem(self) -> str:
        """Empty, or why nothing can be written."""
        return self._store.problem or self._store.household_problem

    @property
    def lost(self) -> int:
        """How many events could not be kept."""
        return self._store.lost

    def keep(self, happening: Happening, clock_unsure: bool, model: str) -> str:
        """Saves or publishes what is due; the event's name for people, empty before it was first saved."""
        number = happening.event.number
        if isinstance(happening, Ended):
            self._store.finish(self._kept(happening.event, clock_unsure, model), _now_ms())
            self._saved_s.pop(number, None)
            self._pictures.pop(number, None)
        elif isinstance(happening, Began) or self._is_due(happening):
            self._store.save(self._kept(happening.event, clock_unsure, model))
            self._saved_s[number] = time.monotonic()
        sequence = self._store.sequence_of(number)
        return f"{self._settings.name}-{sequence}" if sequence is not None else ""

    def looked(self, until_ns: int) -> None:
        """Everything was looked at up to then (UTC)."""
        if self._settings.events_only and 0 < until_ns - self._until_ns <= APART_NS:
            self._store.watched.looked(self._until_ns // _NS_PER_MS, until_ns // _NS_PER_MS)
        self._until_ns = until_ns

    def missed(self, from_ns: int, to_ns: int) -> None:
        """In that time lies an event that nobody could be told of: its footage must not go as eventless."""
        if self._settings.events_only:
            self._store.watched.touched(from_ns // _NS_PER_MS, to_ns // _NS_PER_MS + 1)

    def tend(self) -> None:
        """To be called every second or two."""
        self._store.tend(_now_ms())

    def save_watched(self) -> None:
        """Writes down what was looked at, where only events are kept. Elsewhere nothing is said of it: a
        camera of which one day only events are kept begins with what comes then. Raises OSError.
        """
        if self._settings.events_only:
            self._store.watched.save(_now_ms())
        else:
            self._store.watched.forget()

    def close(self) -> None:
        """The end."""
        self._store.close(_now_ms())
        self.save_watched()

    def _is_due(self, changed: Changed) -> bool:
        pause_s = SAVE_NEWS_S if changed.notable else SAVE_S
        return time.monotonic() - self._saved_s.get(changed.event.number, 0.0) >= pause_s

    def _kept(self, event: Event, clock_unsure: bool, model: str) -> KeptEvent:
        made = self._made(event)
        if event.picture is not None:
            best = replace(event.picture, note=made.note) if made.note is not None else None
            event = replace(event, picture=best)
        return KeptEvent(event, keep_days(self._settings, event), made.crop, made.whole, model, clock_unsure)

    def _made(self, event: Event) -> Made:
        """Its pictures. One that cannot be made costs the picture: the event and its footage are kept."""
        try:
            return self._pictures.setdefault(event.number, Pictures(self._fetch)).of(event.picture)
        except Exception as error:  # noqa: BLE001 - whatever a frame provokes
            where = f"{type(error).__name__} at {place_of(error)}"
            _log.error("%s: an event's picture cannot be made (%s)", self._settings.name, where)
            return Made()


def keep_days(settings: CameraSettings, event: Event) -> float:
    """How long what the event touches is wanted: the longest of its labels."""
    wanted = [settings.keep_days_by_label.get(label, settings.keep_days) for label in event.labels]
    return max(settings.days, *wanted) if wanted else max(settings.days, settings.keep_days)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
