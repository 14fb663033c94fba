"""One camera's recorder process, kept alive: started, watched, started again with growing pauses, ended.

Not a thread: `tend` is called often, never blocks, and does what is due.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from nvr.recording_plan import RecordingPlan

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STEADY_S = 60.0  # who ran this long begins again with the shortest pause
SILENT_S = 60.0  # a recorder that has not reported for so long hangs
BEGIN_S = 600.0  # before its first report it reads all names: 160 MB of a cold disk for 30 days of a camera

Starter = Callable[[RecordingPlan], "subprocess.Popen[bytes]"]
log = logging.getLogger(__name__)


def start_recorder(plan: RecordingPlan) -> subprocess.Popen[bytes]:
    """Starts `nvr record` in a process group of its own, so that Ctrl-C reaches the supervisor alone."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "nvr", "record", plan.camera, "--supervised-by", str(os.getpid())],
        stdin=subprocess.PIPE,
        process_group=0,
        cwd="/",
    )
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(plan.to_json().encode())
    return process


class RecorderProcess:
    """Keeps one recorder alive.

    `reported` gives a number that changes with each of its reports, and is below 0 while none can be written.
    """

    def __init__(self, plan: RecordingPlan, start: Starter, reported: Callable[[str], int]) -> None:
        self._plan: RecordingPlan | None = plan
        self._camera = plan.camera
        self._start = start
        self._reported = reported
        self._process: subprocess.Popen[bytes] | None = None
        self._due_s = 0.0
        self._started_s = 0.0
        self._failures = 0
        self._asked = False
        self._last_report = (0, 0.0)
        self._has_reported = False

    @property
    def plan(self) -> RecordingPlan | None:
        """What it is to do; None when it is to end."""
        return self._plan

    @property
    def ended(self) -> bool:
        """Whether no process is left."""
        return self._process is None

    @property
    def pid(self) -> int:
        """The running process, 0 for none."""
        return self._process.pid if self._process else 0

    def change(self, plan: RecordingPlan | None) -> None:
        """Takes a new plan (None: ends). The running process is ended first; `tend` starts the next."""
        self._plan = plan
        self._failures, self._due_s, self._asked = 0, 0.0, self._process is not None
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """For a process that does not end when asked."""
        self._signal(signal.SIGKILL)

    def tend(self, now_s: float) -> None:
        """Notes an end, starts what is due, ends what hangs. `now_s` is monotonic."""
        if self._process is not None and self._process.poll() is not None:
            self._note_end(self._process.returncode, now_s)
            self._process = None
        if self._process is not None:
            self._end_if_silent(now_s)
        elif self._plan is not None and now_s >= self._due_s:
            self._begin(self._plan, now_s)

    def _begin(self, plan: RecordingPlan, now_s: float) -> None:
        try:
            self._process = self._start(plan)
        except OSError as fault:
            log.error("%s: cannot start its recorder: %s", self._camera, fault.strerror)
            self._due_s = now_s + self._next_pause_s()
            return
        self._started_s, self._has_reported = now_s, False
        self._last_report = (self._reported(self._camera), now_s)

    def _note_end(self, code: int, now_s: float) -> None:
        if self._asked:
            self._asked = False
            return
        if now_s - self._started_s >= STEADY_S:
            self._failures = 0
        pause_s = self._next_pause_s()
        self._due_s = now_s + pause_s
        log.warning("%s: its recorder ended (%s); starting again in %g s", self._camera, _how(code), pause_s)

    def _next_pause_s(self) -> float:
        pause_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        return pause_s

    def _end_if_silent(self, now_s: float) -> None:
        report = self._reported(self._camera)
        longest_s = SILENT_S if self._has_reported or report < 0 else BEGIN_S
        if report != self._last_report[0]:
            self._last_report, self._has_reported = (report, now_s), True
        elif now_s - self._last_report[1] > longest_s:
            self._last_report = (report, now_s)
            if report < 0:
                log.error(
                    "%s: its recorder cannot report; is the run-time directory full or gone?", self._camera
                )
            else:
                log.error("%s: its recorder has said nothing for %g s and is ended", self._camera, longest_s)
                self.kill()

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def report_time_ns(report: Path) -> int:
    """When a report file was last replaced; 0 for never, -1 while its folder takes no file."""
    try:
        disk = os.statvfs(report.parent)
        if not disk.f_bavail or not os.access(report.parent, os.W_OK):
            return -1
        return report.stat().st_mtime_ns
    except FileNotFoundError:
        return 0 if report.parent.is_dir() else -1
    except OSError:
        return -1
