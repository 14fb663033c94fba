"""Reads the names in a store: cameras, streams, hours, segments. It looks, and changes nothing.

Rules:
- `streams` are those of footage. Events and their thumbnails lie beside them in the same way: `all_streams`.
- Only what is named as `pipeline.names` says is seen; everything else is left for the audit to report.
- A folder that vanishes while it is being read (retention removes empty ones) reads as empty.
- A file that gets a deadline, and so another name, while its folder is being read is seen once, by either.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.model import StreamName
from pipeline.names import (
    EVENT_STREAMS,
    GAPS,
    HOLDS,
    HOUR_MS,
    LOCK,
    WATCH_LOCK,
    GapMark,
    HoldName,
    NotAName,
    SegmentName,
    StoredSegment,
    camera_name,
    day_of,
    day_start_ms,
    gaps_day,
    hour_of,
    hour_start_ms,
    kind_of,
    stored_stream_name,
)

_TRIES = 3  # at reading a folder that changes meanwhile: a recorder's changes every ten seconds


@dataclass(frozen=True, slots=True)
class Hour:
    """One folder of segments: those of `stream` that begin in that UTC hour."""

    stream: StreamName
    day: str
    hour: str

    @property
    def path(self) -> str:
        """The folder, relative to the store."""
        return f"{self.stream}/{self.day}/{self.hour}"

    @property
    def start_ms(self) -> int:
        """When the hour begins, UTC."""
        return hour_start_ms(self.day, self.hour)


def hour_of_start(stream: StreamName, start_ms: int) -> Hour:
    """The folder of what begins then, whether it is there or not."""
    return Hour(stream, day_of(start_ms), hour_of(start_ms))


def entries(directory: Path | str) -> list[os.DirEntry[str]]:
    """What lies in a folder; nothing if it is not there or no folder."""
    try:
        with os.scandir(directory) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _folders(directory: Path) -> list[str]:
    return sorted(entry.name for entry in entries(directory) if entry.is_dir(follow_symlinks=False))


def cameras(root: Path) -> Iterator[str]:
    """The cameras that have a folder in the store, in order of their names."""
    for name in _folders(root):
        try:
            yield camera_name(name)
        except NotAName:
            continue


def streams(root: Path, camera: str | None = None) -> Iterator[StreamName]:
    """The streams of footage that have a folder: of one camera, or of all."""
    return (one for one in all_streams(root, camera) if one.stream not in EVENT_STREAMS)


def all_streams(root: Path, camera: str | None = None) -> Iterator[StreamName]:
    """As `streams`, with the cameras' events and thumbs."""
    for name in [camera] if camera is not None else cameras(root):
        for folder in _folders(root / name):
            try:
                yield stored_stream_name(name, folder)
            except NotAName:
                continue


def event_streams(root: Path, camera: str) -> Iterator[StreamName]:
    """The camera's events and thumbs, as far as they have a folder."""
    return (one for one in all_streams(root, camera) if one.stream in EVENT_STREAMS)


def hours(root: Path, stream: StreamName) -> Iterator[Hour]:
    """The stream's folders of segments, oldest name first."""
    for day in _folders(root / str(stream)):
        try:
            day_start_ms(day)
        except NotAName:
            continue
        for hour in _folders(root / str(stream) / day):
            found = Hour(stream, day, hour)
            try:
                hour_start_ms(day, hour)
            except NotAName:
                continue
            yield found


def segments(root: Path, hour: Hour) -> list[StoredSegment]:
    """The published segments in one folder, or other stored files of its stream, in order of their start."""
    for _ in range(_TRIES - 1):
        before = changed_ns(root / hour.path)
        found, vanished = _look_at(root, hour)
        if not vanished and changed_ns(root / hour.path) == before:
            return found
    return _look_at(root, hour)[0]


def _look_at(root: Path, hour: Hour) -> tuple[list[StoredSegment], bool]:
    """What lies in the folder, and whether some of it vanished meanwhile, or got another name."""
    found, vanished = [], False
    start, kind = hour.start_ms, kind_of(hour.stream.stream)
    for entry in entries(root / hour.path):
        try:
            name = SegmentName.parse(entry.name)
            if start <= name.start_ms < start + HOUR_MS and name.kind is kind:
                looked = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(looked.st_mode):  # a link or pipe of that name is no footage
                    found.append(StoredSegment(hour.stream, name, looked.st_size))
        except NotAName:
            continue
        except FileNotFoundError:
            vanished = True
    return sorted(found, key=lambda segment: (segment.name.start_ms, segment.name.sequence)), vanished


def changed_ns(directory: Path) -> int:
    """When names in the folder last changed; 0 without it."""
    try:
        return directory.stat().st_mtime_ns
    except OSError:
        return 0


def holds(root: Path) -> list[HoldName]:
    """Every hold in the store."""
    found = []
    for entry in entries(root / HOLDS):
        try:
            found.append(HoldName.parse(entry.name))
        except NotAName:
            continue
    return sorted(found)


def gap_days(root: Path, camera: str) -> list[str]:
    """The days that the camera has a gaps file for, oldest first."""
    found = []
    for entry in entries(root / camera / GAPS):
        try:
            found.append(gaps_day(entry.name))
        except NotAName:
            continue
    return sorted(found)


def gap_marks(root: Path, camera: str, day: str) -> list[GapMark]:
    """The marks in one gaps file; lines that are none (a crash can tear the last) are passed over. Raises
    OSError.
    """
    found = set()
    try:
        content = (root / camera / GAPS / f"{day}.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    for line in content.splitlines():
        try:
            found.add(GapMark.parse(camera, line))
        except NotAName:
            continue
    return sorted(found)


def is_being_recorded(root: Path, camera: str) -> bool:
    """Whether a recorder holds the camera's lock. Shares the lock for a moment, which a starting one waits
    out.
    """
    return _is_locked(root / camera / LOCK)


def is_being_watched(root: Path) -> bool:
    """Whether a watcher holds the store's lock for watchers. Looks as `is_being_recorded` does."""
    return _is_locked(root / WATCH_LOCK)


def is_being_written(root: Path, stream: StreamName) -> bool:
    """Whether the process that writes such a stream is at work: its recorder, or the watcher."""
    return (
        is_being_watched(root) if stream.stream in EVENT_STREAMS else is_being_recorded(root, stream.camera)
    )


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
