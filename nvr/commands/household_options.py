"""What the commands of a household have in common: options, and what is said of a household met first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from nvr.errors import UsageFault
from nvr.keyholder.changing import Changed
from nvr.keyholder.founding import SHEET_MEMBER
from nvr.keyholder.membership import Membership
from nvr.local_zone import local_zone
from nvr.located import Located
from nvr.pinning import Pinned, read_pinned
from pipeline.household.choosing import prepared_until_ms
from pipeline.household.errors import HouseholdError
from pipeline.household.remembered import recall
from pipeline.key_names import member_name
from pipeline.names import NotAName

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

identity_option: Option = click.option(
    "--identity",
    required=True,
    metavar="FILE",
    help="Your key file, or the recovery sheet (HTML or its text).",
)
root_option: Option = click.option(
    "--root", metavar="FINGERPRINT", help="The household that is meant: 32 to 64 digits."
)


def tell_doubt(membership: Membership) -> None:
    """Says so when nothing but the store itself vouches for the household."""
    if membership.doubt:
        click.echo(membership.doubt, err=True)


def read_known(located: Located, root: str | None) -> Pinned:
    """The household, for who gives no key: the recorder's own memory vouches for it where there is one."""
    try:
        own = recall(located.loaded.state_dir)
    except (HouseholdError, OSError):
        own = None
    pinned = read_pinned(located.store.root, root, own.root if own else None)
    if pinned.doubt:
        click.echo(pinned.doubt, err=True)
    return pinned


def tell_changed(changed: Changed) -> None:
    """Until when generations are prepared, and what could not be passed on."""
    until_ms = min(prepared_until_ms(group) for group in changed.household.manifest.groups)
    click.echo(f"Version {changed.household.manifest.version}; prepared until {shown_day(until_ms)}.")
    for fault in changed.faults:
        click.echo(f"Not passed on: {fault}", err=True)


def shown_day(at_ms: int) -> str:
    """A day, local."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(local_zone()):%Y-%m-%d}"


def checked_member(name: str) -> str:
    """The name, if a member can be called so. Raises UsageFault."""
    try:
        member_name(name)
    except NotAName as fault:
        raise UsageFault(f"{fault}.") from None
    if name.startswith(SHEET_MEMBER):
        raise UsageFault(f'"{name}" is what a recovery sheet is called; choose another name.')
    return name
