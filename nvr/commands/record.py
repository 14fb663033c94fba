"""`nvr record`: one camera's recorder. It must stay small: a process that ends before reads the settings."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import click

from nvr.ending import EXPECTED, sentence_and_code
from nvr.errors import NvrError
from nvr.logs import start_logging
from nvr.parent_death import end_with_parent
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
        plan = _plan_from_child(config, camera)
    set_on_signals(stop, (signal.SIGINT, signal.SIGTERM))
    start_logging(tuple(stream.password for stream in plan.streams.values()))
    from nvr.recording import record_until

    record_until(plan, stop)


def _plan_from_child(config: Path | None, camera: str) -> RecordingPlan:
    """Reads the configuration in a forked process. Raises what reading it raises, as `NvrError`."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            pipe.write(_answer(config, camera))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(text or '{"fault": "The configuration could not be read.", "code": 2}')
    if "fault" in answer:
        refused = NvrError(answer["fault"])
        refused.exit_code = answer["code"]
        raise refused
    return RecordingPlan.from_json(answer["plan"])


def _answer(config: Path | None, camera: str) -> str:
    from nvr.located import locate
    from nvr.recording_plan import plan_for
    from nvr.run_directory import make_run_directory, run_directory

    try:
        located = locate(config)
        settings = located.loaded.config
        wanted = run_directory(settings.store.run_dir, located.store.device, os.environ, os.getuid())
        plan = plan_for(located.loaded, camera, make_run_directory(wanted))
    except EXPECTED as fault:
        said, code = sentence_and_code(fault)
        return json.dumps({"fault": said, "code": code})
    return json.dumps({"plan": plan.to_json()})
