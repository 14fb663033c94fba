"""Which manifest is a household's first, and which may follow which. Pure.

Rules of each version: see `check_rules`. A version follows another if
- it names the other's digest, and is its number plus one;
- it is signed by an owner of the other, with the member key that stands there;
- groups stay, and so do devices; a generation that stays is unchanged;
- new generations come above their group's highest, which goes only when a higher one comes: no number is ever
  used twice;
- classic and post-quantum households do not become each other.
`made_ms` is not looked at: clocks are wrong.
"""

from __future__ import annotations

from crypto.errors import BadSignature
from pipeline.household.document import SignedManifest
from pipeline.household.errors import ManifestMissing, NotAllowed, NotSignedByOwner
from pipeline.household.model import Group, Manifest, Role
from pipeline.household.rules import check_rules

PURPOSE = "manifest"


def check_first(first: SignedManifest) -> None:
    """Returns if it can be the first version of a household: signed by an owner in itself.

    Raises ManifestMissing, NotAllowed, NotSignedByOwner.
    """
    if first.manifest.version != 1:
        raise ManifestMissing(f"it is version {first.manifest.version}, and version 1 is missing")
    check_rules(first.manifest)
    _check_signed(first, first.manifest)


def check_next(before: SignedManifest, after: SignedManifest) -> None:
    """Returns if `after` may follow `before`, which has been checked. Raises as `check_first`."""
    old, new = before.manifest, after.manifest
    if new.version != old.version + 1:
        raise ManifestMissing(f"version {old.version + 1} is missing: version {new.version} stands there")
    _check_signed(after, old)
    if new.previous != before.digest:
        raise NotAllowed(f"version {new.version} was not made from the version {old.version} that is here")
    check_rules(new)
    _check_kept(old, new)


def _check_signed(signed: SignedManifest, by_owner_in: Manifest) -> None:
    new = signed.manifest
    signer = by_owner_in.member(new.signed_by)
    what = f"version {new.version} of the household"
    if signer is None:
        raise NotSignedByOwner(f"{what} is signed by {_quoted(new.signed_by)}, who was no member before it")
    if signer.role is not Role.OWNER:
        raise NotSignedByOwner(f"{what} is signed by {signer.name}, a viewer: only owners may change it")
    try:
        signed.line.check(PURPOSE, signer.member_key)
    except BadSignature:
        raise NotSignedByOwner(
            f"{what} does not bear {signer.name}'s signature: it was changed without an owner"
        ) from None


def _check_kept(old: Manifest, new: Manifest) -> None:
    if new.post_quantum is not old.post_quantum:
        raise NotAllowed("classic and post-quantum recipients are never mixed: make a new household")
    if gone := [one.name for one in old.groups if new.group(one.name) is None]:
        raise NotAllowed(f"the group {gone[0]} is gone, and groups stay")
    if not set(old.devices) <= set(new.devices):
        raise NotAllowed("a device is gone, and the proof of what it recorded hangs by it")
    for group in new.groups:
        _check_generations(old, group)


def _check_generations(old: Manifest, after: Group) -> None:
    before = old.group(after.name)
    highest = before.newest.number if before else 0
    if after.newest.number < highest:
        raise NotAllowed(f"generation {highest} of {after.name} is gone, and no later one came")
    for generation in after.generations:
        if before and generation.number <= highest:
            if before.generation(generation.number) != generation:
                raise NotAllowed(f"generation {generation.number} of {after.name} is not what it was before")
        elif generation.recipient in _recipients(old):
            raise NotAllowed(f"generation {generation.number} of {after.name} has a recipient used before")


def _recipients(manifest: Manifest) -> frozenset[str]:
    generations = (one.recipient for group in manifest.groups for one in group.generations)
    return frozenset((*generations, *(member.recipient for member in manifest.members)))


def _quoted(name: str) -> str:
    return repr(name[:40])
