"""`nvr watch`: the watcher. It must stay small: a process that ends before reads the settings."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import click

from nvr.logs import start_logging
from nvr.parent_death import end_with_parent
from nvr.plan_from_child import plan_from_child
from nvr.wake import set_on_signals
from nvr.watch_plan import WatchPlan


@click.command()
@click.option(
    "--supervised-by", type=int, hidden=True, help="The plan comes on standard input from this process."
)
@click.pass_obj
def watch(config: Path | None, supervised_by: int | None) -> None:
    """Look for people, cars and animals on all cameras in the foreground, until Ctrl-C or SIGTERM.

    `nvr run` does this as well, unless the configuration says `enabled = false` in [detect]. The cameras'
    recorders must be running: what they hand out is looked at.

    \b
    Examples:
      nvr watch
      nvr --config /srv/nvr/nvr.toml watch
    """
    stop = threading.Event()
    if supervised_by is not None:
        plan = WatchPlan.from_json(sys.stdin.read())
        if not end_with_parent(supervised_by):
            return
    else:
        plan = WatchPlan.from_json(plan_from_child(config, _plan))
    set_on_signals(stop, (signal.SIGINT, signal.SIGTERM))
    start_logging(plan.notify.secrets)
    from nvr.watching import watch_until

    watch_until(plan, stop)


def _plan(config: Path | None) -> str:
    from nvr.located import locate
    from nvr.plan_from_child import run_directory_of
    from nvr.watch_plan import watch_plan

    located = locate(config)
    return watch_plan(located.loaded, run_directory_of(located)).to_json()
