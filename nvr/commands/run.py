"""`nvr run`: the supervisor, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from nvr.config_file import find_config
from nvr.logs import start_logging
from nvr.parent_death import end_with_parent
from nvr.supervisor import supervise


@click.command()
@click.option("--end-with", type=int, hidden=True, help="The process that started us, and that we end with.")
@click.pass_obj
def run(config: Path | None, end_with: int | None) -> None:
    """Record and look at all cameras until stopped.

    Ctrl-C and SIGTERM end it cleanly. SIGHUP takes a changed configuration over: only changed cameras, and
    the watcher if need be, are started anew; a faulty file is refused in the log, and the old settings go on.

    \b
    Examples:
      nvr run
      nvr --config /srv/nvr/nvr.toml run
      kill -HUP $(cat /srv/nvr/store/lock)
    """
    start_logging()
    if end_with is not None and not end_with_parent(end_with):
        return
    supervise(find_config(config))
