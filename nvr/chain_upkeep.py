"""The supervisor's part in the chains: the day key, tombstones for what is deleted, old files that collapse.

Recording and retention go on whatever happens here: what is wrong is said with the pass.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path

from pipeline import walk
from pipeline.chain.collapse import collapse
from pipeline.chain.log import ChainBusy, ChainDamaged, ChainKeeper, ChainPlace
from pipeline.chain.tombstones import Tombstones
from pipeline.expiry import Pass, run_pass
from pipeline.retention import Policy
from pipeline.spans import Span
from pipeline.store import Store
from pipeline.watched import read_watched

COLLAPSE_S = 3600.0
log = logging.getLogger(__name__)


class ChainUpkeep:
    """Runs retention passes that the chains know of. Making one does no I/O; for one thread."""

    def __init__(self, store: Store, state_dir: Path) -> None:
        self._store = store
        self._state_dir = state_dir
        self._keeper: ChainKeeper | None = None
        self._tombstones: Tombstones | None = None
        self._collapse_due_s = 0.0

    def run_pass(self, root: Path, policy: Policy, now_ms: int | None) -> Pass:
        """Exchanges the day key if it is time, deletes, and hourly collapses. Raises OSError as the pass
        does.
        """
        if self._keeper is None or self._tombstones is None:
            self._keeper = ChainKeeper(ChainPlace(root, self._state_dir, self._store.device))
            self._tombstones = Tombstones(self._keeper)
        fault = self._tend(self._keeper, sure=now_ms is not None)
        done = run_pass(root, policy, now_ms, self._tombstones, self._watched(policy))
        faults = [fault] if fault else []
        if time.monotonic() >= self._collapse_due_s:
            self._collapse_due_s = time.monotonic() + COLLAPSE_S
            faults += self._collapse(root, self._tombstones)
        return replace(done, faults=(*done.faults, *faults))

    def _watched(self, policy: Policy) -> dict[str, list[Span]]:
        """What the watcher says, of the cameras of which only events are kept."""
        cameras = [name for name, limits in policy.cameras.items() if limits.event_minutes is not None]
        return {camera: read_watched(self._state_dir, camera) for camera in cameras}

    def _tend(self, keeper: ChainKeeper, *, sure: bool) -> str:
        try:
            boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            if keeper.tend(_wall_ms(), boot_ns, sure=sure):
                log.info("the day key was exchanged")
        except ChainBusy:
            return ""  # the next pass tries again
        except OSError as error:
            return f"the day key cannot be exchanged: {error.strerror}"
        return ""

    def _collapse(self, root: Path, tombstones: Tombstones) -> list[str]:
        faults = []
        for camera in walk.cameras(root):
            try:
                gone = collapse(tombstones.log(camera), root, camera, _wall_ms())
                if gone:
                    log.info("%s: its chain begins at file %d now", camera, gone[-1] + 1)
            except ChainBusy:
                continue
            except (ChainDamaged, OSError) as error:
                faults.append(f"{camera}: old files of its chain stay for now: {error}")
        return faults


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
