"""What each version of a manifest keeps by itself, whatever came before it. Pure.

- Names are names, stand in order, and none stands twice; no recipient and no member key stands twice.
- All recipients are of the one kind that `post_quantum` says.
- There is an owner. Owners have a member key and are in every group; each viewer is in one at least.
- Each group has a generation; numbers ascend, and later numbers begin no earlier.
- A camera is in one group at most; the default group, for all other cameras, is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from crypto.errors import BadRecipient
from crypto.recipient import parse_recipient
from pipeline.household.errors import NotAllowed
from pipeline.household.model import Group, Manifest, Member, Role
from pipeline.key_names import group_name, member_name
from pipeline.names import NotAName, camera_name


def check_rules(manifest: Manifest) -> None:
    """Returns if the manifest keeps the rules above. Raises NotAllowed, with the first that is broken."""
    if (manifest.version == 1) is not (manifest.previous == b""):
        raise NotAllowed("only version 1 comes after none")
    _in_order("members", [one.name for one in manifest.members])
    _in_order("groups", [one.name for one in manifest.groups])
    _in_order("devices", [(one.device, one.from_ms, one.day_key) for one in manifest.devices])
    _named(member_name, manifest.signed_by)
    for group in manifest.groups:
        _check_group(group)
    for member in manifest.members:
        _check_member(manifest, member)
    _check_across(manifest)
    _check_recipients(manifest)


def _check_group(group: Group) -> None:
    _named(group_name, group.name)
    _in_order(f"cameras of {group.name}", group.cameras)
    for camera in group.cameras:
        _named(camera_name, camera)
    _in_order(f"generations of {group.name}", [one.number for one in group.generations])
    times = [one.from_ms for one in group.generations]
    if not times:
        raise NotAllowed(f"the group {group.name} has no generation")
    if times != sorted(times):
        raise NotAllowed(f"a later generation of {group.name} begins before an earlier one")


def _check_member(manifest: Manifest, member: Member) -> None:
    _named(member_name, member.name)
    _in_order(f"groups of {member.name}", member.groups)
    if unknown := [name for name in member.groups if manifest.group(name) is None]:
        raise NotAllowed(f"{member.name} is in the group {unknown[0][:40]!r}, which there is not")
    if not member.groups:
        raise NotAllowed(f"{member.name} is in no group")
    if member.role is Role.OWNER and not member.member_key:
        raise NotAllowed(f"{member.name} is an owner without a member key")
    if member.role is Role.OWNER and len(member.groups) != len(manifest.groups):
        raise NotAllowed(f"{member.name} is an owner and not in every group")


def _check_across(manifest: Manifest) -> None:
    if not manifest.owners():
        raise NotAllowed("the household has no owner")
    if manifest.group(manifest.default_group) is None:
        raise NotAllowed(f"the default group {manifest.default_group[:40]!r} is none of the groups")
    _once("camera", (camera for group in manifest.groups for camera in group.cameras))
    _once("member key", (one.member_key.hex() for one in manifest.members if one.member_key))
    _once("day key", (one.day_key.hex() for one in manifest.devices))


def _check_recipients(manifest: Manifest) -> None:
    generations = (one.recipient for group in manifest.groups for one in group.generations)
    recipients = [*(one.recipient for one in manifest.members), *generations]
    _once("recipient", recipients)
    for recipient in recipients:
        if _is_post_quantum(recipient) is not manifest.post_quantum:
            kind = "classic" if manifest.post_quantum else "post-quantum"
            raise NotAllowed(
                f"classic and post-quantum recipients are never mixed, and {recipient[:16]}… is {kind}"
            )


@lru_cache(maxsize=4096)
def _is_post_quantum(text: str) -> bool:
    """Of a recipient in its one spelling. Raises NotAllowed."""
    try:
        recipient = parse_recipient(text)
    except BadRecipient:
        raise NotAllowed("a recipient is none that can be sealed to") from None
    if str(recipient) != text:
        raise NotAllowed(f"the recipient {text.strip()[:16]}… is not in its one spelling")
    return recipient.post_quantum


def _named(check: Callable[[str], str], name: str) -> None:
    try:
        check(name)
    except NotAName as fault:
        raise NotAllowed(str(fault)) from None


def _in_order(what: str, values: Sequence[Any]) -> None:
    if list(values) != sorted(set(values)):
        raise NotAllowed(f"the {what} are out of order, or one stands there twice")


def _once(what: str, values: Iterable[str]) -> None:
    found = list(values)
    if len(set(found)) != len(found):
        twice = next(one for one in found if found.count(one) > 1)
        raise NotAllowed(f"the {what} {twice[:40]} stands there twice")
