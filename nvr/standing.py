"""How things stand: what recorders report, the index counts, the disk has left. Changes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nvr.local_zone import local_zone
from nvr.located import Located
from nvr.preparation import running_out
from nvr.retention_policy import policy_of
from nvr.run_directory import find_run_directory
from nvr.running import supervisor_pid
from nvr.watch_standing import NOBODY_LOOKS, WatchStanding, watch_standing
from pipeline.health import State, StreamReport, read_report
from pipeline.household.errors import HouseholdError
from pipeline.household.remembered import recall
from pipeline.index import Index, Total
from pipeline.model import StreamName
from pipeline.names import EVENT_STREAMS
from pipeline.retention import forecast_days

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class StreamStanding:
    """One stream: its recorder's report (None when it has none) and what is stored of it."""

    name: StreamName
    report: StreamReport | None
    total: Total
    oldest_ms: int | None

    @property
    def recording(self) -> bool:
        """Whether footage is being kept just now."""
        return self.report is not None and self.report.state == State.RECORDING

    @property
    def bytes_per_day(self) -> float:
        """At the rate of the last seconds; 0 when it is not recording."""
        return float(self.report.bytes_per_s) * DAY_S if self.report is not None and self.recording else 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole household. `forecast` has the days of each camera that is recording; None is without end.

    `household` has what recorders find wrong with members, groups and generations, or soon will: clauses for
    a person.
    """

    supervisor_pid: int
    streams: tuple[StreamStanding, ...]
    disk_bytes: int
    free_bytes: int
    forecast: Mapping[str, float | None]
    household: tuple[str, ...] = ()
    watch: WatchStanding = NOBODY_LOOKS

    @property
    def footage_bytes(self) -> int:
        """All that is stored."""
        return sum(stream.total.size_bytes for stream in self.streams)

    @property
    def oldest_ms(self) -> int | None:
        """The start of the oldest footage; None when there is none."""
        return min(
            (stream.oldest_ms for stream in self.streams if stream.oldest_ms is not None), default=None
        )


def standing_of(located: Located, index: Index) -> Standing:
    """Raises `OSError` for a disk that does not answer, `IndexFault`."""
    streams = tuple(_streams(located, index))
    disk = os.statvfs(located.store.root)
    free_bytes = disk.f_bavail * disk.f_frsize
    rates: dict[str, float] = {}
    for stream in streams:
        if stream.bytes_per_day:
            rates[stream.name.camera] = rates.get(stream.name.camera, 0) + stream.bytes_per_day
    stored_bytes = sum(stream.total.size_bytes for stream in streams)
    return Standing(
        supervisor_pid(located.store.root),
        streams,
        disk.f_blocks * disk.f_frsize,
        free_bytes,
        forecast_days(rates, policy_of(located.loaded.config), stored_bytes, free_bytes),
        household_problems(located),
        watch_standing(located.loaded.config, _run_dir(located)),
    )


def _run_dir(located: Located) -> Path:
    return find_run_directory(located.loaded.config.store.run_dir, located.store.device)


def household_problems(located: Located) -> tuple[str, ...]:
    """What the recorders report to be wrong with the household, each once, and what soon will be."""
    config = located.loaded.config
    run_dir = _run_dir(located)
    reports = [read_report(run_dir, camera) for camera in sorted(config.cameras)]
    problems = [report.household for report in reports if report and report.household]
    return tuple(dict.fromkeys(filter(None, (*problems, _running_out(located)))))


def _running_out(located: Located) -> str:
    """By the household that this recorder accepted; empty where it remembers none."""
    try:
        own = recall(located.loaded.state_dir)
    except (HouseholdError, OSError):
        return ""
    return running_out(own.newest.manifest, time.time_ns() // 1_000_000, local_zone()) if own else ""


def _streams(located: Located, index: Index) -> Iterator[StreamStanding]:
    config = located.loaded.config
    totals = index.totals()
    run_dir = _run_dir(located)
    for camera in sorted({*config.cameras, *(name.camera for name in totals)}):
        report = read_report(run_dir, camera)
        reports = report.streams if report else {}
        names = {*reports, *(name.stream for name in totals if name.camera == camera)}
        names = names - set(EVENT_STREAMS) or {"main"}
        for stream in sorted(names):
            name = StreamName(camera, stream)
            oldest = next(index.oldest(name, unsure=False), None)
            oldest_ms = oldest.name.start_ms if oldest else None
            yield StreamStanding(name, reports.get(stream), totals.get(name, Total()), oldest_ms)
