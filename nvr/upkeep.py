"""Keeps the store within its limits: a retention pass every minute, sooner when the disk is nearly full.

In a thread of its own, for deleting takes time on a full disk and recorders must be looked after meanwhile.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from nvr.config import Config
from pipeline.store import Store

PASS_S = 60.0
HURRIED_PASS_S = 2.0
NEAR = 1.25  # of the floor of free space: from here on passes follow each other quickly

Pass = Callable[[Store, Config], None]
log = logging.getLogger(__name__)


class Upkeep:
    """Runs `one_pass` again and again until stopped."""

    def __init__(self, store: Store, config: Config, one_pass: Pass) -> None:
        self._store = store
        self._config = config
        self._one_pass = one_pass
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begins with a pass at once."""
        self._thread.start()

    def change(self, config: Config) -> None:
        """From the next pass on."""
        self._config = config

    def stop(self) -> None:
        """Lets a pass under way finish for a few seconds; deleting can be cut short at any point."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(3)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._one_pass(self._store, self._config)
            self._stop.wait(pause_s(self._free_bytes(), self._config.store.min_free))

    def _free_bytes(self) -> int:
        try:
            disk = os.statvfs(self._store.root)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize


def pause_s(free_bytes: int, floor_bytes: int) -> float:
    """How long until the next pass."""
    return HURRIED_PASS_S if free_bytes < floor_bytes * NEAR else PASS_S
