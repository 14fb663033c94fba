"""Compares the store with its index, and looks whether files can be what their names say. Changes nothing.

Invariants that it checks:
- Every published segment has exactly one row, which says the same as its name and its size.
- Every file and folder is named as `pipeline.names` says, and lies where its name says.
- A `.part` or `.tail` exists only while a recorder holds its camera's lock; one of an event only while a
  watcher holds its lock.
- Every segment begins as an age file and is long enough for its header, and a finished one has a length that
  a whole age file can have. Whether its chunks are genuine only an identity can tell.
- The household's manifest and wrapped identities are as `pipeline.keys_audit` says.
It may run while recorders and retention do: what they change meanwhile is looked at twice before it is
reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Protocol

from pipeline import keys_audit, walk
from pipeline.envelope import BEGINNING_BYTES, could_be_whole, first_chunk
from pipeline.event_names import parse_under_way
from pipeline.model import StreamName
from pipeline.names import (
    CHAIN,
    GAPS,
    HOLDS,
    HOUR_MS,
    INDEX,
    KEYS,
    LOCK,
    MANIFEST,
    RESERVED_STREAMS,
    WATCH_LOCK,
    FileKind,
    HoldName,
    NotAName,
    PartName,
    SegmentName,
    StoredSegment,
    camera_name,
    chain_number,
    day_of,
    day_start_ms,
    gaps_day,
    hour_of,
    hour_start_ms,
    kind_of,
    stream_name,
)
from pipeline.stored_file import open_stored
from pipeline.walk import Hour

_GLANCE_BYTES = 200  # the header with one X25519 recipient is 168 bytes, and 16 of nonce follow
_UNTOLD_S = 60.0  # how long a recorder's index thread may take, or wait for another process
_AT_THE_ROOT = frozenset({"store.json", LOCK, WATCH_LOCK, HOLDS, KEYS, "lost+found", "index.lock"})


class Fault(StrEnum):
    """What is wrong, as a person reads it."""

    ROW_WITHOUT_FILE = "the index has it, the store does not"
    FILE_WITHOUT_ROW = "the store has it, the index does not"
    ROW_DIFFERS = "the index says something else of it than its name and size"
    NOT_A_NAME = "nothing of the store is called so, or lies there"
    LEFTOVER = "left by a recorder that is not running"
    NOT_SEALED = "does not begin like a sealed file"
    TOO_SHORT = "too short: its end is missing"
    FILE_MISSING = "missing: its member cannot open what is sealed to that generation"
    NOT_FOLLOWING = "the household's versions do not follow from each other: see nvr member list"
    OPEN_TO_OTHERS = "others on this machine can read it: chmod 700"


# What making the index anew, after recovering leftovers, puts right.
REPAIRED_BY_REBUILD = frozenset(
    {Fault.ROW_WITHOUT_FILE, Fault.FILE_WITHOUT_ROW, Fault.ROW_DIFFERS, Fault.LEFTOVER}
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong. `path` is relative to the store; in the state directory it is absolute."""

    path: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.path}: {self.fault.value}"


class KnownSegments(Protocol):
    """What the audit asks the index."""

    def streams(self) -> Sequence[StreamName]:
        """Every stream with rows."""

    def hours(self, stream: StreamName) -> Sequence[int]:
        """When the hours begin that have rows."""

    def starting_in(self, stream: StreamName, from_ms: int, to_ms: int) -> Sequence[StoredSegment]:
        """The rows of segments that begin in that time."""


def check(root: Path, index: KnownSegments, now_s: float, state_dir: Path | None = None) -> Iterator[Finding]:
    """Everything that is wrong, folder by folder. `now_s` is the wall clock. Raises OSError and
    IndexFault.
    """
    yield from _check_names_around(root)
    yield from _check_keys(root)
    if state_dir is not None:
        yield from _check_state(state_dir)
    for stream in sorted({*walk.all_streams(root), *index.streams()}):
        is_recording = walk.is_being_written(root, stream)
        for hour in _hours(root, stream, index):
            yield from _check_names_in(root, hour, is_recording=is_recording)
            untold_since_s = now_s - _UNTOLD_S if is_recording else float("inf")
            yield from _compare(root, hour, index, untold_since_s)
            for segment in walk.segments(root, hour):
                yield from _check_file(root, segment)


def _hours(root: Path, stream: StreamName, index: KnownSegments) -> list[Hour]:
    known = {Hour(stream, day_of(start_ms), hour_of(start_ms)) for start_ms in index.hours(stream)}
    return sorted({*walk.hours(root, stream), *known}, key=lambda hour: (hour.day, hour.hour))


def _compare(root: Path, hour: Hour, index: KnownSegments, untold_since_s: float) -> Iterator[Finding]:
    if (first := _differences(root, hour, index)) and (second := _differences(root, hour, index)):
        for finding in sorted(first & second):
            if finding.fault is Fault.FILE_WITHOUT_ROW and _changed_s(root / finding.path) > untold_since_s:
                continue
            yield finding


def _differences(root: Path, hour: Hour, index: KnownSegments) -> set[Finding]:
    rows = {
        (s.name.start_ms, s.name.sequence): s
        for s in index.starting_in(hour.stream, hour.start_ms, hour.start_ms + HOUR_MS)
    }
    files = {(s.name.start_ms, s.name.sequence): s for s in walk.segments(root, hour)}
    without_file = {Finding(rows[which].path, Fault.ROW_WITHOUT_FILE) for which in rows.keys() - files}
    without_row = {Finding(files[which].path, Fault.FILE_WITHOUT_ROW) for which in files.keys() - rows}
    both = rows.keys() & files.keys()
    differing = {
        Finding(files[which].path, Fault.ROW_DIFFERS) for which in both if rows[which] != files[which]
    }
    return without_file | without_row | differing


def _changed_s(path: Path) -> float:
    try:
        return path.stat().st_ctime
    except OSError:
        return float("inf")


def _check_file(root: Path, segment: StoredSegment) -> Iterator[Finding]:
    try:
        file, segment = open_stored(root, segment)
    except FileNotFoundError:
        return
    with file:
        beginning = file.read(_GLANCE_BYTES)
        if first_chunk(beginning) is None and len(beginning) == _GLANCE_BYTES:
            beginning += file.read(BEGINNING_BYTES)
    first = first_chunk(beginning)
    if first is None:
        is_cut = b"age-encryption.org/v1\n-> ".startswith(beginning[:25]) and len(beginning) < _GLANCE_BYTES
        yield Finding(segment.path, Fault.TOO_SHORT if is_cut else Fault.NOT_SEALED)
    elif segment.size_bytes <= first or not (
        _may_lack_its_end(segment) or could_be_whole(first, segment.size_bytes)
    ):
        yield Finding(segment.path, Fault.TOO_SHORT)


def _may_lack_its_end(segment: StoredSegment) -> bool:
    """An unfinished segment; what is kept of an event that a crash interrupted is whole all the same."""
    return segment.name.unfinished and segment.name.kind is FileKind.FOOTAGE


# Names.


def _check_names_in(root: Path, hour: Hour, *, is_recording: bool) -> Iterator[Finding]:
    for entry in sorted(walk.entries(root / hour.path), key=lambda entry: entry.name):
        path = f"{hour.path}/{entry.name}"
        try:
            name = SegmentName.parse(entry.name)
        except NotAName:
            if not _is_under_way(entry.name, kind_of(hour.stream.stream)):
                yield Finding(path, Fault.NOT_A_NAME)
            elif not is_recording:
                yield Finding(path, Fault.LEFTOVER)
            continue
        is_in_hour = hour.start_ms <= name.start_ms < hour.start_ms + HOUR_MS
        if not is_in_hour or name.kind is not kind_of(hour.stream.stream):
            yield Finding(path, Fault.NOT_A_NAME)


def _is_under_way(text: str, kind: FileKind) -> bool:
    """Whether something of that kind is called so while it is being written."""
    try:
        if kind is not FileKind.FOOTAGE:
            return parse_under_way(text).kind is kind
        PartName.parse(text)
    except NotAName:
        return False
    return True


def _check_names_around(root: Path) -> Iterator[Finding]:
    """Every level above the folders of segments."""
    yield from _strangers(root, "", _check_at_the_root)
    yield from _strangers(root, HOLDS, HoldName.parse)
    for camera in walk.cameras(root):
        yield from _strangers(root, camera, partial(_check_of_camera, camera))
        yield from _strangers(root, f"{camera}/{GAPS}", gaps_day)
        yield from _strangers(root, f"{camera}/{CHAIN}", _check_of_chain)
    for stream in walk.all_streams(root):
        yield from _strangers(root, str(stream), day_start_ms)
        for day in sorted({hour.day for hour in walk.hours(root, stream)}):
            yield from _strangers(root, f"{stream}/{day}", lambda name: hour_start_ms("1970-01-01", name))


def _check_keys(root: Path) -> Iterator[Finding]:
    yield from (Finding(path, Fault.NOT_A_NAME) for path in keys_audit.strangers_in_keys(root))
    yield from (Finding(path, Fault.FILE_MISSING) for path in keys_audit.missing_files(root))
    if not keys_audit.is_sound(root):
        yield Finding(f"{KEYS}/{MANIFEST}", Fault.NOT_FOLLOWING)


def _check_state(state_dir: Path) -> Iterator[Finding]:
    yield from (Finding(path, Fault.NOT_A_NAME) for path in keys_audit.strangers_in_state(state_dir))
    if keys_audit.open_to_others(state_dir):
        yield Finding(str(state_dir), Fault.OPEN_TO_OTHERS)


def _check_at_the_root(name: str) -> None:
    if name not in _AT_THE_ROOT and not name.startswith(INDEX):
        camera_name(name)


def _check_of_camera(camera: str, name: str) -> None:
    if name not in RESERVED_STREAMS:
        stream_name(camera, name)


def _check_of_chain(name: str) -> None:
    if name != LOCK:
        chain_number(name)


def _strangers(root: Path, folder: str, parse: Callable[[str], object]) -> Iterator[Finding]:
    for entry in sorted(walk.entries(root / folder), key=lambda entry: entry.name):
        try:
            parse(entry.name)
        except NotAName:
            yield Finding(f"{folder}/{entry.name}".lstrip("/"), Fault.NOT_A_NAME)
