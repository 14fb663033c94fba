"""One thing over time: whether it counts, since when, and what its part in the event is.

Rules:
- A look speaks for a thing when it was found there, its label is wanted, it is high enough, stands in no
  mask, and its score reaches what people taught for that place.
- A thing is alive while such looks come and it moves, or has not stood still too long. It counts when it has
  moved, enough of its last looks spoke for it, one of them with the score its label needs, and, with zones or
  lines, when it counts by one of these.
- When it has stood still too long it starts from nothing: to count again it must move, and earn it anew.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pipeline.event.geometry import contains
from pipeline.event.line_watch import LineWatch
from pipeline.event.nouns import Crossing, EventObject, Judge, Place, Tracked
from pipeline.event.path import Path
from pipeline.event.rules import Rules
from pipeline.event.zone_stay import ZoneStay
from pipeline.scene import Box

# How far before its confirmation an event may begin (a long stay in a zone): footage without events goes
# two minutes later at the earliest, and what was looked at is told a minute late.
REACH_BACK_NS = 55_000_000_000


TrackKey = tuple[int, int]
"""A track's number and when it was first seen: a tracker that begins anew gives the same numbers again."""


@dataclass(slots=True)
class Part:
    """What one thing contributes to the event that is open."""

    label: str
    first_ns: int
    last_ns: int
    score: float = 0.0
    zones: list[str] = field(default_factory=list)
    loitered: list[str] = field(default_factory=list)
    lines: list[Crossing] = field(default_factory=list)
    path: Path = field(default_factory=Path)

    def noun(self, start_ns: int) -> EventObject:
        """As it stands, with the path since `start_ns`."""
        return EventObject(
            self.label,
            self.score,
            self.first_ns,
            self.last_ns,
            tuple(self.zones),
            tuple(self.loitered),
            tuple(self.lines),
            self.path.since(start_ns),
        )


class Followed:
    """One thing, through all track numbers it gets."""

    def __init__(self, track: TrackKey, rules: Rules, judge: Judge | None) -> None:
        self.track = track
        self.seen_ns = 0  # when it was last found
        self.box = Box(0.0, 0.0, 0.0, 0.0)
        self.label = ""
        self.newest_score = 0.0
        self.part: Part | None = None
        self.alive = False  # in the newest look
        self.is_present = False  # the tracker still had it after the newest look
        self._rules = rules
        self._judge = judge
        self._still_since_ns: int | None = None
        self.start_anew()

    def start_anew(self) -> None:
        """Forgets what it has earned."""
        self._looks: deque[bool] = deque(maxlen=self._rules.confirm_of)
        self.is_confirmed = False  # whether enough looks spoke for it, one of them surely
        self.counts = False  # whether it may be part of an event
        self._is_sure = False
        self._score = 0.0
        self._first_ns: int | None = None
        self._path = Path()
        self._stays: dict[str, ZoneStay] = {}
        self._watches: dict[str, LineWatch] = {}
        self._crossings: list[Crossing] = []

    def look(self, track: Tracked, at_ns: int) -> bool:
        """The track after the newest look; whether something is new that people may want to know."""
        found = track.seen_ns >= at_ns
        self._watch_stillness(track, at_ns)
        self.alive, self.is_present = False, True
        if not found:
            self._looks.append(False)
            return False
        self.seen_ns, self.box = track.seen_ns, track.box
        self.label, self.newest_score = track.label, track.score
        if self._is_resting(track, at_ns):
            return False
        speaks, is_sure = self._judged(track, at_ns)
        self._looks.append(speaks)
        return self._live(track, at_ns, is_sure) if speaks else False

    def stay(self, now_ns: int) -> int:
        """Lets its part last as long as it is held to stand there, found or not; until when that is.

        A still thing drops out of the detector's sight for 16 s and more; where nothing moves, nobody looks.
        """
        if self.part is None or not (self.counts and self.is_present) or self._still_since_ns is None:
            return 0
        rests_ns = self._still_since_ns + round(self._rules.stillness_s(self.label) * 1e9)
        self.part.last_ns = max(self.part.last_ns, min(now_ns, rests_ns))
        return self.part.last_ns

    def begin_part(self, at_ns: int, not_before_ns: int = 0) -> Part:
        """Its part in an event, from when it began to count, but not before the event began."""
        since = self._since_ns()
        first = max(at_ns - REACH_BACK_NS, not_before_ns, at_ns if since is None else since)
        self.part = Part(self.label, first, max(first, at_ns))
        for place in self._path.since(first - round(self._rules.pre_roll_s * 1e9)):
            self.part.path.add(place)
        self._fill(self.part)
        return self.part

    def split_part(self, at_ns: int) -> Part:
        """Goes on with a new part from now on, as the event it took part in is cut here."""
        self.part = Part(self.label, at_ns, at_ns, self._score)
        self._crossings.clear()
        self._fill(self.part)
        return self.part

    def _watch_stillness(self, track: Tracked, at_ns: int) -> None:
        if not track.is_still:
            self._still_since_ns = None
        elif self._still_since_ns is None:
            self._still_since_ns = at_ns

    def _is_resting(self, track: Tracked, at_ns: int) -> bool:
        """Whether it has stood still too long, or ever since. What it had earned is gone then."""
        since = self._still_since_ns
        if since is None:
            return False
        if track.moved and at_ns - since < self._rules.stillness_s(self.label) * 1e9:
            return False
        if self._first_ns is not None:
            self.start_anew()
        return True

    def _judged(self, track: Tracked, at_ns: int) -> tuple[bool, bool]:
        """Whether this look speaks for the thing, and whether its score is enough for its label."""
        rules = self._rules
        if track.label not in rules.labels or track.box.height < rules.needed_height(track.label):
            return False, False
        if any(contains(mask.corners, track.box.base) for mask in rules.masks):
            return False, False
        usual = rules.needed_score(track.label)
        needed = self._judge.needed_score(track.label, track.box, at_ns, usual) if self._judge else usual
        if needed > usual and track.score < needed:
            return False, False
        return True, track.score >= needed

    def _live(self, track: Tracked, at_ns: int, is_sure: bool) -> bool:
        self.alive = True
        self._is_sure |= is_sure
        if self._first_ns is None:
            self._first_ns = at_ns
        self._score = max(self._score, track.score)
        place = Place(at_ns, track.box, track.score)
        self._path.add(place)
        self._path.forget_before(at_ns - REACH_BACK_NS)
        new = self._look_at_places(track, at_ns)
        self.is_confirmed |= self._is_sure and sum(self._looks) >= self._rules.confirm
        self.counts |= track.moved and self.is_confirmed and self._since_ns() is not None
        if self.counts and self.part is not None:
            self.part.last_ns = max(self.part.last_ns, at_ns)
            self.part.path.add(place)
            self._fill(self.part)
        return new

    def _look_at_places(self, track: Tracked, at_ns: int) -> bool:
        new = False
        for zone in self._rules.zones:
            if not zone.labels or track.label in zone.labels:
                stay = self._stays.setdefault(zone.name, ZoneStay(zone))
                new |= stay.look(track.box, at_ns)
        for line in self._rules.lines:
            if not line.labels or track.label in line.labels:
                crossing = self._watches.setdefault(line.name, LineWatch(line)).look(track.box, at_ns)
                if crossing is not None:
                    self._crossings.append(crossing)
                    new = True
        return new

    def _since_ns(self) -> int | None:
        """Since when it is seen or, with zones or lines, since when it counts by one; None when by none."""
        if not (self._rules.zones or self._rules.lines):
            return self._first_ns
        stays = [stay.since_ns for stay in self._stays.values() if stay.counts and stay.since_ns is not None]
        return min([*stays, *(crossing.at_ns for crossing in self._crossings)], default=None)

    def _fill(self, part: Part) -> None:
        part.label = self.label
        part.score = max(part.score, self._score)
        part.zones = [name for name, stay in self._stays.items() if stay.was_in]
        part.loitered = [name for name, stay in self._stays.items() if stay.loitered]
        part.lines += [crossing for crossing in self._crossings if crossing not in part.lines]
