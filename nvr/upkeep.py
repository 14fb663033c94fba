"""Keeps the store within its limits: a retention pass every minute, sooner when the disk is nearly full.

In a thread of its own, for deleting takes time on a full disk and recorders must be looked after meanwhile.
Nothing is deleted for its age while the clock is unsure, and nothing at all while the store is not there.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from nvr.newest_footage import newest_sure_ns
from nvr.quantities import format_size
from nvr.spent_generations import SpentGenerations
from pipeline import walk
from pipeline.clock import ClockTrust, kernel_synchronised
from pipeline.expiry import Pass, run_pass
from pipeline.retention import Policy
from pipeline.store import Store, StoreError

PASS_S = 60.0
HURRIED_PASS_S = 2.0
NEAR = 1.25  # of the floor of free space: from here on passes follow each other quickly
SAY_S = 3600.0

Run = Callable[[Path, Policy, int | None], Pass]
log = logging.getLogger(__name__)


class Upkeep:
    """Runs passes again and again until stopped. Making one does no I/O."""

    def __init__(
        self, store: Store, policy: Policy, run: Run = run_pass, spent: SpentGenerations | None = None
    ) -> None:
        self._store = store
        self._policy = policy
        self._run_pass = run
        self._spent = spent
        self._trust: ClockTrust | None = None
        self._said: dict[str, float] = {}
        self._removed, self._freed_bytes = 0, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begins with a pass at once."""
        self._thread.start()

    def change(self, policy: Policy) -> None:
        """From the next pass on."""
        self._policy = policy

    def stop(self) -> None:
        """Lets a pass under way finish for a few seconds; deleting can be cut short at any point."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(3)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wait(self.run_once())

    def _wait(self, seconds: float) -> None:
        """Until the next pass is due: sooner when the disk comes near its floor, which a minute can do."""
        due_s = time.monotonic() + seconds
        while (left_s := due_s - time.monotonic()) > 0:
            if self._stop.wait(min(left_s, HURRIED_PASS_S)) or (seconds > HURRIED_PASS_S and self._is_near()):
                return

    def _is_near(self) -> bool:
        try:
            return _free_bytes(self._store.root) < self._policy.min_free_bytes * NEAR
        except OSError:
            return True  # the pass finds out what is wrong, and says so

    def run_once(self) -> float:
        """One pass; returns how many seconds until the next."""
        try:
            self._store.open_check()
            now_ms = self._now_ms()
            done = self._run_pass(self._store.root, self._policy, now_ms)
            free_bytes = _free_bytes(self._store.root)
        except (StoreError, OSError) as fault:
            self._say(logging.ERROR, f"nothing is deleted: {fault}")
            return HURRIED_PASS_S
        self._tell(done)
        if self._spent is not None:
            self._spent.tend(now_ms, time.monotonic(), removed=done.removed, say=self._say)
        hurried = done.again or free_bytes < self._policy.min_free_bytes * NEAR
        return HURRIED_PASS_S if hurried else PASS_S

    def _now_ms(self) -> int | None:
        """None while the clock is unsure."""
        if self._trust is None:
            root = self._store.root
            self._trust = ClockTrust(newest_sure_ns(root, walk.streams(root)))
        wall_ns, boot_ns = time.time_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        trust = self._trust.observe(wall_ns, boot_ns, kernel_synchronised())
        if not trust.sure:
            self._say(logging.WARNING, f"nothing is deleted for its age: {trust.reason}")
            return None
        return wall_ns // 1_000_000

    def _tell(self, done: Pass) -> None:
        self._removed += done.removed
        self._freed_bytes += done.freed_bytes
        for fault in done.faults:
            self._say(logging.WARNING, fault)
        if done.short_bytes:
            short = format_size(done.short_bytes)
            sentence = f"the disk is {short} short of min_free, and nothing more may go; see nvr list"
            self._say(logging.ERROR, sentence, about="short")
        if self._removed and self._say(logging.INFO, "footage beyond the limits is being deleted"):
            log.info("deleted %d segments, %s", self._removed, format_size(self._freed_bytes))
            self._removed, self._freed_bytes = 0, 0

    def _say(self, level: int, sentence: str, about: str = "") -> bool:
        """The same thing (`about`, if its numbers change) at most once an hour. Returns whether it was."""
        now_s = time.monotonic()
        about = about or sentence
        if now_s - self._said.get(about, -SAY_S) < SAY_S:
            return False
        self._said = {said: at_s for said, at_s in self._said.items() if now_s - at_s < SAY_S}
        self._said[about] = now_s
        log.log(level, "%s", sentence)
        return True


def _free_bytes(root: Path) -> int:
    disk = os.statvfs(root)
    return disk.f_bavail * disk.f_frsize
