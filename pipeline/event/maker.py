"""From tracks and loud sounds to events. Pure but for the picture it holds; time comes in with every call.

Rules:
- Everything that counts while an event is open belongs to it; it ends when nothing has counted for the gap
  (or the post-roll, if that is longer), and is split when it gets too long. So events of a camera do not
  overlap.
- It begins the pre-roll before the first thing in it was seen, which is told with the look that confirms it.
- Whatever is open ends before time runs backwards, or leaps; then everything begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.event.following import REACH_BACK_NS, Followed, TrackKey
from pipeline.event.found_again import FOUND_AGAIN_NS, lost_thing
from pipeline.event.nouns import Began, Changed, Ended, Event, Happening, Judge, Place, Tracked
from pipeline.event.open_event import OpenEvent
from pipeline.event.rules import Rules
from pipeline.scene import Sound

if TYPE_CHECKING:
    from pipeline.picture import Frame

TOLERATED_NS = 5_000_000_000  # backwards: a look is answered late when many cameras wait, ticks go on
LEAP_NS = 90_000_000_000  # a still camera is looked at every minute
TELL_EVERY_NS = 5_000_000_000  # how often an open event is handed on while only time passes
CONFIRMING_NS = 1_000_000_000  # what a thing that came in the gap needs to be confirmed: five looks


class EventMaker:
    """Makes the events of one camera. `feedback`: what people taught, or None. Numbers go on from
    `last_number`, for a maker that takes the place of another.
    """

    def __init__(self, rules: Rules, feedback: Judge | None = None, last_number: int = 0) -> None:
        self.rules = rules
        self.feedback = feedback
        self._now_ns = 0
        self._followed: dict[TrackKey, Followed] = {}
        self._open: OpenEvent | None = None
        self.last_number = last_number
        self._ended_ns = 0  # the end of the event before

    @property
    def open_event(self) -> Event | None:
        """The event under way, as it stands."""
        return self._noun(self._open) if self._open else None

    def seen(self, frame: Frame | None, tracks: Sequence[Tracked], at_ns: int) -> list[Happening]:
        """All living tracks after the look at `frame` (None: no picture can be kept), shown at `at_ns`."""
        happenings = self._advance(at_ns)
        notable = self._follow(tracks, at_ns)
        happenings += self._gather(at_ns, notable)
        if frame is not None:
            self._offer(frame, at_ns)
        return self._with_picture(happenings)

    def heard(self, from_ns: int, to_ns: int, sound: Sound) -> list[Happening]:
        """A loud span; told again with a later end while it lasts."""
        happenings = self._advance(max(to_ns, self._now_ns))  # it is measured a moment after frames
        if self._open is None:
            self._open = self._new_event(from_ns)
            self._open.heard(to_ns, sound)
            return [*happenings, Began(self._told(self._open, to_ns))]
        is_new = self._open.sound is None
        self._open.heard(to_ns, sound)
        return [*happenings, *([Changed(self._told(self._open, to_ns))] if is_new else [])]

    def tick(self, at_ns: int) -> list[Happening]:
        """Time has passed, whether or not there was anything to see. Ends what has been quiet long enough."""
        return self._advance(at_ns)

    def finish(self, at_ns: int) -> list[Happening]:
        """Ends what is open (the watcher stops, the stream changes), and forgets every thing."""
        happenings: list[Happening] = []
        if self._open is not None:
            end_ns = min(self._end_ns(self._open), max(at_ns, self._open.last_ns))
            happenings.append(self._end(end_ns))
        self._followed.clear()
        self._now_ns = 0
        return happenings

    def _advance(self, at_ns: int) -> list[Happening]:
        """Takes the time, and closes or cuts the open event if it is due."""
        if self._now_ns and not -TOLERATED_NS <= at_ns - self._now_ns <= LEAP_NS:
            happenings = self.finish(self._now_ns)
            if at_ns < self._ended_ns:
                self._ended_ns = 0  # of another time
            self._now_ns = at_ns
            return happenings
        self._now_ns = max(at_ns, self._now_ns)
        if self._open is None:
            return []
        for one in self._followed.values():
            if self._open.has(one.part):
                self._open.last_ns = max(self._open.last_ns, one.stay(self._now_ns))
        if self._now_ns > self._closing_ns(self._open):
            self._forget_parts(self._open)
            return [self._end(self._end_ns(self._open))]
        if self._now_ns - self._open.start_ns >= self.rules.longest_s * 1e9 or self._open.is_full:
            return self._split(self._now_ns)
        return []

    def _follow(self, tracks: Sequence[Tracked], at_ns: int) -> bool:
        """Brings every followed thing up to date; whether something notable happened to one that counts."""
        notable = False
        for one in self._followed.values():
            one.alive = one.is_present = False
        for track in tracks:
            one = self._thing_of(track, tracks)
            notable |= one.look(track, at_ns) and one.part is not None
        alive = {_key(track) for track in tracks}
        for key, one in list(self._followed.items()):
            if key not in alive and at_ns - one.seen_ns > FOUND_AGAIN_NS:
                del self._followed[key]
        return notable

    def _thing_of(self, track: Tracked, tracks: Sequence[Tracked]) -> Followed:
        """What the track belongs to: the thing it had, a lost one near, or a new one."""
        key = _key(track)
        if (known := self._followed.get(key)) is not None:
            return known
        found_now = {_key(one) for one in tracks if one.seen_ns == track.seen_ns}
        same = lost_thing((one for one in self._followed.values() if one.track not in found_now), track)
        if same is None:
            return self._followed.setdefault(key, Followed(key, self.rules, self.feedback))
        self._followed[key] = self._followed.pop(same.track)
        same.track = key
        return same

    def _gather(self, at_ns: int, notable: bool) -> list[Happening]:
        """Puts what counts into the open event; opens one if there is none."""
        is_new = self._open is None
        for one in self._followed.values():
            if not (one.alive and one.counts):
                continue
            if self._open is None or not self._open.has(one.part):
                part = one.begin_part(at_ns, self._open.start_ns if self._open else 0)
                self._open = self._open or self._new_event(part.first_ns)
                self._open.add(part)
                notable = True
            self._open.last_ns = max(self._open.last_ns, at_ns)
        if self._open is None:
            return []
        if is_new:
            return [Began(self._told(self._open, at_ns))]
        if notable or at_ns - self._open.told_ns >= TELL_EVERY_NS:
            return [Changed(self._told(self._open, at_ns), notable)]
        return []

    def _offer(self, frame: Frame, at_ns: int) -> None:
        if self._open is None:
            return
        for one in self._followed.values():
            if one.alive and one.part is not None and self._open.has(one.part):
                self._open.offer(frame, one.part, Place(at_ns, one.box, one.newest_score))

    def _with_picture(self, happenings: list[Happening]) -> list[Happening]:
        """The last happening with the picture that this very frame may have given."""
        if self._open is not None and happenings and not isinstance(happenings[-1], Ended):
            last = happenings[-1]
            event = self._noun(self._open)
            happenings[-1] = Began(event) if isinstance(last, Began) else Changed(event, last.notable)
        return happenings

    def _new_event(self, first_ns: int, continues: int | None = None) -> OpenEvent:
        self.last_number += 1
        start_ns = first_ns if continues else first_ns - round(self.rules.pre_roll_s * 1e9)
        start_ns = min(first_ns, max(start_ns, self._ended_ns, self._now_ns - REACH_BACK_NS))
        opened = OpenEvent(self.last_number, start_ns, continues)
        opened.last_ns = max(first_ns, start_ns)
        return opened

    def _split(self, at_ns: int) -> list[Happening]:
        """Ends the event here and begins the next with what is still going on."""
        assert self._open is not None  # noqa: S101  (asked for by the only caller)
        before = self._open
        going_on = [one for one in self._followed.values() if before.has(one.part) and one.counts]
        recent = [one for one in going_on if at_ns - one.seen_ns <= FOUND_AGAIN_NS]
        ended = self._end(min(at_ns, self._end_ns(before)))
        if not recent:
            return [ended]
        self._open = self._new_event(at_ns, before.number)
        for one in recent:
            self._open.add(one.split_part(at_ns))
        return [ended, Began(self._told(self._open, at_ns))]

    def _forget_parts(self, event: OpenEvent) -> None:
        """What took part has been quiet: to take part in the next event it must earn it anew."""
        for one in self._followed.values():
            if event.has(one.part):
                one.start_anew()

    def _end(self, end_ns: int) -> Ended:
        assert self._open is not None  # noqa: S101  (asked for by the callers)
        event = self._open.noun(end_ns)
        self._open = None
        self._ended_ns = event.end_ns
        return Ended(event)

    def _end_ns(self, event: OpenEvent) -> int:
        return event.last_ns + round(self.rules.post_roll_s * 1e9)

    def _closing_ns(self, event: OpenEvent) -> int:
        quiet_s = max(self.rules.gap_s, self.rules.post_roll_s)
        return event.last_ns + round(quiet_s * 1e9) + CONFIRMING_NS

    def _noun(self, event: OpenEvent) -> Event:
        return event.noun(self._end_ns(event))

    def _told(self, event: OpenEvent, at_ns: int) -> Event:
        event.told_ns = at_ns
        return self._noun(event)


def _key(track: Tracked) -> TrackKey:
    return track.number, track.first_ns
