"""A plan made in a forked process: who records or looks must not carry what reading settings needs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nvr.ending import EXPECTED, sentence_and_code
from nvr.errors import NvrError

if TYPE_CHECKING:
    from nvr.located import Located


def plan_from_child(config: Path | None, make: Callable[[Path | None], str]) -> str:
    """What `make` answers in a forked process. Raises what it raises there, as `NvrError`."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            pipe.write(_answer(config, make))
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
    return str(answer["plan"])


def run_directory_of(located: Located) -> Path:
    """The store's run-time directory, made if need be. Only for `make`: it loads what reads settings."""
    from nvr.run_directory import make_run_directory, run_directory

    configured = located.loaded.config.store.run_dir
    return make_run_directory(run_directory(configured, located.store.device, os.environ, os.getuid()))


def _answer(config: Path | None, make: Callable[[Path | None], str]) -> str:
    try:
        return json.dumps({"plan": make(config)})
    except EXPECTED as fault:
        said, code = sentence_and_code(fault)
        return json.dumps({"fault": said, "code": code})
