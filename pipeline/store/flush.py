"""Flushes shared between all recorders of a store, so that sixteen streams cost a disk little more than one.

Rules:
- Where the store has a file system of its own, one syncfs serves everybody who asked before it began. Where
  it shares one with the system, each file is flushed by itself: syncfs would wait for everybody else's
  writes.
- Ticks are aligned to the monotonic clock, which all processes share: so they ask together.
- Who is served by another process's syncfs does not see its error; it sees its own, since the fsync or syncfs
  that follows reports a lost write to every descriptor once. A segment published on such a flush is checked
  at its next.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.durable import sync_file_system
from pipeline.store.errors import FlushFailed
from pipeline.store.layout import Store
from pipeline.store.segment_file import SegmentFile

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SHARED_WITH_THE_SYSTEM = ("/", "/var", "/home", "/usr")


def has_own_file_system(root: Path) -> bool:
    """Whether the store's file system is none of those that the system itself writes to. Raises OSError."""
    shared = [Path(path) for path in (*_SHARED_WITH_THE_SYSTEM, tempfile.gettempdir())]
    return root.stat().st_dev not in {path.stat().st_dev for path in shared if path.exists()}


def next_tick_ns(now_ns: int, interval_ns: int) -> int:
    """The monotonic time of the next flush, the same for all processes."""
    return now_ns - now_ns % interval_ns + interval_ns


class GroupFlush:
    """Flushes one process's segments, together with those of the other processes of the store."""

    def __init__(
        self,
        store: Store,
        run_dir: Path,
        own_file_system: bool | None = None,
        syncfs: Callable[[int], None] = sync_file_system,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`run_dir` is in memory and shared by the recorders. `own_file_system` None means: look. Raises
        OSError.
        """
        self.own_file_system = has_own_file_system(store.root) if own_file_system is None else own_file_system
        self.issued = 0
        """Flushes that this process gave to the device: syncfs calls, or fdatasync calls."""
        self.shared = 0
        """Flushes that another process's syncfs served."""
        self._syncfs = syncfs
        self._clock = clock
        self._root = os.open(store.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._note = os.open(run_dir / "flush", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._boot = _BOOT_ID.read_bytes().strip()

    def flush(self, segments: Sequence[SegmentFile]) -> list[SegmentFile]:
        """Makes durable what was appended to, sealed or published in `segments`; returns those that failed.

        The failed ones must be abandoned. What the disk would not even take stays held, and is not flushed.
        """
        for segment in segments:
            _write_held(segment)
        return self.flush_written(segments)

    def flush_written(self, segments: Sequence[SegmentFile]) -> list[SegmentFile]:
        """As `flush`, for what has been written already. May run beside the thread that appends."""
        if not self.own_file_system:
            return [segment for segment in segments if not self._sync_one(segment)]
        if self.sync():
            return []
        for segment in segments:
            segment.fail()
        return list(segments)

    def sync(self) -> bool:
        """One syncfs, or none if another process began one since now; whether it succeeded. Blocks.

        1. note the time, then take the lock of the note that says when the last successful syncfs began
        2. if that was since the time noted, it covers everything written before: done
        3. else call syncfs, and write down when it began
        """
        asked_ns = self._clock()
        fcntl.flock(self._note, fcntl.LOCK_EX)
        try:
            began_ns = self._clock()
            if asked_ns <= self._last_began_ns() <= began_ns:
                self.shared += 1
                return True
            self.issued += 1
            self._syncfs(self._root)
            with contextlib.suppress(OSError):  # a full run-time directory: the others flush for themselves
                self._write_note(began_ns)
        except OSError:
            return False
        finally:
            fcntl.flock(self._note, fcntl.LOCK_UN)
        return True

    def close(self) -> None:
        """Lets go of the store's file system, so that it can be unmounted."""
        for descriptor in (self._root, self._note):
            os.close(descriptor)

    def _sync_one(self, segment: SegmentFile) -> bool:
        self.issued += 1
        try:
            segment.sync()
        except FlushFailed:
            return False
        return True

    def _last_began_ns(self) -> int:
        boot, _, began = os.pread(self._note, 128, 0).strip().partition(b" ")
        return int(began) if boot == self._boot and began.isdigit() else -1

    def _write_note(self, began_ns: int) -> None:
        os.ftruncate(self._note, 0)
        os.pwrite(self._note, self._boot + b" %d\n" % began_ns, 0)


def _write_held(segment: SegmentFile) -> None:
    try:
        segment.retry()
    except OSError:
        return
