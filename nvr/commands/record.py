"""`nvr record`: one camera's recorder. It must stay small: a process that ends before reads the settings."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path

import click

from nvr.logs import start_logging
from nvr.parent_death import end_with_parent
from nvr.plan_from_child import plan_from_child
from nvr.recording_plan import RecordingPlan
from nvr.wake import set_on_signals


@click.command()
@click.argument("camera")
@click.option(
    "--supervised-by", type=int, hidden=True, help="The plan comes on standard input from this process."
)
@click.pass_obj
def record(config: Path | None, camera: str, supervised_by: int | None) -> None:
    """Record one camera in the foreground, until Ctrl-C or SIGTERM.

    `nvr run` does this for all cameras, and keeps the store within its limits as well.

    \b
    Examples:
      nvr record front
      nvr --config /srv/nvr/nvr.toml record front
    """
    stop = threading.Event()
    if supervised_by is not None:
        plan = RecordingPlan.from_json(sys.stdin.read())
        if not end_with_parent(supervised_by):
            return
    else:
        plan = RecordingPlan.from_json(plan_from_child(config, lambda config: _plan(config, camera)))
    set_on_signals(stop, (signal.SIGINT, signal.SIGTERM))
    start_logging(tuple(stream.password for stream in plan.streams.values()))
    from nvr.recording import record_until

    record_until(plan, stop)


def _plan(config: Path | None, camera: str) -> str:
    from nvr.located import locate
    from nvr.plan_from_child import run_directory_of
    from nvr.recording_plan import plan_for

    located = locate(config)
    return plan_for(located.loaded, camera, run_directory_of(located)).to_json()
