"""What a recorder says of itself: counters that threads raise, reports that others read.

Nothing here is secret or seen by a camera: names, times, counts, and reasons in words without addresses.
A report file stands in the run-time directory (memory, not the store) and is replaced whole, so nobody
reads half of one. A report whose process is gone means that the camera is not being recorded.
"""

from __future__ import annotations

import json
import os
from collections import deque
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

RATE_WINDOW_S = 20


class State(StrEnum):
    """What a stream is doing. Only `RECORDING` means that footage is being kept."""

    RECORDING = "recording"
    CONNECTING = "connecting"
    AWAY = "away"  # the camera cannot be had; tried again with growing pauses
    PAUSED = "paused"  # connected, but the record mode or schedule says not to keep
    STALLED = "stalled"  # the store cannot be written; packets wait in bounded memory
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One stream at one moment. `bytes_per_s` is over the last 20 s; counters since the recorder's start."""

    state: State
    reason: str
    since_ms: int
    last_segment_end_ms: int
    video: str
    audio: str
    note: str
    bytes_per_s: int
    packets: int
    segments: int
    lost_packets: int
    lost_gops: int
    tap_lost_packets: int
    reconnects: int
    clock_unsure: bool


@dataclass(frozen=True, slots=True)
class CameraReport:
    """A recorder process at one moment. `household` says what is wrong with it; empty for nothing."""

    camera: str
    pid: int
    started_ms: int
    written_ms: int
    flushes: int
    index_waiting: int
    streams: dict[str, StreamReport]
    household: str = ""

    def to_json(self) -> str:
        """The report file's text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> CameraReport:
        """Raises ValueError when `text` is not a report of this version."""
        try:
            fields: dict[str, Any] = json.loads(text)
            streams = {
                name: StreamReport(**{**report, "state": State(report["state"])})
                for name, report in fields.pop("streams").items()
            }
            return cls(**fields, streams=streams)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a recorder's report of this version") from error


@dataclass(slots=True)
class StreamHealth:
    """The counters of one stream. Each field is written by one thread only; any thread may take a report."""

    state: State = State.CONNECTING
    reason: str = ""
    since_ms: int = 0
    last_segment_end_ms: int = 0
    video: str = ""
    audio: str = ""
    note: str = ""
    total_bytes: int = 0
    packets: int = 0
    segments: int = 0
    lost_packets: int = 0  # refused by a full backlog
    lost_gops: int = 0
    reconnects: int = 0
    clock_unsure: bool = False
    stalled: str = ""  # why the store cannot be written now
    abandoned_packets: int = 0  # of segments that a failing disk lost
    _rate: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=RATE_WINDOW_S))

    def set_state(self, state: State, now_ms: int, reason: str = "") -> bool:
        """Notes a new state and since when. Returns whether it is one (for a log line)."""
        if (state, reason) == (self.state, self.reason) and self.since_ms:
            return False
        self.state, self.reason, self.since_ms = state, reason, now_ms
        return True

    def report(self, monotonic_s: float, tap_lost_packets: int) -> StreamReport:
        """The counters as they stand. Call it about once a second: the rate is taken between calls."""
        self._rate.append((monotonic_s, self.total_bytes))
        (since_s, since_bytes), (now_s, now_bytes) = self._rate[0], self._rate[-1]
        rate = (now_bytes - since_bytes) / (now_s - since_s) if now_s > since_s else 0.0
        return StreamReport(
            state=State.STALLED if self.stalled else self.state,
            reason=self.stalled or self.reason,
            since_ms=self.since_ms,
            last_segment_end_ms=self.last_segment_end_ms,
            video=self.video,
            audio=self.audio,
            note=self.note,
            bytes_per_s=round(rate),
            packets=self.packets,
            segments=self.segments,
            lost_packets=self.lost_packets + self.abandoned_packets,
            lost_gops=self.lost_gops,
            tap_lost_packets=tap_lost_packets,
            reconnects=self.reconnects,
            clock_unsure=self.clock_unsure,
        )


def report_path(run_dir: Path, camera: str) -> Path:
    """Where a camera's recorder leaves its report."""
    return run_dir / f"{camera}.status.json"


def write_report(run_dir: Path, report: CameraReport) -> None:
    """Replaces the camera's report file whole. Raises OSError."""
    path = report_path(run_dir, report.camera)
    temporary = path.with_suffix(".new")
    temporary.write_text(report.to_json())
    temporary.replace(path)


def read_report(run_dir: Path, camera: str) -> CameraReport | None:
    """The camera's last report if its recorder still lives, else None."""
    try:
        report = CameraReport.from_json(report_path(run_dir, camera).read_text())
    except (OSError, ValueError):
        return None
    return report if is_alive(report.pid) else None


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's process: it is there
    return True
