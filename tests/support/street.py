"""A street of cameras under one `nvr run`, and how a test waits for what happens there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nvr.listing import runs_of
from pipeline.health import State, StreamReport, read_report
from pipeline.index import row_of
from pipeline.names import SegmentName
from tests.support.faulty import FaultyCamera
from tests.support.household import Household, Running, until
from tests.support.listed import Listed, listed
from tests.support.rtsp import Camera


@dataclass(frozen=True)
class Street:
    """All that runs: the household, its supervisor, and the cameras that a test does something to."""

    house: Household
    run: Running
    killed: Camera
    frozen: Camera
    faulty: dict[str, FaultyCamera]

    def report(self, name: str) -> StreamReport | None:
        """What the recorder says of the main stream now: what `nvr status` shows, without a process each."""
        found = read_report(self.house.run_dir, name)
        return found.streams["main"] if found else None

    def await_report(self, name: str, reached: Callable[[StreamReport], object]) -> StreamReport:
        """Waits for what a report says."""
        until(lambda: (one := self.report(name)) and reached(one), 60, self.run.log)
        found = self.report(name)
        assert found is not None
        return found

    def await_state(self, name: str, state: State) -> StreamReport:
        """Waits until a camera is in that state."""
        return self.await_report(name, lambda one: one.state == state)

    def await_segments(self, name: str, reached: Callable[[list[SegmentName]], object]) -> Listed:
        """Waits for what is published of a camera's main stream, then lists it."""

        def names() -> list[SegmentName]:
            found = [one.name for one in self.house.segments(name) if one.stream.stream == "main"]
            return sorted(found, key=lambda one: one.sequence)

        until(lambda: reached(names()), 60, self.run.log)
        count = len(names())
        until(lambda: sum(run["segments"] for run in listed(self.house, name).runs) >= count)
        return listed(self.house, name)

    def await_run(self, name: str, at_least_ms: int = 15_000) -> dict[str, Any]:
        """Waits for footage of that length without a break. (GStreamer's server stalls now and then when it
        begins under load; then it is connected to again.)
        """

        def is_there() -> bool:
            main = [one for one in self.house.segments(name) if one.stream.stream == "main"]
            runs = runs_of(sorted(map(row_of, main)))
            return any(run.to_ms - run.from_ms >= at_least_ms for run in runs)

        until(is_there, 60, self.run.log)
        runs: list[dict[str, Any]] = []

        def is_listed() -> bool:
            runs[:] = (
                run for run in listed(self.house, name).runs if run["to_ms"] - run["from_ms"] >= at_least_ms
            )
            return bool(runs)

        until(is_listed)
        return runs[-1]
