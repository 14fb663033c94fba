"""When a camera records by schedule: weekly spans in local time, as in `"mon-fri 08:00-18:00"`. Pure.

A span that ends before it begins runs over midnight and belongs to the day it begins on: `"fri 22:00-06:00"`
covers Saturday's early hours. Wall-clock times are meant: a span is an hour longer or shorter when clocks
change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_EXAMPLE = 'write it like "mon-fri 08:00-18:00", "sat,sun" or "22:00-06:00"'


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes after local midnight on some weekdays (0 is Monday); `to_minute` may lie past the day's end."""

    days: frozenset[int]
    from_minute: int
    to_minute: int

    def contains(self, local: datetime) -> bool:
        """Whether this local time lies inside; the end is not included."""
        minute = local.hour * 60 + local.minute
        yesterday = (local.weekday() - 1) % 7
        return (local.weekday() in self.days and self.from_minute <= minute < self.to_minute) or (
            yesterday in self.days and self.from_minute <= minute + DAY_MINUTES < self.to_minute
        )


def in_schedule(spans: Iterable[Span], local: datetime) -> bool:
    """Whether any of the spans contains this local time."""
    return any(span.contains(local) for span in spans)


def parse_span(text: str) -> Span:
    """One line of a schedule. Raises `ValueError` with a sentence that says how to write it."""
    words = re.sub(r"\s*([-,])\s*", r"\1", text.strip().lower()).split()
    if not 1 <= len(words) <= 2:
        raise ValueError(f"is not a schedule; {_EXAMPLE}")
    clock_only = len(words) == 1 and ":" in words[0]
    days = frozenset(range(7)) if clock_only else _parse_days(words[0])
    if len(words) == 1 and not clock_only:
        return Span(days, 0, DAY_MINUTES)
    from_minute, to_minute = _parse_clocks(words[-1])
    return Span(days, from_minute, to_minute if to_minute > from_minute else to_minute + DAY_MINUTES)


def _parse_days(text: str) -> frozenset[int]:
    if text in {"daily", "always"}:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = _day(first), _day(last or first)
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)


def _day(text: str) -> int:
    if text[:3] not in DAYS or not text.isalpha():
        raise ValueError(f"names no weekday; {_EXAMPLE}")
    return DAYS.index(text[:3])


def _parse_clocks(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash:
        raise ValueError(f"has no end; {_EXAMPLE}")
    return _minute(first), _minute(last)


def _minute(text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found is None or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > DAY_MINUTES:
        raise ValueError(f"has a time of day that does not exist; {_EXAMPLE}")
    return int(found[1]) * 60 + int(found[2])
