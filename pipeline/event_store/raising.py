"""Raises the deadlines of the footage that events touch, by renaming it; as it is published, and for a while
after.

Rules:
- It never fails for what others do meanwhile: what retention deleted is gone, what has a later deadline keeps
  it. It never lowers a deadline, and replaces nothing.
- A new name is durable before the index hears of it.
- What an event touches is found by names alone, in the folders of its hours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import walk
from pipeline.durable import DISK, DiskCalls, fsync_directory, rename_without_replacing
from pipeline.event_store.deadlines import deadline_ms
from pipeline.model import StreamName
from pipeline.names import HOUR_MS, FileKind, NotAName, SegmentName, StoredSegment

_log = logging.getLogger("nvr.watch")
LINGER_MS = 300_000  # a recorder's backlog is some two minutes of footage: what comes later is left as it is
_EVERY_MS = 2_000  # an hour's folder is only listed when it has changed: its 360 names take 2 ms


@dataclass(frozen=True, slots=True)
class TouchedSpan:
    """Time of one event, UTC; its footage is kept in the class `class_days`. `ended`: it grows no more."""

    from_ms: int
    to_ms: int
    class_days: int
    ended: bool = False

    def touches(self, start_ms: int, end_ms: int) -> bool:
        """Whether footage of that time belongs to the event."""
        return start_ms < self.to_ms and end_ms > self.from_ms


class Raiser:
    """One camera's. For one thread. `told` hears of every file that has a new name."""

    def __init__(
        self, root: Path, camera: str, told: Callable[[StoredSegment], object], disk: DiskCalls = DISK
    ) -> None:
        self._root = root
        self._camera = camera
        self._told = told
        self._disk = disk
        self._spans: dict[int, TouchedSpan] = {}
        self._due_ms = 0
        self._looked: dict[walk.Hour, int] = {}  # when the folder had last changed

    @property
    def pending(self) -> int:
        """How many events may still have footage to come."""
        return len(self._spans)

    def touch(self, sequence: int, span: TouchedSpan) -> None:
        """The event of that sequence takes, or now takes, that time."""
        if self._spans.get(sequence) != span:
            self._spans[sequence] = span
            self._due_ms = 0
            self._looked.clear()

    def tend(self, now_ms: int) -> int:
        """Raises what needs it, if it is time to look; returns how many files. Raises OSError for a disk
        that refuses: then tried again.
        """
        if not self._spans or self._due_ms - _EVERY_MS <= now_ms < self._due_ms:
            return 0
        self._due_ms = now_ms + _EVERY_MS
        raised = sum(self._raise_in(hour) for hour in self._hours())
        for sequence, span in list(self._spans.items()):
            if span.ended and not span.to_ms - LINGER_MS <= now_ms < span.to_ms + LINGER_MS:
                del self._spans[sequence]
        return raised

    def _hours(self) -> list[walk.Hour]:
        """The folders in which touched footage may lie: a segment may begin an hour before."""
        starts = {
            start_ms
            for span in self._spans.values()
            for start_ms in range(_hour_of(span.from_ms - HOUR_MS), span.to_ms, HOUR_MS)
        }
        streams = list(walk.streams(self._root, self._camera))
        return [walk.hour_of_start(stream, start_ms) for stream in streams for start_ms in sorted(starts)]

    def _raise_in(self, hour: walk.Hour) -> int:
        folder = self._root / hour.path
        changed_ns = walk.changed_ns(folder)
        if self._looked.get(hour) == changed_ns:
            return 0
        renamed = [name for old, kept_ms in self._touched(folder) if (name := _rename(folder, old, kept_ms))]
        if renamed:
            fsync_directory(folder, self._disk)
        for name in renamed:
            self._tell(folder, hour.stream, name)
        self._looked[hour] = changed_ns
        return len(renamed)

    def _touched(self, folder: Path) -> list[tuple[SegmentName, int]]:
        """The published footage in the folder whose deadline is too early, and until when it is kept."""
        found = []
        for entry in walk.entries(folder):
            try:
                name = SegmentName.parse(entry.name)
            except NotAName:
                continue
            if name.kind is FileKind.FOOTAGE and self._kept_ms(name) > name.kept_until_ms:
                found.append((name, self._kept_ms(name)))
        return found

    def _kept_ms(self, name: SegmentName) -> int:
        """0 for what no event touches."""
        touching = (span for span in self._spans.values() if span.touches(name.start_ms, name.end_ms))
        return max((deadline_ms(name.start_ms, span.class_days) for span in touching), default=0)

    def _tell(self, folder: Path, stream: StreamName, name: SegmentName) -> None:
        try:
            size_bytes = (folder / str(name)).stat().st_size
        except FileNotFoundError:
            return
        self._told(StoredSegment(stream, name, size_bytes))


def _hour_of(at_ms: int) -> int:
    return max(0, at_ms - at_ms % HOUR_MS)


def _rename(folder: Path, old: SegmentName, kept_until_ms: int) -> SegmentName | None:
    """The new name; None when the file is gone."""
    new = replace(old, kept_until_ms=kept_until_ms)
    try:
        rename_without_replacing(folder / str(old), folder / str(new))
    except (FileNotFoundError, FileExistsError):
        return None
    return new
