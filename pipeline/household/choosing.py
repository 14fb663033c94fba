"""To whom a camera's footage is sealed at a time: chosen from the manifest, never made. Pure.

Rules:
- Of a group's generations that have begun, the highest number counts; if none has begun, the lowest.
- A generation is meant for the UTC month in which it begins. When the last one's month is over, it goes on
  all the same: nothing is lost, and whoever asks is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pipeline.household.model import Generation, Group, Manifest
from pipeline.names import LAST_MS


@dataclass(frozen=True, slots=True)
class Choice:
    """What a segment is sealed to."""

    group: str
    generation: int
    recipient: str


def choose(manifest: Manifest, camera: str, now_ms: int) -> Choice:
    """What a segment of `camera` that begins at `now_ms` is sealed to."""
    group = manifest.group_of(camera)
    generation = current(group, now_ms)
    return Choice(group.name, generation.number, generation.recipient)


def current(group: Group, now_ms: int) -> Generation:
    """The generation of the group that counts at `now_ms`."""
    begun = [one for one in group.generations if one.from_ms <= now_ms]
    return begun[-1] if begun else group.generations[0]


@lru_cache(maxsize=256)
def month_after_ms(at_ms: int) -> int:
    """When the UTC month after that of `at_ms` begins; at the end of the year 9999, its last millisecond."""
    begun = datetime.fromtimestamp(min(at_ms, LAST_MS) // 1000, UTC)
    if (begun.year, begun.month) == (9999, 12):
        return LAST_MS
    first = begun.replace(day=1, hour=0, minute=0, second=0)
    return int((first + timedelta(days=32)).replace(day=1).timestamp()) * 1000


def prepared_until_ms(group: Group) -> int:
    """Until when the group's generations last as they are meant to: the end of the last one's month."""
    return month_after_ms(group.newest.from_ms)


def has_run_out(group: Group, now_ms: int) -> bool:
    """Whether the last prepared generation is used beyond its month."""
    return now_ms >= prepared_until_ms(group)
