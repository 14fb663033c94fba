"""The household behind a store, for commands that need no key: as far as anybody here can vouch for it."""

from __future__ import annotations

from nvr.located import Located
from nvr.pinning import Pinned, read_pinned
from pipeline.household.errors import HouseholdError, ManifestMissing
from pipeline.household.remembered import recall


def known_household(located: Located, root: str | None) -> Pinned | None:
    """None where the store has no household at all. Raises HouseholdError for one that does not hold, or is
    not the one that `root` (a fingerprint), the recorder or this user know; OSError.
    """
    try:
        own = recall(located.loaded.state_dir)
    except (HouseholdError, OSError):
        own = None
    try:
        return read_pinned(located.store.root, root, own.root if own else None)
    except ManifestMissing:
        if root is not None or own is not None:
            raise
        return None
