"""A process of ours, kept alive: started, watched, started again with growing pauses, ended.

Not a thread: `tend` is called often, never blocks, and does what is due.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STEADY_S = 60.0  # who ran this long begins again with the shortest pause
SILENT_S = 60.0  # a recorder that has not reported for so long hangs
BEGIN_S = 600.0  # before its first report it reads all names: 160 MB of a cold disk for 30 days of a camera

PlanT = TypeVar("PlanT")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manner:
    """What a process is called in the log, and how long it may take (s)."""

    who: str  # as in "front: its recorder"
    steady_s: float = STEADY_S
    silent_s: float = SILENT_S
    begin_s: float = BEGIN_S


def start_child(arguments: Sequence[str], plan: str) -> subprocess.Popen[bytes]:
    """Starts an `nvr` command in a process group of its own, so that Ctrl-C reaches the supervisor alone."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "nvr", *arguments, "--supervised-by", str(os.getpid())],
        stdin=subprocess.PIPE,
        process_group=0,
        cwd="/",
    )
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(plan.encode())
    return process


class ChildProcess(Generic[PlanT]):
    """Keeps one process alive.

    `reported` gives a number that changes with each of its reports, and is below 0 while none can be written.
    `died` is told how each process ended that nobody had asked to.
    """

    def __init__(
        self,
        plan: PlanT,
        manner: Manner,
        start: Callable[[PlanT], subprocess.Popen[bytes]],
        reported: Callable[[], int],
        died: Callable[[str], object] = lambda how: None,
    ) -> None:
        self._plan: PlanT | None = plan
        self._manner = manner
        self._start = start
        self._reported = reported
        self._died = died
        self._process: subprocess.Popen[bytes] | None = None
        self._due_s = 0.0
        self._started_s = 0.0
        self._failures = 0
        self._asked = False
        self._silent = False
        self._last_report = (0, 0.0)
        self._has_reported = False

    @property
    def plan(self) -> PlanT | None:
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

    def change(self, plan: PlanT | None) -> None:
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

    def _begin(self, plan: PlanT, now_s: float) -> None:
        try:
            self._process = self._start(plan)
        except OSError as fault:
            log.error("%s cannot be started: %s", self._manner.who, fault.strerror)
            self._due_s = now_s + self._next_pause_s()
            return
        self._started_s, self._has_reported = now_s, False
        self._last_report = (self._reported(), now_s)

    def _note_end(self, code: int, now_s: float) -> None:
        if self._asked:
            self._asked = False
            return
        if now_s - self._started_s >= self._manner.steady_s:
            self._failures = 0
        pause_s = self._next_pause_s()
        self._due_s = now_s + pause_s
        how = "it hung" if self._silent else _how(code)
        log.warning("%s ended (%s); starting again in %g s", self._manner.who, how, pause_s)
        self._silent = False
        self._died(how)

    def _next_pause_s(self) -> float:
        pause_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        return pause_s

    def _end_if_silent(self, now_s: float) -> None:
        report = self._reported()
        longest_s = self._manner.silent_s if self._has_reported or report < 0 else self._manner.begin_s
        if report != self._last_report[0]:
            self._last_report, self._has_reported = (report, now_s), True
        elif now_s - self._last_report[1] > longest_s:
            self._last_report = (report, now_s)
            who = self._manner.who
            if report < 0:
                log.error("%s cannot report; is the run-time directory full or gone?", who)
            else:
                log.error("%s has said nothing for %g s and is ended", who, longest_s)
                self._silent = True
                self.kill()

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)


def end_all(
    children: Mapping[str, ChildProcess[Any]], within_s: float, wait: Callable[[float], object]
) -> None:
    """Ends all of them; who is not done `within_s` is killed. `wait` pauses, and wakes when one has ended."""
    for child in children.values():
        child.change(None)
    deadline_s = time.monotonic() + within_s
    killed: set[str] = set()
    while any(not child.ended for child in children.values()):
        now_s = time.monotonic()
        for name, child in children.items():
            if now_s > deadline_s and not child.ended and name not in killed:
                log.error("%s: it did not end in time and is killed", name)
                killed.add(name)  # said once: one that hangs in a dead disk does not even die of it
                child.kill()
            child.tend(now_s)
        wait(0.05)


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
