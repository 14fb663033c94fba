"""What can go wrong with the store, by what the caller does next."""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """The store cannot be used as it is; the message says why and what to do."""


class StoreMissing(StoreError):
    """There is no store at that place, probably because its disk is not mounted: wait for it, write
    nothing.
    """


class FlushFailed(StoreError):
    """The disk lost bytes that it had taken: abandon this segment and begin another, never flush this one
    again.
    """


class AlreadyRunning(StoreError):
    """Another process holds the lock. `pid` is what it wrote there, 0 if it wrote nothing."""

    def __init__(self, what: str, pid: int, lock: Path) -> None:
        super().__init__(f"{what} is already running (pid {pid or 'unknown'}): stop that one first")
        self.pid = pid
        self.lock = lock
