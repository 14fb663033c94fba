"""The changes that owners make to a household: a manifest in, the next manifest out. Pure.

Rules:
- Whoever loses a group gets nothing of what is recorded from now on: the group has a new generation at once.
- Every change prepares generations until twelve months ahead, in all groups.
- What cannot be is refused before anything is made, in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from nvr.errors import UsageFault
from nvr.keyholder.generations import (
    Grown,
    MakeIdentity,
    NewGeneration,
    first_generations,
    renewed,
    topped_up,
)
from nvr.keyholder.joining import Newcomer
from pipeline.household.model import Group, Manifest, Member, Role

Used = Mapping[str, AbstractSet[int]]
"""For each group the generations that footage was sealed to, as far as the store tells."""


@dataclass(frozen=True, slots=True)
class Making:
    """What a change needs of the world: the time, how to make an identity, what was sealed to."""

    now_ms: int
    make: MakeIdentity
    used: Used = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """The manifest as it is to be, and the generations made for it."""

    manifest: Manifest
    made: tuple[NewGeneration, ...] = ()


Plan = Callable[[Manifest, Making], Change]


def approved(
    manifest: Manifest,
    making: Making,
    newcomer: Newcomer,
    name: str,
    role: Role | None,
    groups: Sequence[str],
) -> Change:
    """With the newcomer as a member; or, for a member's recipient, with another role or other groups.

    Without `groups`, a viewer gets the default group, or keeps the groups they have. Raises UsageFault.
    """
    before = _member_with(manifest, newcomer.recipient)
    _check_name(manifest, before, name)
    role = role or (before.role if before else Role.VIEWER)
    member_key = newcomer.member_key or (before.member_key if before else b"")
    if role is Role.OWNER and not member_key:
        raise UsageFault(
            "A plain recipient cannot be an owner, since it cannot sign: let them run nvr member join."
        )
    wanted = _groups(manifest, before, role, groups)
    member = Member(name, role, newcomer.recipient, member_key, wanted)
    changed = replace(manifest, members=_sorted(manifest, member))
    if not changed.owners():
        raise UsageFault(f"{name} is the last owner, and a household needs one: approve another owner first.")
    lost = set(before.groups) - set(wanted) if before else set()
    return _with_groups(changed, making, lost)


def removed(manifest: Manifest, making: Making, name: str) -> Change:
    """Without that member. Raises UsageFault for one that is none, and for the last owner."""
    member = manifest.member(name)
    if member is None:
        known = ", ".join(one.name for one in manifest.members)
        raise UsageFault(f'There is no member "{name}". Members: {known}.')
    rest = replace(manifest, members=tuple(one for one in manifest.members if one != member))
    if not rest.owners():
        raise UsageFault(f"{name} is the last owner, and a household needs one: approve another owner first.")
    return _with_groups(rest, making, set(member.groups))


def replaced(manifest: Manifest, making: Making, names: AbstractSet[str], newcomer: Member) -> Change:
    """With `newcomer`, an owner, in the place of these members; every group has a new generation."""
    rest = tuple(one for one in manifest.members if one.name not in names)
    changed = replace(manifest, members=_sorted(replace(manifest, members=rest), newcomer))
    return _with_groups(changed, making, {group.name for group in manifest.groups})


def rotated(manifest: Manifest, making: Making, name: str) -> Change:
    """With a new generation from now on in that group. Raises UsageFault."""
    _known_groups(manifest, [name])
    return _with_groups(manifest, making, {name})


def with_group(manifest: Manifest, making: Making, name: str, cameras: Sequence[str]) -> Change:
    """With that group, made if there is none, and those cameras in it. Owners are in every group.

    Raises UsageFault when nothing would change.
    """
    moved = set(cameras)
    group = manifest.group(name)
    if group is not None and moved <= set(group.cameras):
        raise UsageFault(f'There is a group "{name}" already, and it has these cameras; nothing to do.')
    grown = first_generations(name, (), making.now_ms, making.make) if group is None else Grown(group)
    all_groups = [one for one in manifest.groups if one.name != name] + [grown.group]
    members = tuple(
        replace(one, groups=tuple(sorted({*one.groups, name}))) if one.role is Role.OWNER else one
        for one in manifest.members
    )
    groups = (_moved(one, moved, one.name == name) for one in all_groups)
    changed = replace(manifest, members=members, groups=tuple(sorted(groups, key=lambda one: one.name)))
    rest = _with_groups(changed, making, set())
    return replace(rest, made=grown.made + rest.made)


def kept_ahead(manifest: Manifest, making: Making) -> Change:
    """With generations prepared until twelve months ahead; the same manifest where they are."""
    return _with_groups(manifest, making, set())


def _with_groups(manifest: Manifest, making: Making, renew: AbstractSet[str]) -> Change:
    """Those groups with a new generation from now on, the others topped up."""
    grown = [
        (renewed if group.name in renew else topped_up)(
            group, making.now_ms, making.used.get(group.name, frozenset()), making.make
        )
        for group in manifest.groups
    ]
    made = tuple(new for one in grown for new in one.made)
    return Change(replace(manifest, groups=tuple(one.group for one in grown)), made)


def _moved(group: Group, cameras: AbstractSet[str], here: bool) -> Group:
    kept = set(group.cameras) | cameras if here else set(group.cameras) - cameras
    return replace(group, cameras=tuple(sorted(kept)))


def _sorted(manifest: Manifest, member: Member) -> tuple[Member, ...]:
    others = [one for one in manifest.members if one.name != member.name]
    return tuple(sorted([*others, member], key=lambda one: one.name))


def _member_with(manifest: Manifest, recipient: str) -> Member | None:
    return next((one for one in manifest.members if one.recipient == recipient), None)


def _check_name(manifest: Manifest, before: Member | None, name: str) -> None:
    holder = manifest.member(name)
    if before is not None and before.name != name:
        raise UsageFault(f"This is {before.name}'s recipient already: say --name {before.name}.")
    if holder is not None and holder is not before:
        raise UsageFault(
            f'There is a member "{name}" with another key: choose another name, or remove that member first.'
        )


def _groups(manifest: Manifest, before: Member | None, role: Role, groups: Sequence[str]) -> tuple[str, ...]:
    _known_groups(manifest, groups)
    if role is Role.OWNER:
        return tuple(group.name for group in manifest.groups)
    if before is not None and not groups and before.role is Role.VIEWER:
        return before.groups
    return tuple(sorted(set(groups))) or (manifest.default_group,)


def _known_groups(manifest: Manifest, groups: Sequence[str]) -> None:
    for name in groups:
        if manifest.group(name) is None:
            known = ", ".join(group.name for group in manifest.groups)
            raise UsageFault(f'There is no group "{name}". Groups: {known}.')
