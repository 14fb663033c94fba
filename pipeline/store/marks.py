"""Gap marks and holds: the two things that are said of footage beside its own names.

Rules:
- A gap mark is one line, appended and flushed when recording of a stream stops; a line torn by a crash is
  passed over by readers and closed by the next mark.
- A hold is an empty file whose name says all. Every change makes what is to be held before it lets go of
  anything.
"""

from __future__ import annotations

import errno
import os

from pipeline import walk
from pipeline.durable import fsync_directory, make_directories
from pipeline.names import GAPS, HOLDS, GapMark, HoldName, gaps_path
from pipeline.store.layout import Store


def append_gap_mark(store: Store, mark: GapMark) -> None:
    """Adds the mark durably. Raises StoreMissing and OSError; may be called again then.

    1. open the day's file for appending, fsyncing the folder where the file is new
    2. append an end of line, if a crash tore the last one off, and the mark, in one write
    3. fdatasync
    """
    store.open_check()
    directory = make_directories(store.root, f"{mark.stream.camera}/{GAPS}")
    path = store.root / gaps_path(mark.stream.camera, mark.at_ms)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size_bytes = os.fstat(descriptor).st_size
        torn = size_bytes > 0 and os.pread(descriptor, 1, size_bytes - 1) != b"\n"
        line = (b"\n" if torn else b"") + mark.line().encode()
        if os.write(descriptor, line) < len(line):  # the next try closes what is torn
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        fsync_directory(directory)


def hold(store: Store, camera: str, from_ms: int, to_ms: int, made_ms: int) -> HoldName:
    """Exempts the range from deletion, durably. Raises NotAName for a range that is none, StoreMissing,
    OSError.
    """
    name = HoldName(camera, from_ms, to_ms, made_ms)
    store.open_check()
    _make(store, [name])
    return name


def unhold(store: Store, camera: str, from_ms: int, to_ms: int, made_ms: int) -> list[HoldName]:
    """Ends every hold of the camera within the range and returns those it changed. Raises StoreMissing,
    OSError.

    1. make holds for what sticks out on either side, and fsync the folder
    2. remove the old ones, and fsync it again
    """
    store.open_check()
    changed = [name for name in walk.holds(store.root) if name.covers(camera, from_ms, to_ms)]
    _make(store, [rest for name in changed for rest in outside(name, from_ms, to_ms, made_ms)])
    for name in changed:
        (store.root / HOLDS / str(name)).unlink(missing_ok=True)
    if changed:
        fsync_directory(store.root / HOLDS)
    return changed


def outside(name: HoldName, from_ms: int, to_ms: int, made_ms: int) -> list[HoldName]:
    """The holds that keep what `name` holds before `from_ms` and from `to_ms` on. Pure."""
    before = [HoldName(name.camera, name.from_ms, from_ms, made_ms)] if name.from_ms < from_ms else []
    after = [HoldName(name.camera, to_ms, name.to_ms, made_ms)] if to_ms < name.to_ms else []
    return before + after


def _make(store: Store, names: list[HoldName]) -> None:
    if not names:
        return
    directory = make_directories(store.root, HOLDS)
    for name in names:
        (directory / str(name)).touch(mode=0o600)
    fsync_directory(directory)
