"""One camera's events on their way into the store: sealed, published, chained, and their footage kept.

Rules:
- Nothing of an event reaches a disk unsealed.
- While it is under way it lies as `.part` (a crash costs what came since the last `save`); when it ends it is
  published as segments are: fsync, rename without replacing, fsync of the folder, then chain and index.
- A disk that refuses delays nobody: an event that has ended waits (at most `MOST_WAITING`, each loss counted)
  and is tried again by `tend`; one under way is saved the next time.
- What [start, end] of an event touches of the footage is kept as `raising` says, and never counts as time in
  which nothing happened.
For one thread: the one that keeps all cameras' events.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline import walk
from pipeline.chain.log import ChainKeeper, ChainPlace
from pipeline.chaining import Beginnings, Chaining, next_in_chain
from pipeline.durable import DISK, DiskCalls
from pipeline.event_store.deadlines import class_in
from pipeline.event_store.files_of_event import FilesOfEvent
from pipeline.event_store.nouns import KeptEvent
from pipeline.event_store.raising import Raiser, TouchedSpan
from pipeline.event_store.recovery import recover_events
from pipeline.model import SegmentMark, StreamName
from pipeline.names import EVENT_STREAMS, EVENTS, HOUR_MS, StoredSegment
from pipeline.sealing import Sealing, recipient_of
from pipeline.store import Store, StoreError, last_sequence
from pipeline.watched import HOLD_BACK_MS, Watched

_log = logging.getLogger("nvr.watch")
MOST_WAITING = 32  # with two pictures of 100 kB each: 6 MB a camera
# At a start, and before the newest event: an event's last segment may have been published when the watcher
# had ended, and the machine may have been off since.
RECENT_MS = 2 * HOUR_MS
_REMEMBERED = 8  # finished events whose sequence one that goes on may ask for


class Catalogue(Protocol):
    """Who is told what has a name, or a new one: the index, in the product. Neither blocks nor raises."""

    def published(self, segment: StoredSegment) -> None:
        """The file's name is durable."""


@dataclass(frozen=True, slots=True)
class EventPlace:
    """Where a camera's events go. `newest_sure_ns`: the end of its newest footage of a sure clock, UTC;
    `hold_back_ms`: as for `Watched`.
    """

    store: Store
    state_dir: Path
    camera: str
    newest_sure_ns: int | None = None
    hold_back_ms: int = HOLD_BACK_MS


class EventStore:
    """One camera's. Makes its folders when the first event comes."""

    def __init__(self, place: EventPlace, catalogue: Catalogue, now_ms: int, disk: DiskCalls = DISK) -> None:
        """Finishes what a crash left. The watcher's lock is held (`pipeline.store.lock_watcher`).

        Raises StoreMissing, HouseholdError, OSError when nothing can be read.
        """
        self._place = place
        self._root = place.store.root
        self._catalogue = catalogue
        self._disk = disk
        self._sealing = Sealing(self._root, place.state_dir, place.camera, place.newest_sure_ns, disk)
        self.watched = Watched(place.state_dir, place.camera, place.hold_back_ms)
        """Which time was looked at: the watcher's to note and to save."""
        self._raiser = Raiser(self._root, place.camera, catalogue.published, disk)
        self._open: dict[int, FilesOfEvent] = {}
        self._sequences: dict[int, int] = {}
        self._waiting: deque[KeptEvent] = deque()
        self.lost = 0
        """How many events could not be kept, all told."""
        self._problems = {"kept": "", "raised": ""}
        recovered = self._recover()
        self._streams = [StreamName(place.camera, one) for one in EVENT_STREAMS]
        self._next_sequence = max(map(self._first_sequence, self._streams))
        self._chaining = self._make_chaining(recovered)
        self._touch_footage_of(recovered, now_ms)

    @property
    def waiting(self) -> int:
        """How many events have ended and could not be published yet."""
        return len(self._waiting)

    @property
    def problem(self) -> str:
        """Empty, or a clause for a person: why nothing can be written."""
        return self._problems["kept"] or self._problems["raised"]

    @property
    def household_problem(self) -> str:
        """As `Sealing.problem`: empty, or what is wrong with the household."""
        return self._sealing.problem

    def sequence_of(self, number: int) -> int | None:
        """What the event of that number is in the store, of the last ones; None before it was first saved."""
        return self._sequences.get(number)

    def save(self, kept: KeptEvent) -> bool:
        """Keeps what there is of an event under way; whether the disk took it."""
        self.watched.touched(kept.start_ms, kept.end_ms)
        return self._tried("kept", lambda: self._save(kept, ended=False))

    def finish(self, kept: KeptEvent, now_ms: int) -> bool:
        """Publishes an event that has ended; whether it has its name now. Else it waits for `tend`."""
        self.watched.touched(kept.start_ms, kept.end_ms)
        if len(self._waiting) >= MOST_WAITING:
            self._give_up(self._waiting.popleft())
        self._waiting.append(kept)
        self.tend(now_ms)
        return kept not in self._waiting

    def tend(self, now_ms: int) -> None:
        """Publishes what waits, raises deadlines, chains. To be called every second or two."""
        while self._waiting and self._tried("kept", lambda: self._finish(self._waiting[0])):
            self._waiting.popleft()
        self._tried("raised", lambda: self._raiser.tend(now_ms))
        self._chaining.attempt()

    def close(self, now_ms: int) -> None:
        """The end: publishes what can be, chains and signs. What is under way is left to recovery."""
        self.tend(now_ms)
        self._chaining.attempt(sign=True)

    # Beginning.

    def _recover(self) -> tuple[StoredSegment, ...]:
        recovered = recover_events(self._place.store, self._place.camera, self._disk)
        for one in recovered.published:
            _log.warning("%s: recovered an interrupted event: %s", one.stream, one.name)
            self._catalogue.published(one)
        for failure in recovered.failures:
            _log.error("%s", failure)
        return recovered.published

    def _first_sequence(self, stream: StreamName) -> int:
        last = max(last_sequence(self._place.store, stream), next_in_chain(self._root, stream) - 1)
        return self._sealing.next_sequence(stream, last)

    def _make_chaining(self, recovered: tuple[StoredSegment, ...]) -> Chaining:
        place = ChainPlace(self._root, self._place.state_dir, self._place.store.device)
        beginnings = Beginnings(recovered, dict.fromkeys(self._streams, self._next_sequence))
        return Chaining(ChainKeeper(place), self._place.camera, beginnings, lambda: False, durably=True)

    def _touch_footage_of(self, recovered: Sequence[StoredSegment], now_ms: int) -> None:
        """What a crash interrupted, and what was published lately: their footage may lack its deadline."""
        stream = StreamName(self._place.camera, EVENTS)
        hours = list(walk.hours(self._root, stream))
        newest_ms = max((hour.start_ms for hour in hours), default=now_ms)
        recent = [
            one
            for hour in hours
            if hour.start_ms > min(now_ms, newest_ms) - RECENT_MS - HOUR_MS
            for one in walk.segments(self._root, hour)
        ]
        for name in {one.name for one in (*recovered, *recent) if one.stream == stream}:
            self._touch(name.sequence, TouchedSpan(name.start_ms, name.end_ms, class_in(name), True))

    # Keeping.

    def _save(self, kept: KeptEvent, *, ended: bool) -> FilesOfEvent:
        self._place.store.open_check()
        files = self._files(kept)
        self._touch(files.mark.sequence, files.span(kept, ended=ended))
        files.save(kept, ended=ended)
        return files

    def _files(self, kept: KeptEvent) -> FilesOfEvent:
        number = kept.event.number
        if number not in self._open:
            choice = self._sealing.choose(kept.event.start_ns, unsure=kept.clock_unsure)
            for stream in self._streams:
                self._sealing.begin(stream, self._next_sequence, choice)
            mark = SegmentMark(
                self._place.store.device,
                StreamName(self._place.camera, EVENTS),
                self._next_sequence,
                kept.start_ms * 1_000_000,
                choice.generation,
                kept.clock_unsure,
            )
            before = self._sequences.get(kept.event.continues) if kept.event.continues is not None else None
            self._open[number] = FilesOfEvent(self._root, mark, recipient_of(choice), before, self._disk)
            self._note_sequence(number)
        return self._open[number]

    def _note_sequence(self, number: int) -> None:
        self._sequences[number] = self._next_sequence
        self._next_sequence += 1
        for old in list(self._sequences)[:-_REMEMBERED]:
            del self._sequences[old]

    def _finish(self, kept: KeptEvent) -> None:
        files = self._save(kept, ended=True)
        try:
            for stored, content in files.publish():
                self._chaining.published(stored, files.mark.generation, content)
                self._catalogue.published(stored)
        except FileExistsError:  # somebody put a file of that name there: it is left as it is
            self._give_up(kept)
        else:
            del self._open[kept.event.number]

    def _give_up(self, kept: KeptEvent) -> None:
        """What was saved of it before is left to recovery."""
        self.lost += 1
        self._open.pop(kept.event.number, None)

    def _touch(self, sequence: int, span: TouchedSpan) -> None:
        self._raiser.touch(sequence, span)
        self.watched.touched(span.from_ms, span.to_ms)

    def _tried(self, what: str, action: Callable[[], object]) -> bool:
        try:
            action()
        except OSError as error:
            self._say(what, (error.strerror or "input/output error").lower())
        except StoreError as error:
            self._say(what, str(error))
        else:
            self._say(what, "")
            return True
        return False

    def _say(self, what: str, problem: str) -> None:
        noun = "events" if what == "kept" else "deadlines of footage"
        if problem and problem != self._problems[what]:
            _log.error("%s: %s cannot be %s: %s; tried again", self._place.camera, noun, what, problem)
        elif self._problems[what] and not problem:
            _log.warning("%s: %s can be %s again", self._place.camera, noun, what)
        self._problems[what] = problem
