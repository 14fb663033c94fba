"""`nvr hold` and `nvr unhold`: what must not be deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from nvr.ending import sentence
from nvr.index_access import PATIENCE_S
from nvr.local_zone import local_zone
from nvr.located import Located, locate
from nvr.times import parse_range, show
from pipeline import walk
from pipeline.index import IndexFault, open_or_restore
from pipeline.store import hold as make_hold
from pipeline.store import unhold as end_holds


def _range_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--camera`, `--from` and `--to`, all needed."""
    for option in (
        click.option(
            "--to", "to_text", required=True, metavar="T", help='Until when: "14:20", "+10m", "now".'
        ),
        click.option("--from", "from_text", required=True, metavar="T", help='Since when: "14:05", "-10m".'),
        click.option("--camera", required=True, metavar="C", help="The camera's name."),
    ):
        command = option(command)
    return command


@click.command()
@_range_options
@click.pass_obj
def hold(config: Path | None, camera: str, from_text: str, to_text: str) -> None:
    """Keep footage from being deleted, whatever the limits say.

    \b
    Examples:
      nvr hold --camera front --from "yesterday 18:00" --to "yesterday 18:20"
      nvr hold --camera front --from -10m --to now
    """
    located, from_ms, to_ms = _range(config, camera, from_text, to_text)
    make_hold(located.store, camera, from_ms, to_ms, _now_ms())
    _tell_index(located)
    click.echo(f"Held: {camera}, {_shown(from_ms)} to {_shown(to_ms)}.")


@click.command()
@_range_options
@click.pass_obj
def unhold(config: Path | None, camera: str, from_text: str, to_text: str) -> None:
    """Let held footage expire again; the rest stays held.

    \b
    Examples:
      nvr unhold --camera front --from "yesterday 18:00" --to "yesterday 18:20"
    """
    located, from_ms, to_ms = _range(config, camera, from_text, to_text)
    changed = end_holds(located.store, camera, from_ms, to_ms, _now_ms())
    _tell_index(located)
    if not changed:
        click.echo(f"Nothing of {camera} is held between {_shown(from_ms)} and {_shown(to_ms)}.")
        return
    click.echo(f"No longer held: {camera}, {_shown(from_ms)} to {_shown(to_ms)}.")


def _range(config: Path | None, camera: str, from_text: str, to_text: str) -> tuple[Located, int, int]:
    located = locate(config)
    located.checked_camera(camera)
    start, end = parse_range(from_text, to_text, datetime.now(UTC), local_zone())
    for note in filter(None, (start.note, end.note)):
        click.echo(note, err=True)
    return located, start.utc_ms, end.utc_ms


def _tell_index(located: Located) -> None:
    """The mark in the store is what counts; an index that cannot be told now is made anew later."""
    try:
        with open_or_restore(located.store.root, wait_s=PATIENCE_S) as index:
            index.set_holds(walk.holds(located.store.root))
    except IndexFault as fault:
        click.echo(
            f"{sentence(str(fault))} The hold counts all the same; say nvr index rebuild later.", err=True
        )


def _shown(at_ms: int) -> str:
    return show(datetime.fromtimestamp(at_ms / 1000, UTC), local_zone())


def _now_ms() -> int:
    return round(datetime.now(UTC).timestamp() * 1000)
