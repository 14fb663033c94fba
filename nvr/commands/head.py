"""`nvr head`: what to remember of all chains, so that nobody can cut or rewrite them unnoticed."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from nvr.asking import KEY_FILE_PROMPT, passphrases
from nvr.commands.household_options import tell_changed, tell_doubt
from nvr.errors import NvrError, StoreTrouble, UsageFault
from nvr.household_known import known_household
from nvr.keyholder.changing import change_household
from nvr.keyholder.heads import Countersigned, countersign, with_devices
from nvr.keyholder.membership import Membership, open_membership
from nvr.local_zone import local_zone
from nvr.located import Located, locate
from nvr.times import show
from pipeline import walk
from pipeline.chain.certificates import Judged, judge
from pipeline.chain.heads import Heads
from pipeline.chain.log import Head
from pipeline.chain.reading import newest_fold
from pipeline.chain.rotation import certificate_lines
from pipeline.durable import make_directories, write_replacing
from pipeline.household.files import Household
from pipeline.household.model import Device
from pipeline.names import HEADS, KEYS


@click.command()
@click.option("--camera", metavar="C", help="Only this camera's chain.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.")
@click.option("--identity", metavar="FILE", help="Your key file: signs it, and keeps it in the store too.")
@click.option(
    "--accept-device",
    is_flag=True,
    help="As an owner, confirm the day keys of a recorder that is new or lost its state.",
)
@click.option("--root", metavar="FINGERPRINT", help="The household that is meant: 32 to 64 digits.")
@click.pass_obj
def head(
    config: Path | None,
    camera: str | None,
    output: Path | None,
    identity: str | None,
    accept_device: bool,
    root: str | None,
) -> None:
    """Print what to remember of all footage, to verify it later.

    Keep it off the recorder. What was recorded before a head can then neither be removed nor changed
    unnoticed, not even by somebody who takes the recorder over. With --identity it is signed, and verify
    finds it in the store by itself.

    \b
    Examples:
      nvr head -o head-of-november.json
      nvr head --identity alice.key
      nvr verify --head head-of-november.json
      nvr head --accept-device --identity alice.key
    """
    located = locate(config)
    if accept_device:
        _accept_device(located, identity, root)
        return
    membership = _membership(located, identity, root) if identity else None
    household = membership.household if membership else _household(located, root)
    heads = _heads(located, household, camera)
    signed = countersign(membership, heads) if membership else None
    content = bytes(signed.line) if signed else bytes(heads)
    if signed:
        _keep(located, signed)
    if output is not None:
        _write(output, content)
    else:
        click.echo(content.decode("ascii"), nl=False)


def _membership(located: Located, identity: str, root: str | None) -> Membership:
    membership = open_membership(located.store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    return membership


def _household(located: Located, root: str | None) -> Household | None:
    known = known_household(located, root)
    if known is not None and known.doubt:
        click.echo(known.doubt, err=True)
    return known.household if known else None


def _heads(located: Located, household: Household | None, camera: str | None) -> Heads:
    if camera is not None:
        located.checked_camera(camera)
    root = located.store.root
    cameras = {}
    for name in walk.cameras(root) if camera is None else [camera]:
        fold = newest_fold(root, name)
        if fold is not None:
            cameras[name] = Head(fold.number, fold.count, fold.head)
    if not cameras:
        raise NvrError("There is no chain yet: record something first.")
    return Heads(
        household.root.hex() if household else "",
        located.store.device,
        time.time_ns() // 1_000_000,
        household.manifest.version if household else 0,
        household.newest.digest.hex() if household else "",
        cameras,
    )


def _keep(located: Located, signed: Countersigned) -> None:
    """In the store, for `verify`; a store that cannot be written is no reason not to print it."""
    root = located.store.root
    name = f"{signed.heads.by}.{signed.heads.made_ms}.json"
    try:
        make_directories(root, f"{KEYS}/{HEADS}")
        write_replacing(root / KEYS / HEADS / name, bytes(signed.line))
    except OSError as fault:
        click.echo(f"It is not kept in the store: {fault.strerror}. Keep the file yourself.", err=True)


def _write(output: Path, content: bytes) -> None:
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise UsageFault(f"{output} exists already; choose another name.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as fault:
        raise StoreTrouble(f"Cannot write {output}: {fault.strerror}.") from None


def _accept_device(located: Located, identity: str | None, root: str | None) -> None:
    if identity is None:
        raise UsageFault("Only an owner can confirm a recorder: say --identity FILE.")
    membership = _membership(located, identity, root)
    device = located.store.device
    owned = [one.day_key for one in membership.household.manifest.devices if one.device == device]
    judged = judge(certificate_lines(located.store.root), device, owned)
    new = _unconfirmed(judged, device)
    if not new:
        click.echo("Owners have confirmed all day keys of this recorder; nothing to do.")
        return
    now_ms = time.time_ns() // 1_000_000
    changed = change_household(membership, partial(with_devices, devices=new), now_ms)
    for one in new:
        click.echo(f"Confirmed: the day keys that began {_shown(one.from_ms)}.")
    tell_changed(changed)


def _unconfirmed(judged: Judged, device: bytes) -> list[Device]:
    certificates = [judged.known[number].certificate for number in judged.unconfirmed]
    return [Device(device, one.public, one.at_ms) for one in certificates]


def _shown(at_ms: int) -> str:
    return show(datetime.fromtimestamp(at_ms / 1000, UTC), local_zone())
