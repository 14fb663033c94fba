"""A new recovery sheet takes the old one's place.

Rules:
- The sheet is written and read back before the household changes, and opens everything that is there before
  the command says so; a failure takes the file back.
- The old sheet opens nothing of what is recorded from now on. What was recorded until now it can still open
  for whoever has copies: paper cannot be called back.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from crypto.header import RandomBytes
from crypto.identity import Identity
from crypto.member_key import member_public
from nvr.errors import NvrError, UsageFault
from nvr.keyholder.changes import replaced
from nvr.keyholder.changing import Changed, change_household
from nvr.keyholder.founding import SHEET_MEMBER
from nvr.keyholder.given import holder_of
from nvr.keyholder.key_file import make_identity
from nvr.keyholder.membership import Membership
from nvr.keyholder.new_files import taken_back_on_failure
from nvr.keyholder.opening import open_generations
from nvr.keyholder.recovery_sheet import SHEET_FILE, SheetFacts, sheet_html
from pipeline.household.model import Manifest, Member, Role


@dataclass(frozen=True, slots=True)
class NewSheet:
    """The sheet's file, what it is called as a member, and the household with it."""

    file: Path
    member: str
    changed: Changed


def replace_sheet(
    membership: Membership,
    household: str,
    device: bytes,
    keys_directory: Path,
    now: datetime,
    random: RandomBytes = os.urandom,
) -> NewSheet:
    """Makes it in `keys_directory`. `now` is local. Raises as `change_household`, `UsageFault`."""
    membership.owner()
    file = keys_directory / SHEET_FILE
    if file.exists():
        raise UsageFault(
            f"{file} exists already, and keys are never overwritten. Say --keys-to another folder."
        )
    manifest = membership.household.manifest
    identity = make_identity(random, post_quantum=manifest.post_quantum)
    member = _as_member(manifest, identity)
    facts = SheetFacts(
        identity_text=str(identity),
        recipient_text=member.recipient,
        household=household,
        device=device.hex(),
        made=now,
        member=member.name,
        root=membership.household.root,
    )
    with taken_back_on_failure() as made:
        made.folder(keys_directory)
        made.file(file, sheet_html(facts))
        if [str(one) for one in holder_of(str(file), []).identities] != [str(identity)]:
            raise NvrError(f"{file} does not read back; the disk may be failing. Nothing was changed.")
        plan = partial(replaced, names=sheet_members(manifest), newcomer=member)
        changed = change_household(membership, plan, round(now.timestamp() * 1000), random)
    opened = open_generations(membership.store_root, changed.household.manifest, [identity])
    faults = (*changed.faults, *opened.faults)
    return NewSheet(file, member.name, Changed(changed.household, changed.made, tuple(dict.fromkeys(faults))))


def sheet_members(manifest: Manifest) -> frozenset[str]:
    """The members that are recovery sheets."""
    return frozenset(one.name for one in manifest.members if one.name.startswith(SHEET_MEMBER))


def _as_member(manifest: Manifest, identity: Identity) -> Member:
    """A name of its own: the old sheet's files stay as they are until the new one counts."""
    names = itertools.chain([SHEET_MEMBER], (f"{SHEET_MEMBER}-{number}" for number in itertools.count(2)))
    name = next(name for name in names if manifest.member(name) is None)
    groups = tuple(group.name for group in manifest.groups)
    return Member(name, Role.OWNER, str(identity.recipient), member_public(identity), groups)
