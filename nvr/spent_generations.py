"""The supervisor's part in destroying spent generations: when it is looked for, and what is said of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from pipeline.household.accepting import AcceptedHousehold
from pipeline.household.destroying import Destroyed, destroy_spent
from pipeline.household.errors import HouseholdError
from pipeline.index import IndexBusy, IndexFault, open_or_restore

PASS_S = 3600.0
SOON_S = 60.0  # when others are busy with the index, as at a start
log = logging.getLogger(__name__)

Say = Callable[[int, str], object]


class SpentGenerations:
    """Looks hourly, and after footage was deleted. Making one does no I/O; for one thread."""

    def __init__(self, store_root: Path, state_dir: Path) -> None:
        self._store_root = store_root
        self._state_dir = state_dir
        self._household: AcceptedHousehold | None = None
        self._due_s = 0.0
        self._only_hourly = False  # reading all names again and again would cost too much

    def tend(self, now_ms: int | None, monotonic_s: float, *, removed: int, say: Say) -> None:
        """Destroys what is spent, if it is time to look; nothing while the clock is unsure (None).

        `say` gets a level and a sentence for what cannot be done.
        """
        is_due = monotonic_s >= self._due_s or (removed and not self._only_hourly)
        if now_ms is None or not is_due:
            return
        self._due_s = monotonic_s + PASS_S
        try:
            done = self._destroy(now_ms)
        except IndexBusy:
            self._due_s = monotonic_s + SOON_S
            return
        except (HouseholdError, IndexFault, OSError) as error:
            say(logging.WARNING, f"spent generations are not looked for: {error}")
            return
        self._only_hourly = done.index_is_behind
        for fault in done.faults:
            say(logging.ERROR, fault)
        for group, number in done.generations:
            log.info("generation %d of %s is spent: its keys are destroyed", number, group)

    def _destroy(self, now_ms: int) -> Destroyed:
        if self._household is None:
            self._household = AcceptedHousehold(self._store_root, self._state_dir)
        manifest = self._household.look()
        with open_or_restore(self._store_root) as index:
            return destroy_spent(self._store_root, manifest, index, now_ms)
