"""How looking stands: what the watcher reports, and how it ended. Times and counts; never a label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nvr.config import Config
from nvr.quantities import format_duration
from nvr.watcher_process import Ends, read_ends
from pipeline.watch_report import LookReport, LookState, WatchReport, read_watch_report


@dataclass(frozen=True, slots=True)
class WatchStanding:
    """`wanted`: the cameras that are to be looked at. `report` None: no watcher is running."""

    wanted: tuple[str, ...]
    report: WatchReport | None
    ends: Ends | None


NOBODY_LOOKS = WatchStanding((), None, None)


def watch_standing(config: Config, run_dir: Path) -> WatchStanding:
    """Reads the watcher's report and the supervisor's note."""
    wanted = tuple(
        name
        for name, camera in sorted(config.cameras.items())
        if camera.record != "off" and config.detect.of(camera.detect).enabled
    )
    return WatchStanding(wanted, read_watch_report(run_dir), read_ends(run_dir))


def watch_noun(standing: WatchStanding, now_ms: int) -> dict[str, Any]:
    """The stable shape of `--json`."""
    report = standing.report
    return {
        "wanted": list(standing.wanted),
        "pid": report.pid if report else None,
        "silent": report.is_silent(now_ms) if report else False,
        "model": report.model if report else None,
        "problem": report.problem if report else "",
        "started_ms": report.started_ms if report else None,
        "written_ms": report.written_ms if report else None,
        "ended": asdict(standing.ends) if standing.ends else None,
        "cameras": {name: asdict(camera) for name, camera in report.cameras.items()} if report else {},
    }


def watch_lines(standing: WatchStanding, now_ms: int, *, supervised: bool) -> list[str]:
    """For a person: a line a camera, and what went wrong. None where nobody is to look, or nvr run is not
    there to keep a watcher alive.
    """
    report = standing.report
    if report is None:
        if not (standing.wanted and supervised):
            return []
        return ["Looking: no watcher is running; recording does not need it.", *_ends(standing.ends, now_ms)]
    return [*_process(report, now_ms), *_cameras(standing, report, now_ms), *_ends(standing.ends, now_ms)]


def _process(report: WatchReport, now_ms: int) -> Iterator[str]:
    if report.is_silent(now_ms):
        silent = format_duration((now_ms - report.written_ms) / 1000)
        yield f"Looking: the watcher has said nothing for {silent}; what follows is from before."
    if report.problem:
        yield f"Looking: {report.problem}."


def _cameras(standing: WatchStanding, report: WatchReport, now_ms: int) -> Iterator[str]:
    for name in sorted({*standing.wanted, *report.cameras}):
        camera = report.cameras.get(name)
        yield f"Looking at {name}: {_camera(camera, now_ms) if camera else 'not yet'}."


def _camera(camera: LookReport, now_ms: int) -> str:
    parts = [f"{camera.state}" + (f" ({camera.reason})" if camera.reason else "")]
    if camera.state == LookState.LOOKING:
        parts.append(f"{camera.stream} stream, decoding {_DECODED.get(camera.mode, camera.mode)}")
    if camera.event_goes_on:
        parts.append("an event goes on")
    elif camera.last_event_end_ms:
        ago_s = max(0, now_ms - camera.last_event_end_ms) / 1000
        parts.append(f"last event ended {format_duration(ago_s)} ago")
    if camera.restarts:
        parts.append(f"began anew {_times(camera.restarts)}")
    if camera.lost_events:
        parts.append(f"{camera.lost_events} events lost")
    if camera.clock_unsure:
        parts.append("clock unsure")
    return ", ".join(parts)


_DECODED = {"all": "everything", "keyframes": "keyframes", "asleep": "a keyframe now and then"}


def _ends(ends: Ends | None, now_ms: int) -> Iterator[str]:
    if ends is not None:
        ago = format_duration((now_ms - ends.last_ms) / 1000)
        times = _times(ends.count)
        yield f"The watcher ended by itself {times}, last {ago} ago ({ends.how}); recording went on."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
