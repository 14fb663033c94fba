"""A person's key before a household: who they are in it, and what they open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from crypto.identity import Identity
from nvr.errors import NothingOpened, NvrError
from nvr.keyholder.given import Holder, holder_of
from nvr.keyholder.opening import Opening, member_among, open_generations
from nvr.pinning import read_pinned
from pipeline.household.errors import AnotherHousehold
from pipeline.household.files import Household
from pipeline.household.model import Member, Role


@dataclass(frozen=True, slots=True)
class Membership:
    """A verified household and the key of somebody who opens something of it.

    `doubt` is a sentence to show when only the store itself vouches for the household.
    """

    store_root: Path
    household: Household
    holder: Holder = field(repr=False)
    opening: Opening
    doubt: str = ""

    @property
    def is_owner(self) -> bool:
        """Whether they may change the household."""
        return self.opening.member is not None and self.opening.member.role is Role.OWNER

    def owner(self) -> tuple[Member, Identity]:
        """The owner and the identity that signs. Raises NvrError for anybody else."""
        member, identity = member_among(self.household.manifest, self.holder.identities)
        if member is None or identity is None:
            raise NvrError("This key is no member's, so it may not change the household.")
        if member.role is not Role.OWNER:
            raise NvrError(f"{member.name} is a viewer: only owners may change the household.")
        return member, identity


def open_membership(
    store_root: Path, given: str, passphrases: Iterable[str], root: str | None = None
) -> Membership:
    """What the key that a person gave opens of the store's household; `root` is the fingerprint they said.

    Raises HouseholdError, and as `holder_of` and `open_generations` do.
    """
    holder = holder_of(given, passphrases)
    try:
        pinned = read_pinned(store_root, root, holder.root)
    except AnotherHousehold as fault:
        raise NothingOpened(f"This key is not for this store: {fault}.") from None
    opening = open_generations(store_root, pinned.household.manifest, holder.identities)
    return Membership(store_root, pinned.household, holder, opening, pinned.doubt)
