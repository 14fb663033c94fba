"""Start-up: what a crash left of events becomes finished events. No identity is needed, nothing is opened.

Rules:
- Only who holds the watcher's lock may call this, before any event begins.
- Of several `.part` files of one event the one that reaches furthest counts; the others, and what was only
  being written, go.
- The event gets flag u, unless its record has its last name: then the thumbnail follows that.
- Every step can be interrupted and the whole repeated. What cannot be dealt with now stays and is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import walk
from pipeline.durable import DISK, DiskCalls, fsync_directory, rename_without_replacing
from pipeline.event_names import NEW_SUFFIX, parse_under_way, part_name
from pipeline.model import StreamName
from pipeline.names import (
    EVENT_STREAMS,
    EVENTS,
    THUMBS,
    FileKind,
    NotAName,
    SegmentName,
    StoredSegment,
)
from pipeline.store.layout import Store
from pipeline.store.recover import Recovered


@dataclass(frozen=True, slots=True)
class _Part:
    """A `.part` file, and the name it would get."""

    folder: Path
    name: SegmentName


def recover_events(store: Store, camera: str, disk: DiskCalls = DISK) -> Recovered:
    """Finishes every event of the camera that is under way. Raises StoreMissing.

    1. remove what was only being written
    2. for each event: of its record the `.part` that reaches furthest, renamed without replacing, the folder
       fsynced; then its thumbnail, by the name that the record has now; a thumbnail without a record goes
    3. remove the other `.part` files
    """
    store.open_check()
    published: list[StoredSegment] = []
    failures: list[str] = []
    discarded = 0
    for sequence, parts in sorted(_parts(store.root, camera).items()):
        try:
            found, gone = _recover_one(store.root, camera, sequence, parts, disk)
        except OSError as error:
            why = (error.strerror or "input/output error").lower()
            failures.append(f"event {camera}-{sequence} could not be recovered: {why}; it stays as it is")
            continue
        published += found
        discarded += gone
    return Recovered(tuple(published), discarded, tuple(failures))


def _parts(root: Path, camera: str) -> dict[int, list[_Part]]:
    found: dict[int, list[_Part]] = {}
    for stream in (StreamName(camera, one) for one in EVENT_STREAMS):
        for folder, text in _under_way(root, stream):
            try:
                name = parse_under_way(text)
            except NotAName:
                continue
            if text.endswith(NEW_SUFFIX):
                (folder / text).unlink(missing_ok=True)
            else:
                found.setdefault(name.sequence, []).append(_Part(folder, name))
    return found


def _under_way(root: Path, stream: StreamName) -> Iterator[tuple[Path, str]]:
    for hour in walk.hours(root, stream):
        for entry in walk.entries(root / hour.path):
            if entry.is_file(follow_symlinks=False):  # folders, links and pipes are none of ours
                yield root / hour.path, entry.name


def _recover_one(
    root: Path, camera: str, sequence: int, parts: list[_Part], disk: DiskCalls
) -> tuple[list[StoredSegment], int]:
    """What got its last name, and how many files came to nothing. Raises OSError."""
    records = _furthest_first(parts, FileKind.RECORD)
    thumbs = _furthest_first(parts, FileKind.THUMBNAIL)
    known = _published_record(root, camera, (records or thumbs)[0].name)
    published = []
    if known is None and records:
        best = records.pop(0)
        known = replace(best.name, unfinished=True)
        published.append(_publish(best, known, StreamName(camera, EVENTS), disk))
    if known is not None and thumbs:
        best = thumbs.pop(0)
        published += _follow(best, known, StreamName(camera, THUMBS), disk)
    for part in (*records, *thumbs):
        (part.folder / part_name(part.name)).unlink(missing_ok=True)
    return published, len(records) + len(thumbs)


def _furthest_first(parts: list[_Part], kind: FileKind) -> list[_Part]:
    own = [part for part in parts if part.name.kind is kind]
    return sorted(own, key=lambda part: part.name.duration_ms, reverse=True)


def _published_record(root: Path, camera: str, name: SegmentName) -> SegmentName | None:
    """The record of that event, if it has its last name already."""
    hour = walk.hour_of_start(StreamName(camera, EVENTS), name.start_ms)
    names = (one.name for one in walk.segments(root, hour))
    return next((one for one in names if one.sequence == name.sequence), None)


def _follow(part: _Part, record: SegmentName, stream: StreamName, disk: DiskCalls) -> list[StoredSegment]:
    name = replace(record, kind=FileKind.THUMBNAIL)
    if any(_is_of(entry.name, name) for entry in walk.entries(part.folder)):
        (part.folder / part_name(part.name)).unlink(missing_ok=True)
        return []
    return [_publish(part, name, stream, disk)]


def _is_of(text: str, name: SegmentName) -> bool:
    try:
        found = SegmentName.parse(text)
    except NotAName:
        return False
    return (found.kind, found.sequence) == (name.kind, name.sequence)


def _publish(part: _Part, name: SegmentName, stream: StreamName, disk: DiskCalls) -> StoredSegment:
    rename_without_replacing(part.folder / part_name(part.name), part.folder / str(name))
    fsync_directory(part.folder, disk)
    return StoredSegment(stream, name, (part.folder / str(name)).stat().st_size)
