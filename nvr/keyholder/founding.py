"""The first version of a household: two owners, one group, a year of generations. Pure.

The first member and the recovery sheet are owners both, so that either alone can go on from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from crypto.identity import Identity
from crypto.member_key import member_key, member_public
from crypto.signing import sign
from nvr.keyholder.generations import MakeIdentity, NewGeneration, first_generations
from nvr.keyholder.wrapped_files import Wrapping
from pipeline.household.document import SignedManifest, to_noun
from pipeline.household.model import Device, Manifest, Member, Role
from pipeline.household.succession import PURPOSE, check_first

GROUP = "home"
SHEET_MEMBER = "recovery-sheet"


@dataclass(frozen=True, slots=True)
class Founders:
    """The first member, who signs, and the recovery sheet."""

    name: str
    identity: Identity = field(repr=False)
    sheet: Identity = field(repr=False)


@dataclass(frozen=True, slots=True)
class Founded:
    """Version 1, and the generations with the identities that open them."""

    signed: SignedManifest
    made: tuple[NewGeneration, ...]

    @property
    def root(self) -> bytes:
        """What the household is known by."""
        return self.signed.digest

    @property
    def wrappings(self) -> tuple[Wrapping, ...]:
        """Each generation's identity for each of the two."""
        members = self.signed.manifest.members
        return tuple(
            Wrapping(one.group, one.number, member.name, member.recipient, one.identity)
            for one in self.made
            for member in members
        )


def found(founders: Founders, device: bytes, day_key: bytes, now: datetime, make: MakeIdentity) -> Founded:
    """A household whose store is `device`, with its first day key (public). Raises NotAllowed."""
    now_ms = round(now.timestamp() * 1000)
    grown = first_generations(GROUP, (), now_ms, make)
    people = ((founders.name, founders.identity), (SHEET_MEMBER, founders.sheet))
    manifest = Manifest(
        version=1,
        previous=b"",
        made_ms=now_ms,
        signed_by=founders.name,
        post_quantum=str(founders.identity.recipient).startswith("age1pq1"),
        default_group=GROUP,
        members=tuple(sorted((_owner(*one) for one in people), key=lambda one: one.name)),
        groups=(grown.group,),
        devices=(Device(device, day_key, now_ms),),
    )
    signed = SignedManifest(manifest, sign(PURPOSE, to_noun(manifest), member_key(founders.identity)))
    check_first(signed)
    return Founded(signed, grown.made)


def _owner(name: str, identity: Identity) -> Member:
    return Member(name, Role.OWNER, str(identity.recipient), member_public(identity), (GROUP,))
