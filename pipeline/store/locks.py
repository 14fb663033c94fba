"""One writer for each camera, one watcher and one supervisor for each store, by flock(2) on a file that says
who holds it.

Rules:
- The kernel frees a lock when its process ends, however it ends: a lock file without a holder means nothing.
- The file is never removed, since removing it would let two processes lock two files of the same name.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from pipeline.durable import make_directories
from pipeline.names import LOCK, WATCH_LOCK
from pipeline.store.errors import AlreadyRunning, StoreError
from pipeline.store.layout import Store

_TRIES = 5
_PAUSE_S = 0.05


class Lock:
    """A held lock; `release` or the end of the process frees it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Frees the lock. Harmless when already done."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def lock_camera(store: Store, camera: str) -> Lock:
    """Becomes the camera's only writer. Raises AlreadyRunning, StoreMissing, StoreError, OSError (a read-only
    disk).
    """
    store.open_check()
    if (store.root / camera).is_symlink():  # whoever reads the store's names would not find its footage
        raise StoreError(
            f"{store.root / camera} is a symbolic link: a store lies on one disk, put a folder there"
        )
    directory = make_directories(store.root, camera)
    return _lock(directory / LOCK, f"the recorder of {camera}")


def lock_store(store: Store) -> Lock:
    """Becomes the store's only supervisor. Raises AlreadyRunning, StoreMissing, OSError (a read-only
    disk).
    """
    store.open_check()
    return _lock(store.root / LOCK, f"nvr run on {store.root}")


def lock_watcher(store: Store) -> Lock:
    """Becomes the only one who writes events. Raises as `lock_store`."""
    store.open_check()
    return _lock(store.root / WATCH_LOCK, f"nvr watch on {store.root}")


def _lock(path: Path, what: str) -> Lock:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(descriptor):
            raise AlreadyRunning(what, _pid(os.pread(descriptor, 32, 0)), path)
    except (OSError, AlreadyRunning):
        os.close(descriptor)
        raise
    _write_pid(descriptor)
    return Lock(descriptor)


def _taken(descriptor: int) -> bool:
    """Tries for a quarter of a second: an audit looks whether the lock is held by sharing it for a moment."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return True
    return False


def _write_pid(descriptor: int) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        return  # a full disk: the lock holds all the same, it only does not say whose it is


def _pid(content: bytes) -> int:
    text = content.strip()
    return int(text) if text.isdigit() else 0
