"""The watcher process: what `nvr.child_process` keeps alive for all cameras, and a note of how it ended.

The note stands in the run-time directory, so that `nvr status` can say what happened: times and counts only.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from nvr.child_process import ChildProcess, Manner, report_time_ns, start_child
from nvr.watch_plan import WatchPlan
from pipeline.watch_report import watch_report_path

ENDS_FILE = "watch.ends.json"
# Its looking is not as dear as recording: it is given less time to begin, and 20 s at work count as steady.
MANNER = Manner("watch: the watcher", steady_s=20.0, silent_s=60.0, begin_s=180.0)

WatchStarter = Callable[[WatchPlan], "subprocess.Popen[bytes]"]


@dataclass(frozen=True, slots=True)
class Ends:
    """How often the watcher ended without being asked since `nvr run` began; when and how the last time."""

    count: int
    last_ms: int
    how: str


def start_watcher(plan: WatchPlan) -> subprocess.Popen[bytes]:
    """Starts `nvr watch`."""
    return start_child(["watch"], plan.to_json())


class WatcherProcess(ChildProcess[WatchPlan]):
    """Keeps the watcher alive, and notes in `run_dir` how it ended."""

    def __init__(self, plan: WatchPlan, run_dir: Path, start: WatchStarter = start_watcher) -> None:
        self._run_dir = run_dir
        self._count = 0
        with contextlib.suppress(OSError):
            (run_dir / ENDS_FILE).unlink(missing_ok=True)
        report = watch_report_path(run_dir)
        super().__init__(plan, MANNER, start, lambda: report_time_ns(report), self._note)

    def _note(self, how: str) -> None:
        self._count += 1
        noted = Ends(self._count, time.time_ns() // 1_000_000, how)
        with contextlib.suppress(OSError):  # a full run-time directory must not end the supervisor
            beside = self._run_dir / f"{ENDS_FILE}.new"
            beside.write_text(json.dumps(asdict(noted)))
            beside.replace(self._run_dir / ENDS_FILE)


def read_ends(run_dir: Path) -> Ends | None:
    """What was noted; None when the watcher never ended by itself."""
    try:
        noun = json.loads((run_dir / ENDS_FILE).read_text())
        return Ends(int(noun["count"]), int(noun["last_ms"]), str(noun["how"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None
