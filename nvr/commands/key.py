"""`nvr key`: a member's own key file and recovery sheet."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from nvr.asking import KEY_FILE_PROMPT, NEW_PASSPHRASE_FILE, ask_secret, passphrases, secret_from_file
from nvr.commands.household_options import identity_option, root_option, shown_day, tell_changed, tell_doubt
from nvr.errors import FAULT, UsageFault
from nvr.keyholder.drill import Drilled, drill
from nvr.keyholder.footage import Found
from nvr.keyholder.membership import open_membership
from nvr.keyholder.new_sheet import replace_sheet
from nvr.keyholder.own_key import public_half, rewrap
from nvr.keyholder.passphrase import make_passphrase
from nvr.local_zone import local_zone
from nvr.located import locate
from nvr.times import show
from pipeline.household.fingerprint import fingerprint


@click.group()
def key() -> None:
    """Your own key file: show it, new passphrase, new recovery sheet, drill.

    \b
    Examples:
      nvr key show alice.key
      nvr key drill sheet.txt
    """


@key.command("show")
@click.argument("file")
def show_key(file: str) -> None:
    """Show what others may know of a key file or recovery sheet. Nothing secret is shown.

    \b
    Examples:
      nvr key show alice.key
    """
    half = public_half(file, passphrases(KEY_FILE_PROMPT))
    click.echo(f"Recipient   {half.recipient}")
    click.echo(f"Member key  {half.member_key.hex()}")
    click.echo(f"Household   {fingerprint(half.root) if half.root else 'not written in it'}")


@key.command("change-passphrase")
@click.argument("file", type=click.Path(path_type=Path))
def change_passphrase(file: Path) -> None:
    """Seal a key file with another passphrase. The identity in it stays the same.

    The new passphrase is asked for once the old one fits; an empty answer, or nobody to ask, gets six words,
    shown once. Copies of the file that lie elsewhere keep the old passphrase.

    \b
    Examples:
      nvr key change-passphrase alice.key
    """
    given = secret_from_file(NEW_PASSPHRASE_FILE)
    fresh = rewrap(file, passphrases(KEY_FILE_PROMPT), lambda: given or _asked() or make_passphrase())
    click.echo(f"{file} has a new passphrase.")
    if given is None:
        click.echo(f"Passphrase  {fresh}   (shown only now: write it down)")


@key.command()
@identity_option
@click.option(
    "--keys-to",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the sheet goes: not onto the recorder.",
)
@root_option
@click.pass_obj
def sheet(config: Path | None, identity: str, keys_to: Path, root: str | None) -> None:
    """Make a new recovery sheet, which takes the old one's place.

    Every group gets a new generation. The old sheet still opens what was recorded until now, for whoever has
    copies of it and of the old files in store/keys.

    \b
    Examples:
      nvr key sheet --identity alice.key --keys-to /media/usb-stick
    """
    located = locate(config)
    membership = open_membership(located.store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    household = located.store.root.absolute().parent.name or "home"
    keys = keys_to.expanduser().absolute()
    now = datetime.now(local_zone())
    made = replace_sheet(membership, household, located.store.device, keys, now)
    click.echo(f"Recovery sheet  {made.file}\n")
    click.echo(
        "Print it, keep it where you keep passports, and delete the file. Destroy the old one: it opens\n"
        "nothing that is recorded from now on, but what was recorded until now, for whoever has copies."
    )
    tell_changed(made.changed)


@key.command("drill")
@click.argument("sheet_or_file")
@root_option
@click.pass_context
def drill_key(ctx: click.Context, sheet_or_file: str, root: str | None) -> None:
    """Open one real segment of each group with a key file or sheet, and say until when it reads.

    Exit code 1 when something did not open.

    \b
    Examples:
      nvr key drill sheet.txt
      nvr --store /media/copy/store key drill alice.key
    """
    located = locate(ctx.obj)
    membership = open_membership(located.store.root, sheet_or_file, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    results = drill(located.store, membership)
    for result in results:
        for line in _told(result):
            click.echo(line)
    if any(result.fault for result in results):
        ctx.exit(FAULT)


def _told(result: Drilled) -> list[str]:
    if result.fault:
        return [f"{result.group}: not everything opens. {result.fault}"]
    if result.newest is None:
        return [f"{result.group}: there is no footage yet. {_until(result)}"]
    since = f"It reads from {_shown(result.oldest)} on. " if result.oldest else ""
    return [
        f"{result.group}: opened {result.newest.stream}, {_shown(result.newest)} ({result.newest.path}).",
        f"{result.group}: {since}{_until(result)}",
    ]


def _until(result: Drilled) -> str:
    return f"Prepared until {shown_day(result.prepared_until_ms)}."


def _shown(found: Found) -> str:
    return show(datetime.fromtimestamp(found.start_ms / 1000, UTC), local_zone())


def _asked() -> str:
    """A new passphrase, typed twice; empty when none is wanted, or nobody can be asked."""
    if not sys.stdin.isatty():
        return ""
    first = ask_secret("A new passphrase (nothing: six words are made)", NEW_PASSPHRASE_FILE)
    if first and ask_secret("The same again", NEW_PASSPHRASE_FILE) != first:
        raise UsageFault("The two are not the same; nothing was changed.")
    return first
