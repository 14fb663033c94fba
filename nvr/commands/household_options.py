"""What the commands of a household have in common: options, and what is said of a household met first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from nvr.keyholder.membership import Membership

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
