"""`nvr init`: makes a household and says once, plainly, what to keep."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click

from nvr.asking import PASSPHRASE_FILE, secret_from_file
from nvr.commands.household_options import checked_member
from nvr.invocation import typed_command
from nvr.keyholder.household import HouseholdPlan, make_household, refuse_existing
from nvr.keyholder.passphrase import make_passphrase
from nvr.local_zone import local_zone

DEVICE_BYTES = 16


@click.command()
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--member", metavar="NAME", default="owner", show_default=True, help="Who holds the first key.")
@click.option(
    "--keys-to",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where key file and recovery sheet go; by default ~/sealed-nvr-keys/ and the name of DIR.",
)
@click.option("--post-quantum", is_flag=True, help="Use age's hybrid recipients (larger headers, newer age).")
@click.option(
    "--no-passphrase", is_flag=True, help="Leave the key file unwrapped: whoever has it sees everything."
)
def init(directory: Path, member: str, keys_to: Path | None, post_quantum: bool, no_passphrase: bool) -> None:
    """Make a household in DIR: keys, recovery sheet, store and configuration.

    The key file and the recovery sheet open the footage; nothing else does. They go outside DIR, because DIR
    stands on the recorder. The key file is wrapped by a passphrase made for you and shown once (or taken
    from the file that NVR_PASSPHRASE_FILE names). Nothing is ever overwritten.

    \b
    Examples:
      nvr init /srv/nvr
      nvr init /srv/nvr --member anna --keys-to /media/usb-stick
    """
    directory = directory.expanduser().absolute()
    plan = HouseholdPlan(
        directory=directory,
        keys_directory=(keys_to or _default_keys_directory(directory)).expanduser().absolute(),
        member=checked_member(member),
        device=os.urandom(DEVICE_BYTES),
        now=datetime.now(local_zone()),
        passphrase="" if no_passphrase else secret_from_file(PASSPHRASE_FILE) or make_passphrase(),
        post_quantum=post_quantum,
    )
    refuse_existing(plan)
    _say_what_to_keep(plan, make_household(plan))


def _default_keys_directory(directory: Path) -> Path:
    return Path("~/sealed-nvr-keys") / (directory.name or "home")


def _bold(text: object) -> str:
    return click.style(str(text), bold=True)


def _say_what_to_keep(plan: HouseholdPlan, fingerprint: str) -> None:
    click.echo(f"Your household is made in {plan.directory}.\n")
    click.echo(f"  Key file        {_bold(plan.key_file)}")
    click.echo(f"  Recovery sheet  {_bold(plan.sheet_file)}")
    if plan.passphrase and not os.environ.get(PASSPHRASE_FILE):
        click.echo(f"  Passphrase      {_bold(plan.passphrase)}   (shown only now: write it down)")
    click.echo(f"  Fingerprint     {fingerprint}   (what this household is known by)")
    click.echo(
        "\nOnly these open your footage; nothing on the recorder does, and nobody can make them anew.\n"
        "  1. Print the recovery sheet, keep it where you keep passports, and delete the file.\n"
        "  2. Move the key file to a device of yours other than the recorder."
    )
    if plan.keys_directory.is_relative_to(plan.directory):
        click.echo(
            f"\nThe keys lie inside {plan.directory}: whoever takes that disk can see everything. Move them."
        )
    if not plan.passphrase:
        click.echo("\nThe key file has no passphrase: whoever finds it can see everything.")
    config = ("--config", plan.config_file)
    click.echo("\nNext:")
    click.echo(f"  {typed_command(*config, 'camera', 'add', 'front', 'rtsp://192.168.1.20/stream1')}")
    click.echo(f"  {typed_command(*config, 'run')}")
