"""`nvr group`: which cameras are sealed alike, and to which generation."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import click

from nvr.asking import KEY_FILE_PROMPT, passphrases
from nvr.commands.household_options import (
    identity_option,
    read_known,
    root_option,
    shown_day,
    tell_changed,
    tell_doubt,
)
from nvr.errors import UsageFault
from nvr.keyholder.changes import rotated, with_group
from nvr.keyholder.changing import change_household, prepare_ahead
from nvr.keyholder.membership import open_membership
from nvr.located import Located, locate
from nvr.preparation import ends_soon
from pipeline import walk
from pipeline.household.choosing import current, has_run_out, prepared_until_ms
from pipeline.household.model import Group, Manifest
from pipeline.key_names import group_name
from pipeline.names import NotAName, camera_name


@click.group()
def group() -> None:
    """List and add groups; give a group a new generation.

    \b
    Examples:
      nvr group add outdoor --camera drive --identity alice.key
      nvr group rotate home --identity alice.key
    """


@group.command("list")
@click.option("--identity", metavar="FILE", help="An owner's key: prepares generations a year ahead.")
@root_option
@click.pass_obj
def list_groups(config: Path | None, identity: str | None, root: str | None) -> None:
    """List the groups: their cameras, who opens them, until when generations are prepared.

    Every owner's command prepares generations until a year ahead; with --identity this one does so, and
    changes nothing else.

    \b
    Examples:
      nvr group list
      nvr group list --identity alice.key
    """
    located = locate(config)
    if identity:
        _prepare(located, identity, root)
    manifest = read_known(located, root).household.manifest
    known = sorted({*located.loaded.config.cameras, *walk.cameras(located.store.root)})
    now_ms = time.time_ns() // 1_000_000
    for one in manifest.groups:
        click.echo(one.name + (" (default)" if one.name == manifest.default_group else ""))
        click.echo(f"  cameras     {', '.join(_cameras(manifest, one, known)) or 'none'}")
        click.echo(f"  members     {', '.join(who.name for who in manifest.members_of(one.name))}")
        click.echo(f"  generation  {current(one, now_ms).number}; {_until(one, now_ms)}")


def _until(group: Group, now_ms: int) -> str:
    day = shown_day(prepared_until_ms(group))
    if has_run_out(group, now_ms):
        return f"prepared until {day}: it has run out; prepare more with --identity and an owner's key"
    if ends_soon(group, now_ms):
        return f"prepared only until {day}: prepare more with --identity and an owner's key"
    return f"prepared until {day}"


def _prepare(located: Located, identity: str, root: str | None) -> None:
    membership = open_membership(located.store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    tell_changed(prepare_ahead(membership, time.time_ns() // 1_000_000))


def _cameras(manifest: Manifest, of: Group, known: list[str]) -> list[str]:
    return sorted({*of.cameras, *(name for name in known if manifest.group_of(name) == of)})


@group.command()
@click.argument("name")
@click.option(
    "--camera", "cameras", multiple=True, metavar="C", help="A camera to move into it; may be said again."
)
@identity_option
@root_option
@click.pass_obj
def add(config: Path | None, name: str, cameras: tuple[str, ...], identity: str, root: str | None) -> None:
    """Make a group, or move cameras into one that is there.

    What the cameras record from now on is sealed to this group; what they have recorded stays as it is.
    Owners open every group, viewers those that nvr member approve gives them.

    \b
    Examples:
      nvr group add outdoor --camera drive --camera garden --identity alice.key
    """
    located = locate(config)
    _check_names(located, name, cameras)
    membership = open_membership(located.store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    plan = partial(with_group, name=name, cameras=cameras)
    changed = change_household(membership, plan, time.time_ns() // 1_000_000)
    moved = f" Sealed to it from the next segment on: {', '.join(cameras)}." if cameras else ""
    click.echo(f"The group {name} is there.{moved}")
    tell_changed(changed)


@group.command()
@click.argument("name")
@identity_option
@root_option
@click.pass_obj
def rotate(config: Path | None, name: str, identity: str, root: str | None) -> None:
    """Give a group a new generation from now on, without a gap in recording.

    \b
    Examples:
      nvr group rotate home --identity alice.key
    """
    membership = open_membership(locate(config).store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    changed = change_household(membership, partial(rotated, name=name), time.time_ns() // 1_000_000)
    click.echo(f"{name} has a new generation from now on.")
    tell_changed(changed)


def _check_names(located: Located, name: str, cameras: tuple[str, ...]) -> None:
    try:
        group_name(name)
        for camera in cameras:
            camera_name(camera)
    except NotAName as fault:
        raise UsageFault(f"{fault}.") from None
    known = {*located.loaded.config.cameras, *walk.cameras(located.store.root)}
    for camera in cameras:
        if camera not in known:
            click.echo(
                f'There is no camera "{camera}" yet; it will belong to {name} when there is.', err=True
            )
