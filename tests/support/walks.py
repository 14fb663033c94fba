"""Things that walk through the picture, as a tracker would tell of them, five looks a second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.event import Began, Changed, Ended, Event, EventMaker, Happening
from pipeline.scene import Box, Point
from pipeline.track import Track

LOOK_NS = 200_000_000
SECOND_NS = 1_000_000_000
NOON_NS = 1_790_000_000 * SECOND_NS


def box_at(base: Point, height: float = 0.2, width: float = 0.08) -> Box:
    """A box that stands at `base`."""
    return Box(base.x - width / 2, base.y - height, base.x + width / 2, base.y)


@dataclass(frozen=True)
class Walk:
    """One thing: where its base is at each look, from look number `first` on."""

    way: Sequence[Point]
    first: int = 0
    label: str = "person"
    score: float = 0.6
    height: float = 0.2
    number: int = 1
    is_still: bool = False
    moved: bool = True
    missing: frozenset[int] = frozenset()  # looks of the way in which it is not found

    def track(self, look: int) -> Track | None:
        """As the tracker has it after a look; None before it came and after it went."""
        step = look - self.first
        if not 0 <= step < len(self.way):
            return None
        seen = max((one for one in range(step + 1) if one not in self.missing), default=None)
        if seen is None:
            return None
        return Track(
            self.number,
            self.label,
            self.score,
            box_at(self.way[seen], self.height),
            NOON_NS + self.first * LOOK_NS,
            NOON_NS + (self.first + seen) * LOOK_NS,
            seen + 1,
            self.is_still,
            self.moved,
        )


def straight(start: Point, end: Point, looks: int) -> list[Point]:
    """A way from one place to another."""
    return [
        Point(
            start.x + (end.x - start.x) * at / max(1, looks - 1),
            start.y + (end.y - start.y) * at / max(1, looks - 1),
        )
        for at in range(looks)
    ]


def standing(place: Point, looks: int) -> list[Point]:
    """Staying in one place."""
    return [place] * looks


def looks_at(walks: Sequence[Walk], looks: int, first: int = 0) -> Iterator[tuple[int, list[Track]]]:
    """Time and tracks of each look."""
    for look in range(first, looks):
        yield NOON_NS + look * LOOK_NS, [one for walk in walks if (one := walk.track(look)) is not None]


def happenings(maker: EventMaker, walks: Sequence[Walk], looks: int, first: int = 0) -> list[Happening]:
    """What the maker says during these looks."""
    said: list[Happening] = []
    for at_ns, tracks in looks_at(walks, looks, first):
        said += maker.seen(None, tracks, at_ns)
    return said


def all_events(maker: EventMaker, walks: Sequence[Walk], looks: int) -> list[Event]:
    """The events of these looks, the last one ended by time."""
    said = happenings(maker, walks, looks)
    said += maker.tick(NOON_NS + looks * LOOK_NS + 30 * SECOND_NS)
    return ended(said)


def began(said: Iterable[Happening]) -> list[Event]:
    """The beginnings."""
    return [one.event for one in said if isinstance(one, Began)]


def changed(said: Iterable[Happening]) -> list[Changed]:
    """The changes."""
    return [one for one in said if isinstance(one, Changed)]


def ended(said: Iterable[Happening]) -> list[Event]:
    """The ends."""
    return [one.event for one in said if isinstance(one, Ended)]


def renumbered(walk: Walk, number: int, way: Sequence[Point], first: int) -> Walk:
    """The same thing with another track number."""
    return replace(walk, number=number, way=way, first=first)
