"""`nvr member`: who is in the household, who comes, who goes. Files or QR codes carry it."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from nvr.asking import KEY_FILE_PROMPT, PASSPHRASE_FILE, passphrases, secret_from_file
from nvr.commands.handing_over import hand_out, refuse_taken, text_of
from nvr.commands.household_options import (
    checked_member,
    identity_option,
    read_known,
    root_option,
    tell_changed,
    tell_doubt,
)
from nvr.keyholder.changes import approved, removed
from nvr.keyholder.changing import change_household
from nvr.keyholder.joining import INVITATION, REQUEST, Invitation, Newcomer, newcomer
from nvr.keyholder.membership import open_membership
from nvr.keyholder.newcomer_key import JoinPlan, join
from nvr.keyholder.passphrase import make_passphrase
from nvr.local_zone import local_zone
from nvr.located import locate
from pipeline.household.errors import AnotherHousehold
from pipeline.household.fingerprint import fingerprint
from pipeline.household.model import Member, Role


@click.group()
def member() -> None:
    """List, invite, approve and remove members; join.

    \b
    Examples:
      nvr member invite -o invitation.txt
      nvr member join invitation.txt --keys-to ~/keys --name bob -o request.txt
      nvr member approve request.txt --name bob --identity alice.key
    """


@member.command("list")
@root_option
@click.pass_obj
def list_members(config: Path | None, root: str | None) -> None:
    """List the members, what they may do, and which groups they open.

    \b
    Examples:
      nvr member list
      nvr --store /media/disk/store member list
    """
    pinned = read_known(locate(config), root)
    manifest = pinned.household.manifest
    width = max(len(one.name) for one in manifest.members)
    for one in manifest.members:
        click.echo(f"{one.name:{width}}  {one.role:6}  {', '.join(one.groups)}{_remark(one)}")
    click.echo(f"Household {fingerprint(pinned.household.root)}, version {manifest.version}.")


def _remark(one: Member) -> str:
    return "" if one.member_key else "  (a plain recipient: opens footage, signs nothing)"


@member.command()
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write it there; .png or .svg: its QR code.",
)
@root_option
@click.pass_obj
def invite(config: Path | None, output: Path | None, root: str | None) -> None:
    """Make an invitation: a line of text that says which household to join. It is no secret.

    \b
    Examples:
      nvr member invite
      nvr member invite -o invitation.txt
    """
    household = read_known(locate(config), root).household
    text = str(Invitation(household.root, household.manifest.post_quantum))
    hand_out(text, output)
    click.echo(f"Household {fingerprint(household.root)}: the newcomer's nvr member join must show the same.")


@member.command("join")
@click.argument("invitation")
@click.option(
    "--keys-to",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where your key file goes.",
)
@click.option(
    "--name", default="member", show_default=True, metavar="NAME", help="What the key file is called."
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the request there; .png or .svg: its QR code.",
)
@click.option("--no-passphrase", is_flag=True, help="Leave the key file unwrapped.")
def join_household(
    invitation: str, keys_to: Path, name: str, output: Path | None, no_passphrase: bool
) -> None:
    """Make a key of your own, and a request that an owner approves. Needs neither store nor network.

    INVITATION is the text that begins with nvr-invite1, or a file with it. The key file stays with you.

    \b
    Examples:
      nvr member join nvr-invite1… --keys-to ~/keys --name bob
      nvr member join invitation.txt --keys-to ~/keys --name bob -o request.txt
    """
    asked = Invitation.parse(text_of(invitation, INVITATION))
    refuse_taken(output)
    passphrase = "" if no_passphrase else secret_from_file(PASSPHRASE_FILE) or make_passphrase()
    keys = keys_to.expanduser().absolute()
    plan = JoinPlan(asked, keys, checked_member(name), datetime.now(local_zone()), passphrase)
    request = join(plan)
    click.echo(f"Key file      {plan.key_file}")
    if passphrase and secret_from_file(PASSPHRASE_FILE) is None:
        click.echo(f"Passphrase    {passphrase}   (shown only now: write it down)")
    click.echo(f"Household     {fingerprint(asked.root)}   (the owner who invited you sees the same)")
    click.echo(f"Your request  {request.fingerprint}   (the owner who approves you must see the same)")
    it = "this" if output is None else str(output)
    click.echo(f"\nGive {it} to an owner, who approves it; it is no secret{':' if output is None else '.'}\n")
    hand_out(str(request), output)


@member.command()
@click.argument("request")
@click.option("--name", required=True, metavar="NAME", help="What the member is called from now on.")
@click.option(
    "--role", type=click.Choice([str(role) for role in Role]), help="By default viewer, or as before."
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="G",
    help="What a viewer may open; by default the default group.",
)
@click.option("--yes", is_flag=True, help="Do not ask whether the fingerprint is the newcomer's.")
@identity_option
@root_option
@click.pass_obj
def approve(
    config: Path | None,
    request: str,
    name: str,
    role: str | None,
    groups: tuple[str, ...],
    yes: bool,
    identity: str,
    root: str | None,
) -> None:
    """Let somebody in, or change what a member may do: the newcomer opens what is there and what comes.

    REQUEST is the text that begins with nvr-join1, or a file with it, or a plain age recipient (age1…), which
    can open footage and sign nothing. At a terminal, it asks whether the newcomer sees the same fingerprint.

    \b
    Examples:
      nvr member approve request.txt --name bob --group outdoor --identity alice.key
      nvr member approve nvr-join1… --name carol --role owner --identity alice.key
    """
    checked_member(name)
    asked = newcomer(text_of(request, REQUEST, "age1"))
    membership = open_membership(locate(config).store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    _check_same(asked, membership.household.root)
    _confirm(asked, yes)
    role_given = Role(role) if role else None
    plan = partial(approved, newcomer=asked, name=name, role=role_given, groups=groups)
    changed = change_household(membership, plan, time.time_ns() // 1_000_000)
    now = changed.household.manifest.member(name)
    if now is not None:
        click.echo(f"{name} is {_a(now.role)} and opens {', '.join(now.groups)}.")
    tell_changed(changed)


def _confirm(asked: Newcomer, yes: bool) -> None:
    """Who exchanges the request on its way would be let in; what they have opened nobody can take back."""
    shown = asked.fingerprint if asked.member_key else asked.recipient
    click.echo(f"This request is {shown}")
    if not yes and sys.stdin.isatty():
        click.confirm("Does the newcomer see the same?", abort=True)


@member.command()
@click.argument("name")
@identity_option
@root_option
@click.pass_obj
def remove(config: Path | None, name: str, identity: str, root: str | None) -> None:
    """Take a member out: what is recorded from now on is not for them.

    What they could open until now they can open as long as they have copies of it, and of the files in
    store/keys that were theirs. No footage is touched.

    \b
    Examples:
      nvr member remove bob --identity alice.key
    """
    membership = open_membership(locate(config).store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    changed = change_household(membership, partial(removed, name=name), time.time_ns() // 1_000_000)
    click.echo(
        f"{name} opens nothing that is recorded from now on; what they have copied, they can still open."
    )
    tell_changed(changed)


def _a(role: Role) -> str:
    return f"an {role}" if role is Role.OWNER else f"a {role}"


def _check_same(asked: Newcomer, root: bytes) -> None:
    if asked.root is not None and asked.root != root:
        raise AnotherHousehold(
            f"the request is for another household ({fingerprint(asked.root)}) than this one "
            f"({fingerprint(root)}): invite them again from here"
        )
