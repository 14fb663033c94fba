"""Which generations a group gets, and when each begins. Pure: the clock and the making are passed in.

Rules:
- A generation for each month of UTC, prepared until twelve months ahead.
- A new one may be asked for from now on; what was prepared is then dropped, unless footage was sealed to it.
- Numbers are never used twice, and a later number never begins earlier. So a clock that was once far ahead
  spoils nothing: what it prepared is dropped. A clock that is behind begins where the last used one began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from crypto.identity import Identity
from pipeline.household.choosing import month_after_ms
from pipeline.household.model import Generation, Group

AHEAD_MONTHS = 12
_DAY_MS = 86_400_000
_FARTHEST_MS = 400 * _DAY_MS
"""Nobody prepares beyond this; what begins later was made by a clock that was wrong."""

MakeIdentity = Callable[[], Identity]


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """A generation just made, with the identity that opens it."""

    group: str
    number: int
    identity: Identity = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grown:
    """A group as it is to be, and what was made for it."""

    group: Group
    made: tuple[NewGeneration, ...] = ()


def first_generations(name: str, cameras: Sequence[str], now_ms: int, make: MakeIdentity) -> Grown:
    """A new group. Its first generation has no beginning, so that every clock finds it."""
    return _grown(Group(name, tuple(sorted(cameras)), ()), [0, *_months_after(now_ms)], make)


def renewed(group: Group, now_ms: int, used: AbstractSet[int], make: MakeIdentity) -> Grown:
    """The group with a new generation from now on. `used` are the numbers that footage was sealed to."""
    begun = _begun(group, now_ms, used)
    from_ms = max(now_ms, begun[-1].from_ms)
    highest = group.newest.number
    return _grown(replace(group, generations=begun), [from_ms, *_months_after(from_ms)], make, highest)


def topped_up(group: Group, now_ms: int, used: AbstractSet[int], make: MakeIdentity) -> Grown:
    """The group with generations prepared until twelve months ahead; the same group if they are."""
    kept = group.generations
    if kept[-1].from_ms > now_ms + _FARTHEST_MS:
        kept = _begun(group, now_ms, used)
    last_ms = kept[-1].from_ms
    overdue = [now_ms] if month_after_ms(last_ms) <= now_ms else []
    missing = [*overdue, *(month for month in _months_after(now_ms) if month > last_ms)]
    if not missing:
        return Grown(group)
    return _grown(replace(group, generations=kept), missing, make, group.newest.number)


def _begun(group: Group, now_ms: int, used: AbstractSet[int]) -> tuple[Generation, ...]:
    """Those that may have been sealed to: up to the last that has begun or is known as used."""
    begun = [one.number for one in group.generations if one.from_ms <= now_ms or one.number in used]
    last = max(begun, default=group.generations[0].number)
    return tuple(one for one in group.generations if one.number <= last)


def _grown(group: Group, begins_ms: Iterable[int], make: MakeIdentity, highest: int = 0) -> Grown:
    made = [
        (from_ms, NewGeneration(group.name, number, make()))
        for number, from_ms in enumerate(begins_ms, highest + 1)
    ]
    new = (Generation(one.number, str(one.identity.recipient), from_ms) for from_ms, one in made)
    return Grown(replace(group, generations=(*group.generations, *new)), tuple(one for _, one in made))


def _months_after(at_ms: int) -> list[int]:
    """The next twelve beginnings of a month."""
    months = []
    for _ in range(AHEAD_MONTHS):
        at_ms = month_after_ms(at_ms)
        months.append(at_ms)
    return months
