"""How things stand: what recorders report, the index counts, the disk has left. Changes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass

from nvr.forecast import Room, days_that_fit
from nvr.located import Located
from nvr.run_directory import find_run_directory
from nvr.running import supervisor_pid
from pipeline.health import State, StreamReport, read_report
from pipeline.index import Index, Total
from pipeline.model import StreamName


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
    def bytes_per_s(self) -> float:
        """Of the last seconds; 0 when it is not recording."""
        return float(self.report.bytes_per_s) if self.report is not None and self.recording else 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole household. `forecast_days` is None when nothing is being recorded."""

    supervisor_pid: int
    streams: tuple[StreamStanding, ...]
    disk_bytes: int
    room: Room
    forecast_days: float | None

    @property
    def oldest_ms(self) -> int | None:
        """The start of the oldest footage; None when there is none."""
        return min(
            (stream.oldest_ms for stream in self.streams if stream.oldest_ms is not None), default=None
        )


def standing_of(located: Located, index: Index) -> Standing:
    """Raises `OSError` for a disk that does not answer, `IndexFault`."""
    settings = located.loaded.config.store
    totals = index.totals()
    run_dir = find_run_directory(settings.run_dir, located.store.device)
    streams = []
    for camera in sorted({*located.loaded.config.cameras, *(name.camera for name in totals)}):
        report = read_report(run_dir, camera)
        reports = report.streams if report else {}
        names = {*reports, *(name.stream for name in totals if name.camera == camera)} or {"main"}
        for stream in sorted(names):
            name = StreamName(camera, stream)
            oldest = next(index.oldest(name, unsure=False), None)
            streams.append(
                StreamStanding(
                    name,
                    reports.get(stream),
                    totals.get(name, Total()),
                    oldest.name.start_ms if oldest else None,
                )
            )
    disk = os.statvfs(located.store.root)
    room = Room(
        sum(total.size_bytes for total in totals.values()),
        disk.f_bavail * disk.f_frsize,
        settings.min_free,
        settings.max_bytes,
    )
    rate = sum(stream.bytes_per_s for stream in streams)
    return Standing(
        supervisor_pid(located.store.root),
        tuple(streams),
        disk.f_blocks * disk.f_frsize,
        room,
        days_that_fit(room, rate, settings.days),
    )
