"""What one camera's thread counts for the report.

Each field is written by one thread only; any thread may take a report.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from pipeline.event import Began, Ended, Happening
from pipeline.watch_report import LookReport, LookState
from pipeline.watcher.eye import EyeReport

BLIND_S = 15.0  # longer than the longest distance of keyframes cameras offer


@dataclass(slots=True)
class LookHealth:
    """The counters of one camera."""

    state: LookState = LookState.WAITING
    reason: str = ""
    since_ms: int = 0
    note: str = ""  # about the stream: why it is not the one that was promised
    clock_unsure: bool = False
    events: int = 0
    restarts: int = 0
    event_goes_on: bool = False
    last_event_end_ms: int = 0
    _decoded: int = 0
    _faults: int = 0
    _decoded_s: float = field(default_factory=time.monotonic)

    def set(self, state: LookState, reason: str = "") -> None:
        """Notes a state and since when."""
        if (state, reason) != (self.state, self.reason) or not self.since_ms:
            self.state, self.reason, self.since_ms = state, reason, time.time_ns() // 1_000_000
            self._decoded_s = time.monotonic()

    def failed(self, reason: str) -> None:
        """An error that nobody foresaw."""
        self.restarts += 1
        self._decoded = self._faults = 0
        self.set(LookState.FAILED, reason)

    def told(self, happening: Happening) -> None:
        """Counts events."""
        self.event_goes_on = not isinstance(happening, Ended)
        if isinstance(happening, Began):
            self.events += 1
        elif isinstance(happening, Ended):
            self.last_event_end_ms = max(self.last_event_end_ms, happening.event.end_ns // 1_000_000)

    def observe(self, eye: EyeReport | None) -> None:
        """Tells from what was decoded whether anything is seen."""
        if eye is None or self.state not in (LookState.NO_VIDEO, LookState.LOOKING, LookState.CANNOT_DECODE):
            return
        if eye.decoded > self._decoded:
            self._decoded_s = time.monotonic()
            self.set(LookState.LOOKING)
        elif time.monotonic() - self._decoded_s > BLIND_S:
            damaged = eye.faults > self._faults
            self.set(LookState.CANNOT_DECODE if damaged else LookState.NO_VIDEO)
        self._decoded, self._faults = eye.decoded, eye.faults

    def report(self, stream: str, eye: EyeReport | None, looks: int, replaced: int) -> LookReport:
        """The counters as they stand."""
        return LookReport(
            state=self.state,
            reason="; ".join(filter(None, (self.reason, self.note))),
            since_ms=self.since_ms,
            stream=stream,
            mode=eye.mode if eye else "",
            gate=eye.verdict if eye else "",
            frames=eye.decoded if eye else 0,
            damaged=eye.faults if eye else 0,
            looks=looks,
            replaced=replaced,
            events=self.events,
            event_goes_on=self.event_goes_on,
            last_event_end_ms=self.last_event_end_ms,
            looked_ms=eye.looked_ns // 1_000_000 if eye else 0,
            restarts=self.restarts,
            clock_unsure=self.clock_unsure,
        )
