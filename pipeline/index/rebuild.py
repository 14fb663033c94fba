"""Makes the whole index from the store alone, while recorders go on publishing.

Rules:
- No identity is needed, and no file of footage is opened: names, sizes, gaps files and holds say everything.
- The new index is made aside and then takes the place of the old one, so readers always find a whole one.
- One process at a time: whoever holds `index.lock`. Only this module creates an index, and only in a store:
  when its disk is not mounted, nothing is made in the folder below.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import math
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from pipeline import walk
from pipeline.durable import fsync_directory
from pipeline.index.database import Index
from pipeline.index.errors import IndexBusy, IndexDamaged, IndexMissing, told_apart
from pipeline.model import StreamName
from pipeline.names import HOUR_MS, INDEX, LAST_MS, STORE_FILE, FileKind, kind_of
from pipeline.walk import Hour

_log = logging.getLogger("nvr.index")
_BATCH_ROWS = 20_000
_NAME = (
    r"(0|[1-9][0-9]{0,14})\+(0|[1-9][0-9]{0,7})\.(0|[1-9][0-9]{0,14})"
    r"(?:\.(c|u|cu))?(?:\.k([1-9][0-9]{0,14}))?"
)
_STORED = {kind: re.compile(rf"{_NAME}\.{kind.value}\.age") for kind in FileKind}
_FLAGS = {None: 0, "c": 1, "u": 2, "cu": 3}
_RECENT_NS = 2_000_000_000
_LOOK_AGAIN_S = 0.05

Progress = Callable[[int], None]
Rows = list[tuple[int, int, int, int, int, int, int]]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found, and how long it took."""

    segments: int
    elapsed_s: float


def index_path(root: Path) -> Path:
    """Where the index of the store lies."""
    return root / INDEX


def open_or_restore(
    root: Path, seen: tuple[int, int] | None = None, *, busy_s: float = 5.0, wait_s: float = 0.0
) -> Index:
    """The store's index, made anew first if it is missing or damaged, or is still the file `seen` to be
    damaged.

    Raises IndexBusy when another process is still at it after `wait_s`, or the disk does not allow it: try
    again later.
    """
    with contextlib.suppress(IndexMissing, IndexDamaged):
        return _opened(root, seen, busy_s)
    with _exclusively(root, wait_s):
        fault = "missing"
        try:
            return _opened(root, seen, busy_s)
        except IndexDamaged:
            fault = "damaged"
        except IndexMissing:
            pass
        rebuilt = _rebuild(root, aside=fault == "damaged", progress=lambda _: None)
        if rebuilt.segments or fault == "damaged":
            _log.warning(
                "the index was %s: made anew from the store, %d segments in %.1f s%s",
                fault,
                rebuilt.segments,
                rebuilt.elapsed_s,
                f"; the damaged one is {INDEX}.damaged" if fault == "damaged" else "",
            )
        return Index(index_path(root), busy_s=busy_s)


def _opened(root: Path, seen: tuple[int, int] | None, busy_s: float) -> Index:
    index = Index(index_path(root), busy_s=busy_s)
    if index.place == seen:
        index.close()
        raise IndexDamaged("the index is damaged")
    return index


def rebuild(root: Path, progress: Progress = lambda _: None) -> Rebuilt:
    """Makes the index of the store `root` anew; `progress` is told how many segments so far. Raises
    IndexBusy.

    1. take `index.lock`, waiting for another rebuild to end
    2. make the tables in `index.sqlite.new`, without journal; read every hour's folder into it, noting its
       mtime
    3. add gap marks and holds; make totals and triggers; fsync
    4. remove the old index, then what SQLite left beside it, and rename the new one to its place; fsync the
       folder
    5. read again the folders that changed since they were read; drop the rows of those that are gone
    """
    with _exclusively(root, math.inf):
        return _rebuild(root, aside=False, progress=progress)


def _rebuild(root: Path, *, aside: bool, progress: Progress) -> Rebuilt:
    began_s = time.monotonic()
    fresh = root / f"{INDEX}.new"
    try:
        with told_apart():
            read, count = _fill(root, fresh, progress)
        _take_place(root, fresh, aside=aside)
        with Index(index_path(root), busy_s=60) as index:
            _catch_up(root, index, read)
    except OSError as error:
        raise IndexBusy(f"the index cannot be made now: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    return Rebuilt(count, time.monotonic() - began_s)


def _fill(root: Path, fresh: Path, progress: Progress) -> tuple[dict[Hour, int], int]:
    fresh.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;"
        )
        connection.executescript(_script("schema.sql"))
        connection.execute("BEGIN")
        read: dict[Hour, int] = {}
        count = 0
        for number, stream in enumerate(walk.all_streams(root), start=1):
            connection.execute("INSERT INTO stream VALUES (?, ?, ?)", (number, stream.camera, stream.stream))
            for rows in _batches(root, stream, number, read):
                connection.executemany("INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
                count += len(rows)
                progress(count)
        connection.execute("COMMIT")
        connection.executescript(_script("totals.sql"))
    fresh.chmod(0o600)
    with Index(fresh) as index:
        add_marks(root, index)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    return read, count


def add_marks(root: Path, index: Index) -> None:
    """Adds every gap mark of the store and makes the holds those of the store. Raises IndexFault, OSError."""
    for camera in walk.cameras(root):
        for day in walk.gap_days(root, camera):
            index.add((), walk.gap_marks(root, camera, day))
    index.set_holds(walk.holds(root))


def _script(name: str) -> str:
    return files("pipeline.index").joinpath(name).read_text("utf-8")


def _batches(root: Path, stream: StreamName, number: int, read: dict[Hour, int]) -> Iterator[Rows]:
    batch: Rows = []
    for hour in walk.hours(root, stream):
        try:
            read[hour] = _change_time(root / hour.path)
            rows = _read_hour(f"{root}/{hour.path}", number, hour.start_ms, kind_of(stream.stream))
        except FileNotFoundError:
            continue
        rows.sort()  # in the order of the table: the tree is filled without splitting
        batch += rows
        if len(batch) >= _BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _read_hour(directory: str, number: int, start_ms: int, kind: FileKind) -> Rows:
    """The rows of one folder. As `walk.segments`, without making a noun of each: this runs millions of
    times.
    """
    rows: Rows = []
    end_ms = start_ms + HOUR_MS
    match = _STORED[kind].fullmatch
    with os.scandir(directory) as entries:
        for entry in entries:
            name = match(entry.name)
            if name is None:
                continue
            start, duration, sequence, flags, kept = name.groups()
            at_ms, kept_ms = int(start), int(kept or 0)
            if start_ms <= at_ms < end_ms and kept_ms <= LAST_MS:
                size = entry.stat(follow_symlinks=False).st_size
                rows.append((number, at_ms, int(sequence), int(duration), _FLAGS[flags], size, kept_ms))
    return rows


def _change_time(directory: Path) -> int:
    """When the folder last changed; 0, which no folder has, if that was so lately that it might go
    unnoticed.
    """
    changed_ns = directory.stat().st_mtime_ns
    return 0 if abs(time.time_ns() - changed_ns) < _RECENT_NS else changed_ns


def _take_place(root: Path, fresh: Path, *, aside: bool) -> None:
    """Another process's journal beside the new index would be applied to it: so it goes before the rename."""
    old = index_path(root)
    if aside:
        with contextlib.suppress(FileNotFoundError):
            old.replace(root / f"{INDEX}.damaged")
    for name in (INDEX, f"{INDEX}-wal", f"{INDEX}-shm", f"{INDEX}-journal"):
        (root / name).unlink(missing_ok=True)
    fresh.rename(old)
    for name in (f"{fresh.name}-wal", f"{fresh.name}-shm"):
        (root / name).unlink(missing_ok=True)
    fsync_directory(root)


def _catch_up(root: Path, index: Index, read: dict[Hour, int]) -> None:
    """Who was told of the old index wrote to it until now; what they published is in the store since
    before.
    """
    now = {hour for stream in walk.all_streams(root) for hour in walk.hours(root, stream)}
    for hour in now | set(read):
        try:
            changed = hour not in read or read[hour] != (root / hour.path).stat().st_mtime_ns
        except FileNotFoundError:
            changed = True
        if changed:
            index.set_hour(root, hour)
    index.set_holds(walk.holds(root))


@contextlib.contextmanager
def _exclusively(root: Path, wait_s: float) -> Iterator[None]:
    if not (root / STORE_FILE).exists():
        raise IndexBusy("the index cannot be made now: the store's disk is not mounted")
    try:
        descriptor = os.open(root / "index.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise IndexBusy(f"the index cannot be made now: {error.strerror}") from error
    try:
        _lock(descriptor, time.monotonic() + wait_s)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, until_s: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until_s:
                raise IndexBusy("another process is making the index anew") from None
            time.sleep(_LOOK_AGAIN_S)
