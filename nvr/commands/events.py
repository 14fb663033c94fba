"""`nvr events`: what happened, for whoever holds an identity; when something happened, for all others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nvr.errors import FAULT, UsageFault
from nvr.event_telling import ToldEvent, lines_of, noun_of
from nvr.local_zone import local_zone
from nvr.located import Located, locate
from nvr.stored_events import StoredEvent, find_event, find_events
from nvr.times import Moment, parse_moment, parse_range
from pipeline import walk

if TYPE_CHECKING:
    from nvr.keyholder.events import EventOpener
    from nvr.keyholder.footage import SegmentFault

_identity = click.option(
    "--identity", metavar="FILE", help="Your key file, or the recovery sheet (HTML or its text)."
)
_root = click.option("--root", metavar="FINGERPRINT", help="The household that is meant: 32 to 64 digits.")


@click.group(invoke_without_command=True)
@click.option("--camera", metavar="C", help="Only this camera's.")
@click.option("--label", metavar="L", help='Only events with such a thing: "person". Needs --identity.')
@click.option("--from", "from_text", metavar="T", help="Since when; by default a day before --to.")
@click.option("--to", "to_text", metavar="T", default="now", show_default=True, help="Until when.")
@_identity
@_root
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference.md describes it.")
@click.pass_context
def events(
    ctx: click.Context,
    camera: str | None,
    label: str | None,
    from_text: str | None,
    to_text: str,
    identity: str | None,
    root: str | None,
    as_json: bool,
) -> None:
    """List events; with --identity also what was seen.

    Without an identity there are only times, cameras and numbers: everything else is sealed. An event under
    way is listed when it has ended.

    \b
    Examples:
      nvr events --identity alice.key
      nvr events --camera front --label person --from yesterday --identity alice.key
      nvr events show front-42 --identity alice.key -o thumb.jpg
    """
    if ctx.invoked_subcommand is not None:
        return
    if label is not None and identity is None:
        raise UsageFault("Labels are sealed: say --identity FILE to choose by them.")
    located = locate(ctx.obj)
    start, end = _range(from_text, to_text)
    for note in filter(None, (start.note, end.note)):
        click.echo(note, err=True)
    cameras = [located.checked_camera(camera)] if camera else walk.cameras(located.store.root)
    found = find_events(located.store.root, cameras, start.utc_ms, end.utc_ms)
    told, faults = _opened(found, _opener(located, identity, root) if identity else None)
    told = [one for one in told if label is None or (one.record and label.lower() in one.record.labels)]
    if as_json:
        noun = {"from_ms": start.utc_ms, "to_ms": end.utc_ms, "events": [noun_of(one) for one in told]}
        click.echo(json.dumps(noun, indent=2))
    else:
        _say(told, sealed=identity is None)
    for fault in faults:
        click.echo(f"Left out: {fault}", err=True)
    if faults:
        ctx.exit(FAULT if told else faults[-1].exit_code)


@events.command("show")
@click.argument("event")
@click.option(
    "--identity",
    required=True,
    metavar="FILE",
    help="Your key file, or the recovery sheet (HTML or its text).",
)
@_root
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The JPEG to write: plaintext."
)
@click.option("--whole", is_flag=True, help="The whole picture, not what was cut out of it.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.pass_obj
def show(
    config: Path | None,
    event: str,
    identity: str,
    root: str | None,
    output: Path,
    whole: bool,
    force: bool,
) -> None:
    """Write the picture of an EVENT, as nvr events calls it, to a JPEG; and say what was seen.

    \b
    Examples:
      nvr events show front-42 --identity alice.key -o thumb.jpg
      nvr events show front-42 --identity alice.key --whole -o street.jpg
    """
    from nvr.keyholder.export_files import ExportFiles

    located = locate(config)
    found = find_event(located.store.root, event)
    with ExportFiles(output, force=force, example="thumb.jpg") as files:
        opener = _opener(located, identity, root)
        thumbnail = opener.thumbnail(found)
        files.open(1).write(thumbnail.whole if whole else thumbnail.crop)
        files.commit()
    told = ToldEvent(found, opener.record(found))
    click.echo(lines_of([told], local_zone())[0])


def _opener(located: Located, identity: str, root: str | None) -> EventOpener:
    from nvr.asking import KEY_FILE_PROMPT, passphrases
    from nvr.commands.household_options import tell_doubt
    from nvr.keyholder.events import EventOpener
    from nvr.keyholder.membership import open_membership

    membership = open_membership(located.store.root, identity, passphrases(KEY_FILE_PROMPT), root)
    tell_doubt(membership)
    return EventOpener(located.store, membership)


def _opened(
    found: Iterable[StoredEvent], opener: EventOpener | None
) -> tuple[list[ToldEvent], list[SegmentFault]]:
    """What could be opened, or all without an `opener`; and why the others could not."""
    if opener is None:
        return [ToldEvent(event) for event in found], []
    from nvr.keyholder.footage import SegmentFault

    told, faults = [], []
    for event in found:
        try:
            told.append(ToldEvent(event, opener.record(event)))
        except SegmentFault as fault:
            faults.append(fault)
    return told, faults


def _say(told: Sequence[ToldEvent], *, sealed: bool) -> None:
    for line in lines_of(told, local_zone()):
        click.echo(line)
    if not told:
        click.echo("No events in that time.")
    elif sealed:
        click.echo("What was seen is sealed: --identity FILE shows it.", err=True)


def _range(from_text: str | None, to_text: str) -> tuple[Moment, Moment]:
    now, zone = datetime.now(UTC), local_zone()
    if from_text is not None:
        return parse_range(from_text, to_text, now, zone)
    end = parse_moment(to_text, now, zone)
    return Moment(end.utc - timedelta(days=1)), end
