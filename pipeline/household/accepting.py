"""The household as a device accepts it: followed in the store, remembered in the state directory.

Rules:
- What was accepted once stays, whatever becomes of the files: an older, damaged, forged or missing manifest
  is a problem to tell, never a reason to stop.
- A device that remembers nothing takes the household of the store it was given.
- Looking is cheap (three stats) while nothing has changed.
"""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.household.errors import HouseholdError
from pipeline.household.files import Followed, first_version, follow
from pipeline.household.model import Manifest
from pipeline.household.remembered import Remembered, recall, remember
from pipeline.key_names import manifest_path
from pipeline.names import KEYS, MANIFEST, STORE_FILE

_log = logging.getLogger("nvr.household")
_Seen = tuple[tuple[int, ...], ...]


class AcceptedHousehold:
    """For one thread. `problem` is empty, or a clause that says what is wrong and what to do."""

    def __init__(self, store_root: Path, state_dir: Path) -> None:
        """Takes what is remembered, else the store's. Raises HouseholdError, OSError if there is neither."""
        self._store_root = store_root
        self._state_dir = state_dir
        self._unremembered = ""
        self._unfollowed = ""
        self._seen: _Seen | None = None
        self._accepted = self._recalled() or self._first_use()
        self.look()

    @property
    def manifest(self) -> Manifest:
        """The newest version that was accepted."""
        return self._accepted.newest.manifest

    @property
    def root(self) -> bytes:
        """The digest of version 1."""
        return self._accepted.root

    @property
    def problem(self) -> str:
        """What is wrong with the household's files now."""
        return self._unfollowed or self._unremembered

    def look(self) -> Manifest:
        """The newest version that may be believed; looks for a newer one. Never raises for what it finds."""
        if not (self._store_root / STORE_FILE).exists():
            return self.manifest  # the disk is away: whoever writes to it says so
        seen = self._look_at_files()
        if seen != self._seen or self.problem:
            self._follow()
            self._seen = seen
        return self.manifest

    def _follow(self) -> None:
        try:
            followed = follow(self._store_root, self.root, self._accepted.newest)
        except OSError as error:
            self._unfollowed = f"the household's manifest cannot be read: {_why(error)}; check the disk"
            return
        self._unfollowed = str(followed.problem) if followed.problem else ""
        self._accept(followed)

    def _accept(self, followed: Followed) -> None:
        is_news = followed.newest.digest != self._accepted.newest.digest
        self._accepted = Remembered(self.root, followed.newest)
        if is_news or self._unremembered or self._seen is None:
            self._remember()

    def _remember(self) -> None:
        try:
            remember(self._state_dir, self._accepted)
            self._unremembered = ""
        except OSError as error:
            self._unremembered = (
                f"what is known of the household cannot be kept in {self._state_dir}: {_why(error)}"
            )

    def _recalled(self) -> Remembered | None:
        try:
            return recall(self._state_dir)
        except (HouseholdError, OSError) as fault:
            _log.error("%s; the store's household is taken as it is", fault)
            return None

    def _first_use(self) -> Remembered:
        first = first_version(self._store_root)
        return Remembered(first.digest, first)

    def _look_at_files(self) -> _Seen:
        """Changes whenever a version is added, taken away or exchanged."""
        version = self.manifest.version
        paths = (f"{KEYS}/{MANIFEST}", manifest_path(version), manifest_path(version + 1))
        return tuple(_stat(self._store_root / path) for path in paths)


def _stat(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _why(error: OSError) -> str:
    return (error.strerror or "input/output error").lower()
