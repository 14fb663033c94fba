"""`nvr index`: the index is only a convenience; the store alone says everything."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from nvr.located import locate
from pipeline.index import rebuild as rebuild_index


@click.group()
def index() -> None:
    """Rebuild the index from the store alone.

    \b
    Examples:
      nvr index rebuild
    """


@index.command()
@click.pass_obj
def rebuild(config: Path | None) -> None:
    """Make the whole index anew from the store's names. Needs no key; recording goes on meanwhile.

    \b
    Examples:
      nvr index rebuild
    """
    located = locate(config)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} segments"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        found = rebuild_index(located.store.root, lambda count: progress.update(task, completed=count))
    rate = f", {found.segments / found.elapsed_s:,.0f} a second" if found.elapsed_s > 1 else ""
    click.echo(f"The index is made anew: {found.segments:,} segments in {found.elapsed_s:.1f} s{rate}.")
