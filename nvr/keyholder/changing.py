"""A change becomes part of the household: the one place where its files are written. Blocks.

    1. alone (a lock), look whether the household is still the one that was read
    2. plan, sign, and check the next version, before anything is written
    3. write the wrapped identities, made durable by one syncfs
    4. write the version: from here on it counts
    5. remove what has no place in it any more

A crash before 4 leaves files that nobody is promised, one after it files that nobody needs: the next change
removes both. No footage is touched.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from crypto.header import RandomBytes
from crypto.identity import Identity
from crypto.member_key import member_key
from crypto.signing import sign
from nvr.errors import NvrError
from nvr.keyholder.changes import Change, Making, Plan, kept_ahead
from nvr.keyholder.key_file import make_identity
from nvr.keyholder.membership import Membership
from nvr.keyholder.opening import Opening
from nvr.keyholder.wrapped_files import (
    Wrapping,
    changing_alone,
    give_to_owner,
    sweep,
    used_generations,
    wrapped_file,
    write_wrapped,
)
from nvr.pinning import remember, remembered
from pipeline.household.document import SignedManifest, to_noun
from pipeline.household.errors import ChangedMeanwhile, HouseholdError
from pipeline.household.files import Household, read_household, write_version
from pipeline.household.model import Manifest, Member
from pipeline.household.succession import PURPOSE, check_next
from pipeline.key_names import manifest_path


@dataclass(frozen=True, slots=True)
class Changed:
    """The household after it. `made` counts new generations; `faults` say what could not be passed on."""

    household: Household
    made: int
    faults: tuple[str, ...] = ()


def change_household(
    membership: Membership, plan: Plan, now_ms: int, random: RandomBytes = os.urandom
) -> Changed:
    """Does what `plan` says, signed by the owner. Nothing is written where nothing changes.

    Raises NvrError for who is no owner or was not alone, HouseholdError for what breaks a rule, OSError.
    """
    owner, identity = membership.owner()
    root = membership.store_root
    with changing_alone(root):
        household = _unchanged(membership)
        before = household.newest
        making = Making(
            now_ms,
            lambda: make_identity(random, post_quantum=before.manifest.post_quantum),
            used_generations(root, before.manifest),
        )
        change = plan(before.manifest, making)
        if change.manifest == before.manifest:
            return Changed(household, 0)
        signed = _signed(before, change.manifest, owner, identity, now_ms)
        check_next(before, signed)
        _write(root, before.manifest, signed, change, membership.opening, random)
    after = Household((*household.versions, signed))
    remember(after.pin)
    return Changed(after, len(change.made), _not_passed_on(before.manifest, signed.manifest, membership))


def prepare_ahead(membership: Membership, now_ms: int, random: RandomBytes = os.urandom) -> Changed:
    """Prepares generations until twelve months ahead. Raises as `change_household`."""
    return change_household(membership, kept_ahead, now_ms, random)


def prepare_quietly(membership: Membership, now_ms: int) -> None:
    """The same in passing, for an owner who may write here; else nothing."""
    if membership.is_owner:
        with contextlib.suppress(OSError, NvrError, HouseholdError):
            prepare_ahead(membership, now_ms)


def _unchanged(membership: Membership) -> Household:
    household = read_household(membership.store_root, remembered(membership.household.root))
    if household.newest.digest != membership.household.newest.digest:
        raise ChangedMeanwhile("somebody else changed the household just now; run it again")
    return household


def _signed(
    before: SignedManifest, manifest: Manifest, owner: Member, identity: Identity, now_ms: int
) -> SignedManifest:
    manifest = replace(
        manifest,
        version=before.manifest.version + 1,
        previous=before.digest,
        made_ms=now_ms,
        signed_by=owner.name,
    )
    return SignedManifest(manifest, sign(PURPOSE, to_noun(manifest), member_key(identity)))


def _write(
    root: Path,
    before: Manifest,
    signed: SignedManifest,
    change: Change,
    opening: Opening,
    random: RandomBytes,
) -> None:
    made = {(one.group, one.number) for one in change.made}
    try:
        wrappings = _wrappings(root, before, change, opening)
        write_wrapped(root, wrappings, made, random)
        write_version(root, signed)
    except BaseException:
        sweep(root, read_household(root).manifest)
        raise
    give_to_owner(root, root / manifest_path(signed.manifest.version))
    sweep(root, signed.manifest)


def _wrappings(root: Path, before: Manifest, change: Change, opening: Opening) -> list[Wrapping]:
    """What is new for somebody: new generations, old ones for a newcomer, and files that were lost."""
    made = {(one.group, one.number): one.identity for one in change.made}
    wrappings = []
    for group in change.manifest.groups:
        members = change.manifest.members_of(group.name)
        for generation in group.generations:
            which = (group.name, generation.number)
            identity = made.get(which) or opening.identity(*which)
            if identity is not None:
                wrappings += [
                    Wrapping(*which, member.name, member.recipient, identity)
                    for member in members
                    if which in made or _lacks(root, before, *which, member)
                ]
    return wrappings


def _lacks(root: Path, before: Manifest, group: str, number: int, member: Member) -> bool:
    """Whether a member has no file of that generation, or only one that a crash may have left."""
    had = before.member(member.name)
    if had is None or had.recipient != member.recipient or group not in had.groups:
        return True
    return not wrapped_file(root, group, number, member.name).exists()


def _not_passed_on(before: Manifest, after: Manifest, membership: Membership) -> tuple[str, ...]:
    """What a newcomer does not get, since the owner could not open it."""
    has_newcomer = any(
        set(member.groups) - set(had.groups if (had := before.member(member.name)) else ())
        for member in after.members
    )
    return membership.opening.faults if has_newcomer else ()
