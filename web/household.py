"""The household as the dashboard accepts it, for many threads."""

from __future__ import annotations

import threading

from pipeline.household.accepting import AcceptedHousehold
from pipeline.household.files import read_version
from pipeline.household.model import Manifest
from web.plan import DashboardPlan


class HouseholdView:
    """The newest manifest that may be believed. Raises HouseholdError, OSError when there is none at all."""

    def __init__(self, plan: DashboardPlan) -> None:
        self._root = plan.store_root
        self._lock = threading.Lock()
        self._accepted = AcceptedHousehold(plan.store_root, plan.state_dir)

    def manifest(self) -> Manifest:
        """As it is now: three stats while nothing has changed."""
        with self._lock:
            return self._accepted.look()

    def lines(self) -> list[str]:
        """Every accepted version as it lies in the store, from the first. Browsers believe none unverified.

        Raises HouseholdError, OSError when one cannot be read.
        """
        newest = self.manifest().version
        return [bytes(read_version(self._root, number)).decode("ascii") for number in range(1, newest + 1)]
