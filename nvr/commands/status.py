"""`nvr status`: what is being recorded and looked at, and the state of the disk.

Never shows an address, a password or a label.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from nvr.index_access import open_index
from nvr.local_zone import local_zone
from nvr.located import locate
from nvr.quantities import format_duration, format_size
from nvr.standing import Standing, StreamStanding, standing_of
from nvr.watch_standing import watch_lines, watch_noun
from pipeline.health import State

_COLOURS = {State.RECORDING: "green", State.PAUSED: "cyan", State.CONNECTING: "yellow"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference.md describes it.")
@click.pass_obj
def status(config: Path | None, as_json: bool) -> None:
    """Show what is being recorded and looked at, and the state of the disk.

    \b
    Examples:
      nvr status
      nvr status --json
      watch -n 5 nvr status
    """
    located = locate(config)
    with open_index(located.store) as index:
        standing = standing_of(located, index)
    if as_json:
        click.echo(json.dumps(as_json_noun(standing), indent=2))
        return
    now_ms = time.time_ns() // 1_000_000
    console = Console(highlight=False)
    console.print(_table(standing, now_ms))
    looking = watch_lines(standing.watch, now_ms, supervised=bool(standing.supervisor_pid))
    for line in [*looking, *disk_lines(standing)]:
        click.echo(line)


def as_json_noun(standing: Standing) -> dict[str, Any]:
    """The stable shape of `--json`: times in UTC ms, sizes in bytes, null for what is not known."""
    return {
        "supervisor_pid": standing.supervisor_pid or None,
        "streams": [_stream_noun(stream) for stream in standing.streams],
        "disk": {
            "total_bytes": standing.disk_bytes,
            "free_bytes": standing.free_bytes,
            "footage_bytes": standing.footage_bytes,
        },
        "oldest_ms": standing.oldest_ms,
        "forecast_days": {
            camera: None if days is None else round(days, 2) for camera, days in standing.forecast.items()
        },
        "household": list(standing.household),
        "watch": watch_noun(standing.watch, time.time_ns() // 1_000_000),
    }


def _stream_noun(stream: StreamStanding) -> dict[str, Any]:
    return {
        "camera": stream.name.camera,
        "stream": stream.name.stream,
        "recording": stream.recording,
        "report": None if stream.report is None else asdict(stream.report),
        "segments": stream.total.segments,
        "bytes": stream.total.size_bytes,
        "recorded_ms": stream.total.recorded_ms,
        "oldest_ms": stream.oldest_ms,
    }


def _table(standing: Standing, now_ms: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("camera", "stream", "state"):
        table.add_column(heading, overflow="fold")
    for heading in ("last segment", "kB/s", "dropped", "reconnects", "stored"):
        table.add_column(heading, justify="right")
    for stream in standing.streams:
        table.add_row(stream.name.camera, stream.name.stream, *_cells(stream, now_ms))
    return table


def _cells(stream: StreamStanding, now_ms: int) -> list[str]:
    stored = format_size(stream.total.size_bytes)
    report = stream.report
    if report is None:
        return ["[red]not recording[/]", "–", "–", "–", "–", stored]
    colour = _COLOURS.get(report.state, "red")
    reason = f" ({report.reason})" if report.reason else ""
    unsure = ", clock unsure" if report.clock_unsure else ""
    last_s = (now_ms - report.last_segment_end_ms) / 1000
    return [
        f"[{colour}]{report.state}[/]{reason}{unsure}",
        f"{format_duration(last_s)} ago" if report.last_segment_end_ms else "none yet",
        f"{report.bytes_per_s / 1000:.0f}",
        str(report.lost_packets),
        str(report.reconnects),
        stored,
    ]


def disk_lines(standing: Standing) -> list[str]:
    """What stands under the table."""
    lines = [
        f"Disk: {format_size(standing.free_bytes)} free of {format_size(standing.disk_bytes)}; "
        f"footage {format_size(standing.footage_bytes)}."
    ]
    if standing.oldest_ms is not None:
        oldest = datetime.fromtimestamp(standing.oldest_ms / 1000, UTC).astimezone(local_zone())
        lines.append(f"Oldest footage: {oldest:%Y-%m-%d %H:%M}.")
    if standing.forecast:
        kept = ", ".join(f"{camera} {_days(days)}" for camera, days in standing.forecast.items())
        lines.append(f"At the present rate footage is kept about: {kept}.")
    lines += [f"Household: {problem}." for problem in standing.household]
    if not standing.supervisor_pid:
        lines.append("nvr run is not running.")
    return lines


def _days(days: float | None) -> str:
    if days is None:
        return "for ever"
    return format_duration(days * 86_400) if days < 2 else f"{days:.3g} days"
