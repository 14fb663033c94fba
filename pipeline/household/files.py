"""A household as it lies in a store: `keys/manifest/<version>.json`, read and verified, or one version more.

Rules:
- Nothing is believed for lying there: every version is checked against the one before, from the first one,
  or from one that was checked before.
- A version, once written, is never replaced. Whoever comes second is told, and begins anew.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pipeline import walk
from pipeline.durable import fsync_directory, make_directories, rename_without_replacing
from pipeline.household.document import SignedManifest
from pipeline.household.errors import (
    AnotherHousehold,
    ChangedMeanwhile,
    Forked,
    HouseholdError,
    ManifestDamaged,
    ManifestMissing,
    Replayed,
)
from pipeline.household.fingerprint import fingerprint
from pipeline.household.model import Manifest, Pin
from pipeline.household.succession import check_first, check_next
from pipeline.key_names import manifest_path, manifest_version
from pipeline.names import KEYS, MANIFEST, NotAName
from pipeline.plain_file import read_plain

LARGEST_BYTES = 16 * 1024 * 1024  # a thousand post-quantum recipients are 2 MB; whatever is larger is none


@dataclass(frozen=True, slots=True)
class Household:
    """A household whose every version, from the first, has been verified. `versions` begin with version 1."""

    versions: tuple[SignedManifest, ...]

    @property
    def manifest(self) -> Manifest:
        """As it is now."""
        return self.versions[-1].manifest

    @property
    def newest(self) -> SignedManifest:
        """The newest version, as it was read: what the next one is made from."""
        return self.versions[-1]

    @property
    def root(self) -> bytes:
        """The digest of version 1, by which the household is known."""
        return self.versions[0].digest

    @property
    def pin(self) -> Pin:
        """What to remember of it."""
        return Pin(self.root, self.manifest.version, self.newest.digest)

    @property
    def lines(self) -> tuple[bytes, ...]:
        """The versions as they lie in the store."""
        return tuple(bytes(version) for version in self.versions)


def read_household(store_root: Path, pinned: Pin | None = None) -> Household:
    """The store's household, verified from version 1 on, and against what is remembered of it.

    Without a pin any household is taken: show its fingerprint. Raises HouseholdError (its subclasses tell
    what is wrong), OSError.
    """
    numbers = _some_versions(store_root)
    return verified([read_version(store_root, number) for number in range(1, numbers[-1] + 1)], pinned)


def verified(versions: list[SignedManifest], pinned: Pin | None = None) -> Household:
    """The household of these versions, in order from the first. Pure. Raises HouseholdError."""
    check_first(versions[0])
    if pinned is not None:
        check_root(versions[0], pinned.root)
    for before, after in pairwise(versions):
        check_next(before, after)
    household = Household(tuple(versions))
    if pinned is not None and pinned.version:
        _check_remembered(household, pinned)
    return household


def _check_remembered(household: Household, pinned: Pin) -> None:
    newest = household.manifest.version
    if newest < pinned.version:
        raise replayed(newest, pinned.version)
    if household.versions[pinned.version - 1].digest != pinned.digest:
        raise forked(pinned.version)


def check_root(first: SignedManifest, root: bytes) -> None:
    """Returns if `first` is the version 1 that is known by `root`. Raises AnotherHousehold."""
    if first.digest != root:
        raise AnotherHousehold(
            f"the store's household is another one: its fingerprint is {fingerprint(first.digest)}, "
            f"and {fingerprint(root)} is meant"
        )


def replayed(found: int, remembered: int) -> Replayed:
    """What to raise when the store shows an older version than was seen."""
    return Replayed(
        f"the store shows version {found} of the household, but version {remembered} was seen before: "
        "somebody put an older one in its place; put keys/manifest back from a newer copy"
    )


def forked(version: int) -> Forked:
    """What to raise when a version is another than the one that was seen."""
    return Forked(
        f"version {version} of the household is not the one that was seen before: two owners changed it at "
        "once, or it was exchanged; keep one of the two and do the other's change again"
    )


def versions_in(store_root: Path) -> list[int]:
    """The versions that lie in the store, ascending, whatever they are worth. Raises OSError."""
    found = []
    for entry in walk.entries(store_root / KEYS / MANIFEST):
        with contextlib.suppress(NotAName):
            found.append(manifest_version(entry.name))
    return sorted(found)


def _some_versions(store_root: Path) -> list[int]:
    numbers = versions_in(store_root)
    if not numbers:
        raise ManifestMissing(
            f"there is no household in {store_root / KEYS}: put the folder back from a copy of the store"
        )
    return numbers


def read_version(store_root: Path, version: int) -> SignedManifest:
    """One version, not verified. Raises ManifestMissing, ManifestDamaged, OSError."""
    path = store_root / manifest_path(version)
    try:
        line = read_plain(path, LARGEST_BYTES)
    except FileNotFoundError:
        raise ManifestMissing(
            f"version {version} of the household is missing: put {path} back from a copy of the store"
        ) from None
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise ManifestDamaged(
            f"{path} cannot be read ({error.strerror}): put it back from a copy of the store"
        ) from None
    try:
        found = SignedManifest.parse(line)
    except ManifestDamaged as fault:
        raise ManifestDamaged(f"{path} is damaged ({fault}): put it back from a copy of the store") from None
    if found.manifest.version != version:
        raise ManifestMissing(f"{path} holds version {found.manifest.version}, and {version} is missing")
    return found


def write_version(store_root: Path, signed: SignedManifest) -> None:
    """Puts the next version into the store, durably. Raises ChangedMeanwhile, HouseholdError, OSError.

    1. check that it may follow what lies there
    2. write it aside and fsync it
    3. give it its name, unless that is taken; fsync the folder
    """
    version = signed.manifest.version
    if version == 1:
        check_first(signed)
    else:
        check_next(read_version(store_root, version - 1), signed)
    path = store_root / manifest_path(version)
    make_directories(store_root, f"{KEYS}/{MANIFEST}")
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        _write(fresh, bytes(signed))
        rename_without_replacing(fresh, path)
    except FileExistsError:
        raise ChangedMeanwhile("somebody else changed the household just now; run it again") from None
    finally:
        fresh.unlink(missing_ok=True)
    fsync_directory(path.parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def first_version(store_root: Path) -> SignedManifest:
    """Version 1, verified by itself. Raises HouseholdError, OSError."""
    _some_versions(store_root)
    first = read_version(store_root, 1)
    check_first(first)
    return first


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a household could be followed, and what stopped it there (None: nothing)."""

    newest: SignedManifest
    problem: HouseholdError | None


def follow(store_root: Path, root: bytes, accepted: SignedManifest) -> Followed:
    """From a version that was accepted before to the newest that may be believed. Raises OSError."""
    try:
        check_root(read_version(store_root, 1), root)
        newest = max(versions_in(store_root), default=0)
        if newest < accepted.manifest.version:
            raise replayed(newest, accepted.manifest.version)
        if read_version(store_root, accepted.manifest.version).digest != accepted.digest:
            raise forked(accepted.manifest.version)
        for version in range(accepted.manifest.version + 1, newest + 1):
            after = read_version(store_root, version)
            check_next(accepted, after)
            accepted = after
    except HouseholdError as problem:
        return Followed(accepted, problem)
    return Followed(accepted, None)
