"""Which household is meant, and what was seen of it before: so that another, or an older one, is refused.

Rules:
- What a person says (`--root`), what stands in their key file, and what this user saw before must all agree.
- Whoever says `--root` means this very store, be it an old copy: what was seen before is then not held
  against it, but nothing is changed in it either (`nvr.keyholder.changing`).
- The newest version seen is remembered in the user's own state folder, never in the store.
- Where nobody has said or seen anything, the store's household is taken, and whoever asks is told to compare
  its fingerprint.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from nvr.errors import UsageFault
from pipeline.durable import write_replacing
from pipeline.household.errors import AnotherHousehold, HouseholdError, Replayed
from pipeline.household.files import Household, first_version, read_household
from pipeline.household.fingerprint import fingerprint, given_fingerprint
from pipeline.household.model import Pin


@dataclass(frozen=True, slots=True)
class Pinned:
    """A verified household. `is_known` is false when nothing but the store itself vouches for it."""

    household: Household
    is_known: bool

    @property
    def doubt(self) -> str:
        """What to tell a person who meets it for the first time; empty when it is known."""
        if self.is_known:
            return ""
        shown = fingerprint(self.household.root)
        return (
            f"This household is new here: compare its fingerprint with your sheet or another member: {shown}"
        )


def read_pinned(store_root: Path, said: str | None = None, beside: bytes | None = None) -> Pinned:
    """The store's household, checked against what was `said` (digits), stands `beside` a key, and was seen.

    Remembers it. Raises UsageFault for digits that are none, HouseholdError, OSError.
    """
    digits = _digits(said) if said is not None else ""
    first = first_version(store_root)
    if not first.digest.hex().startswith(digits):
        raise AnotherHousehold(
            f"the store's household is another one than --root says: its fingerprint is "
            f"{fingerprint(first.digest)}"
        )
    seen = remembered(first.digest)
    pin = seen if seen and said is None else Pin(first.digest)
    if beside is not None and beside != first.digest:
        pin = Pin(beside)  # what `read_household` refuses in its own words
    try:
        household = read_household(store_root, pin)
    except Replayed as fault:
        hint = f'to look into an old copy all the same, say --root "{fingerprint(first.digest)}"'
        raise Replayed(f"{fault}; {hint}") from None
    if seen is None or _continues(household, seen):
        remember(household.pin)
    return Pinned(household, is_known=bool(said or beside or seen))


def _digits(said: str) -> str:
    try:
        return given_fingerprint(said)
    except HouseholdError as fault:
        raise UsageFault(f"--root: {fault}.") from None


def _continues(household: Household, seen: Pin) -> bool:
    """Whether it is what was seen, or came of it: an old copy or a fork is looked at, and not remembered."""
    versions = household.versions
    return len(versions) >= seen.version and versions[seen.version - 1].digest == seen.digest


def remembered(root: bytes) -> Pin | None:
    """What this user has seen of the household; None for nothing, or nothing that can be read."""
    try:
        noun = json.loads(_file(root).read_bytes())
        return Pin(root, int(noun["version"]), bytes.fromhex(noun["digest"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def remember(pin: Pin) -> None:
    """Keeps the newest version seen. A folder that cannot be written is no reason to stop."""
    before = remembered(pin.root)
    if before is not None and before.version >= pin.version:
        return
    with contextlib.suppress(OSError):
        file = _file(pin.root)
        file.parent.mkdir(0o700, parents=True, exist_ok=True)
        write_replacing(file, json.dumps({"version": pin.version, "digest": pin.digest.hex()}).encode())


def _file(root: bytes) -> Path:
    from platformdirs import user_state_path

    return user_state_path("sealed-nvr", appauthor=False) / f"{root.hex()}.json"
