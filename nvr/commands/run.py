"""`nvr run`: the supervisor, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from nvr.config_file import find_config
from nvr.logs import start_logging
from nvr.supervisor import supervise


@click.command()
@click.pass_obj
def run(config: Path | None) -> None:
    """Record all cameras until stopped.

    Ctrl-C and SIGTERM end it cleanly. SIGHUP takes a changed configuration over: only changed cameras are
    started anew, and a faulty file is refused in the log while the old settings go on.

    \b
    Examples:
      nvr run
      nvr --config /srv/nvr/nvr.toml run
      kill -HUP $(cat /srv/nvr/store/lock)
    """
    start_logging()
    supervise(find_config(config))
