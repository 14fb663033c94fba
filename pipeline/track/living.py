"""One track's life: found, missed, still, held, lost. Time comes in.

Rules:
- A still thing that was found several times is held for as long as nothing moves over its place: people who
  stand still drop out of the detector's sight for 16 s and more, and a car stays where it is parked.
- Once something has moved there, it must be found again within a time, or it has gone.
- Nothing goes where nothing moves: a box that jumps without motion in it is an error of the detector's.
- A look that did not look at its place says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.scene import Box, Detection
from pipeline.track.kalman import MovingBox
from pipeline.track.kinship import Votes
from pipeline.track.moving import covered, has_grown, likeness, shift
from pipeline.track.noun import Track

_NS = 1_000_000_000
SURE_HITS = 3
MOVED = 0.3  # of its size: boxes of standing things wander by up to 0.2
LEFT_ITS_PLACE = 0.2  # of its size, to be no longer still
STILL_NS = 2 * _NS
FITTING = 0.4  # intersection over union of a thing and what moves there; a walker before a car has less
FITTING_LOOKS = 3
STIRRED = 0.3  # of its box: boxes of cars that stand half in the picture jump; nothing moves there then
DISTURBED = 0.2  # of its box: from that on, what moves there may have taken it away


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and how many looks at its place, a thing may be missed."""

    time_ns: int
    looks: int


NEW = Patience(1 * _NS, 2)
MOVING = Patience(2 * _NS, 3)
STANDING = Patience(10 * _NS, 5)  # a slow walker covers a parked car for some seconds


class Living:
    """What is known of one thing."""

    def __init__(self, number: int, detection: Detection, at_ns: int) -> None:
        self.number = number
        self._filter = MovingBox(detection.box)
        self._votes = Votes()
        self._first = self._sure = detection.box
        self._rest = detection.box
        self._rest_since_ns = at_ns
        self._newest = detection
        self._first_ns = self._seen_ns = self._at_ns = at_ns
        self._hits = self._missed = self._fitting = 0
        self._moved = self._is_disturbed = False

    @property
    def label(self) -> str:
        """What it most probably is."""
        return self._votes.label if self._hits else self._newest.label

    @property
    def box(self) -> Box:
        """Where it should be now."""
        return self._filter.box

    @property
    def is_still(self) -> bool:
        """Whether it has been where it is for a while."""
        return self._at_ns - self._rest_since_ns >= STILL_NS

    @property
    def is_held(self) -> bool:
        """Whether it stays although no look finds it."""
        return self.is_still and self._hits >= SURE_HITS and not self._is_disturbed

    @property
    def unseen_ns(self) -> int:
        """For how long no look has found it."""
        return self._at_ns - self._seen_ns

    def advance(self, at_ns: int) -> None:
        """Goes on to a later look. A still thing that is not found stays where it was."""
        seconds = max(0, at_ns - self._at_ns) / _NS
        if not (self.is_still and self.unseen_ns):
            self._filter.predict(seconds)
        self._at_ns = max(self._at_ns, at_ns)

    def found(self, detection: Detection, moved: Sequence[Box]) -> None:
        """This look found it."""
        self._hits += 1
        self._votes.add(detection.label, detection.score)
        self._newest, self._seen_ns = detection, self._at_ns
        self._missed, self._is_disturbed = 0, False
        self._filter.correct(detection.box)
        self._settle(moved)

    def missed(self, moved: Sequence[Box], looked: Sequence[Box]) -> None:
        """This look did not find it."""
        place = self.box
        self._is_disturbed |= covered(place, moved) > DISTURBED
        if covered(place, looked) > 0.5:
            self._missed += 1
            self._filter.stop()

    @property
    def is_lost(self) -> bool:
        """Whether it has gone."""
        if self.is_held:
            return False
        patience = NEW if self._hits < SURE_HITS else STANDING if self.is_still else MOVING
        return self._missed >= patience.looks and self.unseen_ns > patience.time_ns

    def track(self) -> Track:
        """As it stands."""
        newest = self._newest
        return Track(
            self.number,
            self.label,
            newest.score,
            newest.box,
            self._first_ns,
            self._seen_ns,
            self._hits,
            self.is_still,
            self._moved,
        )

    def _settle(self, moved: Sequence[Box]) -> None:
        box = self._filter.box
        is_stirred = covered(self._newest.box, moved) > STIRRED
        if shift(self._rest, box) > LEFT_ITS_PLACE or has_grown(self._rest, box):
            self._rest = box
            self._rest_since_ns = self._at_ns if is_stirred else self._rest_since_ns
        self._fitting += likeness(self._newest.box, moved) > FITTING
        if self._hits <= SURE_HITS:
            self._sure = box  # of a thing in the dark or at the edge a part is found first, then all of it
        came = self._fitting >= FITTING_LOOKS
        went = is_stirred and (shift(self._first, box) > MOVED or has_grown(self._sure, box))
        self._moved |= came or went
