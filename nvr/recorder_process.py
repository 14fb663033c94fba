"""One camera's recorder process: what `nvr.child_process` keeps alive for each camera."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from nvr.child_process import (
    BEGIN_S,
    PAUSES_S,
    SILENT_S,
    STEADY_S,
    ChildProcess,
    Manner,
    report_time_ns,
    start_child,
)
from nvr.recording_plan import RecordingPlan

Starter = Callable[[RecordingPlan], "subprocess.Popen[bytes]"]

__all__ = [
    "BEGIN_S",
    "PAUSES_S",
    "SILENT_S",
    "STEADY_S",
    "RecorderProcess",
    "Starter",
    "report_time_ns",
    "start_recorder",
]


def start_recorder(plan: RecordingPlan) -> subprocess.Popen[bytes]:
    """Starts `nvr record`."""
    return start_child(["record", plan.camera], plan.to_json())


class RecorderProcess(ChildProcess[RecordingPlan]):
    """Keeps one recorder alive. `reported` gives a camera's number as `ChildProcess` wants it."""

    def __init__(self, plan: RecordingPlan, start: Starter, reported: Callable[[str], int]) -> None:
        camera = plan.camera
        super().__init__(plan, Manner(f"{camera}: its recorder"), start, lambda: reported(camera))
