"""Whether `nvr run` is at work on a store, as seen from another process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pipeline.names import LOCK


def supervisor_pid(store_root: Path) -> int:
    """The process that holds the store's lock; 0 when none does. Shares the lock for a moment."""
    try:
        descriptor = os.open(store_root / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return 0
