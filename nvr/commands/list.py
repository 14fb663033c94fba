"""`nvr list`: what there is, what is missing and why, what is held."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import click

from nvr.index_access import open_index
from nvr.listing import MARK_SLACK_MS, Gap, Run, gaps_of, missing_numbers, runs_of
from nvr.local_zone import local_zone
from nvr.located import locate
from nvr.quantities import format_duration, format_size
from nvr.times import Moment, parse_moment, parse_range
from pipeline.index import Index, Row
from pipeline.model import StreamName
from pipeline.names import DAY_MS, EVENT_STREAMS, LAST_MS, HoldName


@dataclass(frozen=True, slots=True)
class _Stream:
    name: StreamName
    runs: list[Run]
    gaps: list[Gap]


@click.command("list")
@click.option("--camera", metavar="C", help="Only this camera.")
@click.option("--from", "from_text", metavar="T", help="Since when; by default a day before --to.")
@click.option("--to", "to_text", metavar="T", default="now", show_default=True, help="Until when.")
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference.md describes it.")
@click.pass_obj
def list_footage(
    config: Path | None, camera: str | None, from_text: str | None, to_text: str, as_json: bool
) -> None:
    """List footage, gaps with their reason, and holds.

    Times are local ("2026-11-22 14:05", "14:05", "-10m", "yesterday 18:00") or have an offset (RFC 3339).

    \b
    Examples:
      nvr list
      nvr list --camera front --from yesterday --to yesterday
      nvr list --from -1h --json
    """
    located = locate(config)
    if camera:
        located.checked_camera(camera)
    zone = local_zone()
    start, end = _range(from_text, to_text, zone)
    for note in filter(None, (start.note, end.note)):
        click.echo(note, err=True)
    with open_index(located.store) as index:
        streams = list(_streams(index, camera, start.utc_ms, end.utc_ms))
        holds = index.holds(camera)
    if as_json:
        click.echo(json.dumps(_noun(start.utc_ms, end.utc_ms, streams, holds), indent=2))
    else:
        for line in _lines(streams, holds, zone):
            click.echo(line)


def _range(from_text: str | None, to_text: str, zone: tzinfo) -> tuple[Moment, Moment]:
    now = datetime.now(UTC)
    if from_text is not None:
        return parse_range(from_text, to_text, now, zone)
    end = parse_moment(to_text, now, zone)
    return Moment(end.utc - timedelta(days=1)), end


def _streams(index: Index, camera: str | None, from_ms: int, to_ms: int) -> Iterator[_Stream]:
    for name in index.streams():
        if camera in (None, name.camera) and name.stream not in EVENT_STREAMS:
            rows = index.rows(name, from_ms, to_ms)
            runs = runs_of(rows)
            marks = index.gap_marks(name, from_ms - MARK_SLACK_MS, to_ms)
            yield _Stream(name, runs, gaps_of(runs, marks, _elsewhere(index, name, rows, runs)))


def _elsewhere(index: Index, name: StreamName, rows: Iterable[Row], runs: Sequence[Run]) -> set[int]:
    """Numbers that gaps lack and that are there all the same: a clock that was set has put them elsewhere."""
    if (lacking := missing_numbers(runs)) is None:
        return set()
    first, last = lacking
    return {row.sequence for row in rows if first <= row.sequence <= last}.union(
        index.unsure_sequences(name, first, last)
    )


def _run_noun(run: Run) -> dict[str, Any]:
    return {
        "from_ms": run.from_ms,
        "to_ms": run.to_ms,
        "segments": run.segments,
        "size_bytes": run.size_bytes,
        "clock_unsure": run.clock_unsure,
        "unfinished": run.unfinished,
        "kept_until_ms": run.kept_until_ms,
    }


def _noun(from_ms: int, to_ms: int, streams: Iterable[_Stream], holds: Iterable[HoldName]) -> dict[str, Any]:
    """The stable shape of `--json`: times in UTC ms, sizes in bytes; `to_ms` null: it still lasts."""
    return {
        "from_ms": from_ms,
        "to_ms": to_ms,
        "streams": [
            {
                "camera": stream.name.camera,
                "stream": stream.name.stream,
                "runs": [_run_noun(run) for run in stream.runs],
                "gaps": [asdict(gap) for gap in stream.gaps],
            }
            for stream in streams
        ],
        "holds": [asdict(hold) for hold in holds],
    }


def _lines(streams: Iterable[_Stream], holds: Sequence[HoldName], zone: tzinfo) -> Iterator[str]:
    count = 0
    for stream in streams:
        if not stream.runs:
            continue
        count += 1
        yield click.style(str(stream.name), bold=True)
        parts: list[Run | Gap] = [*stream.runs, *stream.gaps]
        for part in sorted(parts, key=lambda part: part.from_ms):
            yield f"  {_span(part.from_ms, part.to_ms, zone)}  {_what(part, zone)}"
    if not count:
        yield "No footage in that time."
    if holds:
        yield click.style("held", bold=True)
        for hold in holds:
            yield f"  {_span(hold.from_ms, hold.to_ms, zone)}  {hold.camera}"


def _what(part: Run | Gap, zone: tzinfo) -> str:
    if isinstance(part, Gap):
        lasted = "until now" if part.to_ms is None else format_duration((part.to_ms - part.from_ms) / 1000)
        return click.style(f"gap, {lasted}: {part.reason}", fg="yellow")
    segments = "1 segment" if part.segments == 1 else f"{part.segments} segments"
    said = [format_duration((part.to_ms - part.from_ms) / 1000), segments, format_size(part.size_bytes)]
    if part.clock_unsure:
        said.append("clock unsure")
    if part.unfinished:
        said.append(f"{part.unfinished} unfinished")
    if part.kept_until_ms is not None:
        said.append(f"kept until {_day(part.kept_until_ms, zone)}")
    return ", ".join(said)


def _day(utc_ms: int, zone: tzinfo) -> str:
    shown_ms = min(
        utc_ms, LAST_MS - DAY_MS
    )  # the last deadline there is would be in the year 10000 east of London
    return f"{datetime.fromtimestamp(shown_ms / 1000, zone):%Y-%m-%d}"


def _span(from_ms: int, to_ms: int | None, zone: tzinfo) -> str:
    start = datetime.fromtimestamp(from_ms / 1000, zone)
    if to_ms is None:
        return f"{start:%Y-%m-%d %H:%M:%S} –         "
    end = datetime.fromtimestamp(to_ms / 1000, zone)
    same_day = start.date() == end.date()
    return (
        f"{start:%Y-%m-%d %H:%M:%S} – {end:%H:%M:%S}"
        if same_day
        else f"{start:%Y-%m-%d %H:%M:%S} – {end:%Y-%m-%d %H:%M:%S}"
    )
