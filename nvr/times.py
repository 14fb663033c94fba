"""Times as people write them. Pure: now and the zone come in, UTC goes out.

Local time is meant unless an offset is written. A local time that a clock change makes ambiguous or skips is
still understood, and `note` says how; nothing is guessed in silence. Bad text raises `UsageFault`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from nvr.errors import UsageFault
from nvr.quantities import parse_duration_s

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?"
_CLOCK_ALONE = re.compile(_CLOCK)
_WORDED = re.compile(rf"(today|yesterday)(?:\s+(?:at\s+)?{_CLOCK})?")
_DATED = re.compile(rf"(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})(?:[t\s]\s*{_CLOCK}\s*(z|[+-]\d{{2}}:?\d{{2}})?)?")
_AGO = re.compile(r"-\s*(.+)|(.+?)\s+ago")
_HINT = 'write it like "2026-11-22 14:05", "14:05", "-10m", "yesterday 18:00" or "2026-11-22T14:05:00Z"'


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time. `note` is a sentence when the text could have meant another one, else empty."""

    utc: datetime
    note: str = ""

    @property
    def utc_ms(self) -> int:
        """UTC milliseconds since 1970."""
        return round(self.utc.timestamp() * 1000)


def parse_moment(text: str, now: datetime, zone: tzinfo) -> Moment:
    """One point in time at or before `now` (aware). A time of day alone is the last such time."""
    lowered = " ".join(text.lower().split())
    if lowered == "now":
        return Moment(now.astimezone(UTC))
    if ago := _AGO.fullmatch(lowered):
        return Moment(now.astimezone(UTC) - _duration(ago[1] or ago[2], text))
    today = now.astimezone(zone).date()
    if alone := _CLOCK_ALONE.fullmatch(lowered):
        return _last_clock(_clock(alone.groups(), text), now, zone)
    if worded := _WORDED.fullmatch(lowered):
        day = today - timedelta(days=worded[1] == "yesterday")
        return _local(day, _clock(worded.groups()[1:], text), zone)
    return _dated(lowered, text, zone)


def parse_range(from_text: str, to_text: str, now: datetime, zone: tzinfo) -> tuple[Moment, Moment]:
    """As `to`, a time of day is the first after `from`, `+10m` counts from it, a date is its end.

    Raises `UsageFault` when nothing lies between them.
    """
    start = parse_moment(from_text, now, zone)
    end = _parse_end(to_text, start, now, zone)
    if end.utc <= start.utc:
        shown = f"--to ({show(end.utc, zone)}) is not later than --from ({show(start.utc, zone)})"
        raise UsageFault(f"{shown}: nothing lies between.")
    return start, end


def _parse_end(text: str, start: Moment, now: datetime, zone: tzinfo) -> Moment:
    lowered = " ".join(text.lower().split())
    if lowered.startswith("+"):
        return Moment(start.utc + _duration(lowered[1:], text))
    if alone := _CLOCK_ALONE.fullmatch(lowered):
        day = start.utc.astimezone(zone).date()
        clock = _clock(alone.groups(), text)
        end = _local(day, clock, zone)
        return end if end.utc > start.utc else _local(day + timedelta(days=1), clock, zone)
    if lowered in {"today", "yesterday"} or re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", lowered):
        day = parse_moment(text, now, zone).utc.astimezone(zone).date()
        return _local(day + timedelta(days=1), time(), zone)
    return parse_moment(text, now, zone)


def show(moment: datetime, zone: tzinfo) -> str:
    """A moment as people read it, to the second, in local time with its offset."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")


def _last_clock(clock: time, now: datetime, zone: tzinfo) -> Moment:
    today = now.astimezone(zone).date()
    moment = _local(today, clock, zone)
    if moment.utc <= now:
        return moment
    before = _local(today - timedelta(days=1), clock, zone)
    said = f"{clock:%H:%M} has not come yet today, so yesterday's is meant."
    return Moment(before.utc, f"{said} {before.note}".strip())


def _dated(lowered: str, text: str, zone: tzinfo) -> Moment:
    found = _DATED.fullmatch(lowered)
    if found is None:
        raise UsageFault(f'"{text}" is not a time; {_HINT}.')
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise UsageFault(f'"{text}" names a day that is not in the calendar.') from None
    clock = _clock(found.groups()[3:7], text)
    if found[8] is None:
        return _local(day, clock, zone)
    offset = "+00:00" if found[8] == "z" else found[8]
    try:
        aware = datetime.strptime(f"{day.isoformat()} {offset}", "%Y-%m-%d %z")
        return Moment(datetime.combine(day, clock, aware.tzinfo).astimezone(UTC))
    except (ValueError, OverflowError):
        raise UsageFault(f'"{text}" has an offset that does not exist; {_HINT}.') from None


def _clock(groups: tuple[str | None, ...], text: str) -> time:
    hour, minute, second, fraction = (group or "0" for group in groups[:4])
    try:
        return time(int(hour), int(minute), int(second), int(fraction.ljust(6, "0")))
    except ValueError:
        raise UsageFault(f'"{text}" has a time of day that does not exist; {_HINT}.') from None


def _duration(words: str, text: str) -> timedelta:
    try:
        return timedelta(seconds=parse_duration_s(words))
    except (ValueError, OverflowError):
        raise UsageFault(f'"{text}" is not a time; {_HINT}.') from None


def _local(day: date, clock: time, zone: tzinfo) -> Moment:
    """A local wall-clock time; the note says what the clock change did to it."""
    wall = datetime.combine(day, clock)
    try:
        first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
        second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    except OverflowError:
        raise UsageFault(f"{wall:%Y-%m-%d} is too far away.") from None
    if first == second:
        return Moment(first)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        other = second.astimezone(zone).isoformat(timespec="minutes")
        return Moment(
            first, f"{wall:%Y-%m-%d %H:%M} comes twice (clocks go back); the first is meant, not {other}."
        )
    shown = first.astimezone(zone)
    return Moment(first, f"{wall:%Y-%m-%d %H:%M} does not exist (clocks go forward); {shown:%H:%M} is meant.")
