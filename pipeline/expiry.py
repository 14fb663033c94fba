"""Carries retention out: from the index (or, without one, from the store itself) to deleted files.

Rules:
- Tombstone, unlink, fsync the folder, then drop the rows: a row may outlive its file for a moment, never the
  other way round.
- Holds are read from the store, not from the index, and again before each folder that is touched.
- A file that has another name than was planned for was given a later deadline meanwhile: it stays, and the
  next pass judges it anew.
- Whatever the index does, the floor of free space is kept; but a floor above half of the disk, which is a
  mistake, counts as half: else nothing would ever be kept.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from pipeline import walk
from pipeline.durable import fsync_directory
from pipeline.index import Index, IndexDamaged, IndexFault, open_or_restore
from pipeline.model import StreamName
from pipeline.names import DAY_MS, EVENT_STREAMS, GAPS, SEALED_SUFFIX, HoldName, StoredSegment, day_start_ms
from pipeline.retention import Looked, Plan, Policy, Removal, StreamFootage, expired_gap_days, plan
from pipeline.spans import Span


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did. `again`: do another at once. `short_bytes`: as in the plan. `faults`: sentences."""

    removed: int
    freed_bytes: int
    again: bool
    short_bytes: int
    faults: tuple[str, ...] = ()


class Obituary(Protocol):
    """Who is told what is deleted; must not raise."""

    def before(self, removals: Sequence[Removal]) -> None:
        """These segments of one stream are about to be deleted."""

    def settle(self) -> None:
        """The pass is over."""


class _Nobody:
    def before(self, removals: Sequence[Removal]) -> None:
        """Not told."""

    def settle(self) -> None:
        """Not told."""


NOBODY: Obituary = _Nobody()


def run_pass(
    root: Path,
    policy: Policy,
    now_ms: int | None,
    obituary: Obituary = NOBODY,
    watched: Mapping[str, Sequence[Span]] = MappingProxyType({}),
) -> Pass:
    """One pass over the store; `now_ms` is None while the clock is unsure. `watched`: by camera, the time
    that was looked at and touches no event. Raises OSError if nothing can be read.

    1. read the holds, the free space, and of the index what is oldest; without an index read the store itself
    2. plan; without an index nothing goes because no event touches it
    3. for each folder concerned: leave out what is held or has another name by now, write tombstones, unlink,
       fsync the folder, drop the rows, and remove the folder when it is empty
    4. remove the gap marks of days before a camera's oldest footage
    """
    faults: list[str] = []
    with contextlib.ExitStack() as stack:
        index = _opened(root, stack, faults)
        planned = _planned(root, policy, now_ms, index, watched, faults)
        removed, freed_bytes = _carry_out(root, planned, index, obituary, faults)
        if index is not None:
            _remove_gap_marks(root, index, faults)
    obituary.settle()
    again = planned.urgent and removed > 0
    return Pass(removed, freed_bytes, again, planned.short_bytes, tuple(faults))


def _opened(root: Path, stack: contextlib.ExitStack, faults: list[str]) -> Index | None:
    try:
        return stack.enter_context(open_or_restore(root))
    except IndexFault as fault:
        faults.append(str(fault))
        return None


def _planned(
    root: Path,
    policy: Policy,
    now_ms: int | None,
    index: Index | None,
    watched: Mapping[str, Sequence[Span]],
    faults: list[str],
) -> Plan:
    holds, free_bytes = walk.holds(root), _free_bytes(root)
    policy = _with_possible_floor(policy, root, faults)
    if index is not None:
        try:
            looked = [_looked(index, camera, spans) for camera, spans in watched.items() if spans]
            with from_index(index) as footage:
                return plan(policy, footage, holds, free_bytes, now_ms, looked)
        except IndexDamaged as fault:
            faults.append(str(fault))
            with contextlib.suppress(IndexFault):
                open_or_restore(root, index.place).close()
        except IndexFault as fault:
            faults.append(str(fault))
    return plan(replace(policy, max_bytes=None), from_store(root), holds, free_bytes, now_ms)


def _looked(index: Index, camera: str, spans: Sequence[Span]) -> Looked:
    """What the index has of the camera's footage in the time of these spans. Raises IndexFault."""
    streams = [one for one in index.streams() if one.camera == camera and one.stream not in EVENT_STREAMS]
    first_ms, last_ms = spans[0].from_ms, spans[-1].to_ms
    found = [segment for one in streams for segment in index.starting_in(one, first_ms, last_ms)]
    return Looked(camera, spans, found)


def _with_possible_floor(policy: Policy, root: Path, faults: list[str]) -> Policy:
    disk = os.statvfs(root)
    most_bytes = disk.f_blocks * disk.f_frsize // 2
    if policy.min_free_bytes <= most_bytes:
        return policy
    faults.append("store.min_free is more than half of the disk: only half is kept free")
    return replace(policy, min_free_bytes=most_bytes)


@contextlib.contextmanager
def from_index(index: Index) -> Iterator[list[StreamFootage]]:
    """What the index has, read lazily: nothing may be changed on it within the context. Raises IndexFault."""
    with contextlib.ExitStack() as stack:

        def oldest(name: StreamName, *, unsure: bool) -> Iterator[StoredSegment]:
            return stack.enter_context(contextlib.closing(index.oldest(name, unsure=unsure)))

        yield [
            StreamFootage(
                name,
                total.segments,
                total.size_bytes,
                oldest(name, unsure=False),
                oldest(name, unsure=True),
            )
            for name, total in index.totals().items()
        ]


def from_store(root: Path) -> list[StreamFootage]:
    """What the store has, read lazily, for when there is no index: totals are of the oldest hours only.

    So a pass takes at most the oldest hour's folder of each stream, and limits of bytes must wait for the
    index.
    """
    return [_first_hours(root, name) for name in walk.all_streams(root)]


def _first_hours(root: Path, name: StreamName) -> StreamFootage:
    first = next((found for hour in walk.hours(root, name) if (found := walk.segments(root, hour))), [])
    return StreamFootage(name, 10 * len(first), 0, _walked(root, name))


def _walked(root: Path, name: StreamName) -> Iterator[StoredSegment]:
    for hour in walk.hours(root, name):
        yield from (segment for segment in walk.segments(root, hour) if not segment.name.clock_unsure)


def _free_bytes(root: Path) -> int:
    disk = os.statvfs(root)
    return disk.f_bavail * disk.f_frsize


def _carry_out(
    root: Path, planned: Plan, index: Index | None, obituary: Obituary, faults: list[str]
) -> tuple[int, int]:
    removed, freed_bytes = 0, 0
    for folder, group in groupby(sorted(planned.removals, key=_folder), key=_folder):
        removals = list(group)
        gone = _remove_from(root / folder, root, removals, obituary, faults)
        removed += len(gone)
        freed_bytes += sum(segment.size_bytes for segment in gone)
        if index is not None:
            try:
                index.remove(gone)
                if len(gone) < len(removals):  # its rows may speak of names that are no more
                    index.set_hour(root, _hour(removals[0].segment))
            except (IndexFault, OSError) as fault:  # the next pass finds the files gone and drops the rows
                faults.append(str(fault))
        _remove_empty(root / folder)
    return removed, freed_bytes


def _hour(segment: StoredSegment) -> walk.Hour:
    return walk.hour_of_start(segment.stream, segment.name.start_ms)


def _folder(removal: Removal) -> str:
    return str(Path(removal.segment.path).parent)


def _remove_from(
    folder: Path, root: Path, removals: Iterable[Removal], obituary: Obituary, faults: list[str]
) -> list[StoredSegment]:
    gone = []
    try:
        holds = walk.holds(root)
        names = {entry.name for entry in walk.entries(folder)}
        going = [
            removal
            for removal in removals
            if not _is_held(removal.segment, holds) and not _was_renamed(removal.segment, names)
        ]
        obituary.before(going)
        for removal in going:
            if _is_gone(root, removal.segment):
                gone.append(removal.segment)
        if gone and folder.exists():
            fsync_directory(folder)
    except OSError as error:
        faults.append(f"{folder} cannot be cleared: {error.strerror}")
    return gone


def _was_renamed(segment: StoredSegment, names: Collection[str]) -> bool:
    """Whether, of the names in its folder, one is the file's, but not this one."""
    name = segment.name
    if str(name) in names:
        return False
    begin = f"{name.start_ms}+{name.duration_ms}.{name.sequence}."
    return any(one.startswith(begin) and one.endswith(SEALED_SUFFIX) for one in names)


def _is_gone(root: Path, segment: StoredSegment) -> bool:
    """Deletes the file; False if it has got another name just now."""
    path = root / segment.path
    try:
        path.unlink()
    except FileNotFoundError:
        return not _was_renamed(segment, {entry.name for entry in walk.entries(path.parent)})
    return True


def _is_held(segment: StoredSegment, holds: Sequence[HoldName]) -> bool:
    name = segment.name
    return any(hold.covers(segment.stream.camera, name.start_ms, name.end_ms) for hold in holds)


def _remove_empty(folder: Path) -> None:
    """The hour's folder, then the day's. A recorder that makes a file there just now makes them again."""
    with contextlib.suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


def _remove_gap_marks(root: Path, index: Index, faults: list[str]) -> None:
    try:
        for camera in walk.cameras(root):
            oldest_ms = _oldest_ms(index, camera)
            days = expired_gap_days(walk.gap_days(root, camera), oldest_ms)
            if days:
                _remove_gap_days(root, camera, days)
                index.drop_gap_marks(camera, day_start_ms(days[-1]) + DAY_MS)
    except (OSError, IndexFault) as error:
        faults.append(f"old gap marks stay for now: {error}")


def _oldest_ms(index: Index, camera: str) -> int | None:
    starts = [
        first.name.start_ms
        for stream in index.streams()
        if stream.camera == camera
        and stream.stream not in EVENT_STREAMS
        and (first := _first(index, stream)) is not None
    ]
    return min(starts, default=None)


def _first(index: Index, stream: StreamName) -> StoredSegment | None:
    with contextlib.closing(index.oldest(stream, unsure=False)) as oldest:
        return next(oldest, None)


def _remove_gap_days(root: Path, camera: str, days: Sequence[str]) -> None:
    for day in days:
        (root / camera / GAPS / f"{day}.jsonl").unlink(missing_ok=True)
    fsync_directory(root / camera / GAPS)
