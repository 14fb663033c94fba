"""What the watcher says of itself: a report that others read, as recorders leave theirs.

Nothing here is secret or seen by a camera: names, times, counts, and reasons in words. Never a label, a box
or a score. The file stands in the run-time directory (memory, not the store) and is replaced whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline.health import is_alive

REPORT_FILE = "watch.json"  # no camera's: those end in .status.json
SILENT_MS = 10_000  # five reports: a watcher that is stopped or hangs


class LookState(StrEnum):
    """What is being done for a camera. Only `LOOKING` means that events are found."""

    LOOKING = "looking"
    WAITING = "waiting for the recorder"
    NO_VIDEO = "no video yet"
    CANNOT_DECODE = "cannot decode"
    PAUSED = "outside its schedule"
    FAILED = "starting again"


@dataclass(frozen=True, slots=True)
class LookReport:
    """One camera at one moment; counters since the watcher's start.

    `looks` were answered by the detector; `replaced` were not, since a newer frame came first. `restarts`
    counts errors that nobody foresaw. `last_event_end_ms` is 0 before the first event.
    """

    state: LookState
    reason: str = ""
    since_ms: int = 0
    stream: str = ""
    mode: str = ""
    gate: str = ""
    frames: int = 0
    damaged: int = 0
    looks: int = 0
    replaced: int = 0
    events: int = 0
    lost_events: int = 0
    event_goes_on: bool = False
    last_event_end_ms: int = 0
    looked_ms: int = 0
    restarts: int = 0
    clock_unsure: bool = False


@dataclass(frozen=True, slots=True)
class WatchReport:
    """The watcher process at one moment. `problem` says what is wrong with it; empty for nothing."""

    pid: int
    started_ms: int
    written_ms: int
    model: str
    problem: str = ""
    cameras: dict[str, LookReport] = field(default_factory=dict)

    def to_json(self) -> str:
        """The report file's text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> WatchReport:
        """Raises ValueError when `text` is not a report of this version."""
        try:
            fields: dict[str, Any] = json.loads(text)
            cameras = {
                name: LookReport(**{**report, "state": LookState(report["state"])})
                for name, report in fields.pop("cameras").items()
            }
            return cls(**fields, cameras=cameras)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a watcher's report of this version") from error

    def is_silent(self, now_ms: int) -> bool:
        """Whether it should have reported again by now."""
        return now_ms - self.written_ms > SILENT_MS


def watch_report_path(run_dir: Path) -> Path:
    """Where the watcher leaves its report."""
    return run_dir / REPORT_FILE


def write_watch_report(run_dir: Path, report: WatchReport) -> None:
    """Replaces the report file whole. Raises OSError."""
    path = watch_report_path(run_dir)
    temporary = path.with_suffix(".new")
    temporary.write_text(report.to_json())
    temporary.replace(path)


def read_watch_report(run_dir: Path) -> WatchReport | None:
    """The last report if its watcher still lives, else None."""
    try:
        report = WatchReport.from_json(watch_report_path(run_dir).read_text())
    except (OSError, ValueError):
        return None
    return report if is_alive(report.pid) else None
