"""What needs a member's key for the chains: countersigning a head, confirming a device's day keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crypto.member_key import member_key
from crypto.signing import SignedLine, sign
from nvr.errors import NvrError
from nvr.keyholder.changes import Change, Making, kept_ahead
from nvr.keyholder.membership import Membership
from nvr.keyholder.opening import member_among
from pipeline.chain.heads import PURPOSE, Heads
from pipeline.household.model import Device, Manifest


@dataclass(frozen=True, slots=True)
class Countersigned:
    """A head under a member's signature."""

    heads: Heads
    line: SignedLine


def countersign(membership: Membership, heads: Heads) -> Countersigned:
    """The head, signed by the member whose key it is. Raises NvrError for who is none."""
    member, identity = member_among(membership.household.manifest, membership.holder.identities)
    if member is None or identity is None:
        raise NvrError("This key is no member's, so nobody could check what it signs.")
    mine = replace(heads, by=member.name)
    return Countersigned(mine, sign(PURPOSE, mine.noun, member_key(identity)))


def with_devices(manifest: Manifest, making: Making, devices: Sequence[Device]) -> Change:
    """With these beginnings of series of day keys confirmed."""
    known = {(one.device, one.day_key) for one in manifest.devices}
    new = [one for one in devices if (one.device, one.day_key) not in known]
    both = sorted([*manifest.devices, *new], key=lambda one: (one.device, one.from_ms, one.day_key))
    return kept_ahead(replace(manifest, devices=tuple(both)), making)
