"""The event that is under way: gathers parts and sound, keeps the best picture, and gives the noun.

Rules: of all frames only the best one so far is held. Its worth is the score times the size of the object's
box, up to a third of the picture's, and less by far when the box is cut off at the picture's edge.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.event.following import Part
from pipeline.event.nouns import (
    CROP_PIXELS,
    WHOLE_PIXELS,
    BestPicture,
    Event,
    PictureNote,
    Place,
    crop_around,
    whole_ms,
)
from pipeline.scene import Box, Sound

if TYPE_CHECKING:
    from pipeline.picture import Frame

MOST_PARTS = 200  # a street in five minutes; the record stays below half a megabyte
_EDGE = 0.01  # of the picture: boxes of things that are cut off end up to that far inside
_LARGE = 0.35  # root of the area: what is larger shows no more of itself, often less of what is around
_CUT_OFF = 0.4  # what a picture of a thing that is cut off is worth
_BETTER = 1.1  # by how much another frame must be better to be kept instead


class OpenEvent:
    """One event until it ends."""

    def __init__(self, number: int, start_ns: int, continues: int | None = None) -> None:
        self.number = number
        self.start_ns = whole_ms(start_ns)
        self.last_ns = start_ns  # when something that counts was last seen or heard
        self.told_ns = 0  # when it was last handed on
        self.parts: list[Part] = []
        self.sound: Sound | None = None
        self._continues = continues
        self._picture: BestPicture | None = None
        self._worth = 0.0

    @property
    def is_full(self) -> bool:
        """Whether it must be split, for the number of things in it."""
        return len(self.parts) >= MOST_PARTS

    def add(self, part: Part) -> None:
        """Another thing takes part."""
        self.parts.append(part)

    def has(self, part: Part | None) -> bool:
        """Whether this very part belongs to it."""
        return any(one is part for one in self.parts)

    def heard(self, to_ns: int, sound: Sound) -> None:
        """Something loud that lasted until `to_ns`, or still lasts."""
        self.last_ns = max(self.last_ns, to_ns)
        louder = self.sound is None or sound.peak_db > self.sound.peak_db
        self.sound = sound if louder else self.sound

    def offer(self, frame: Frame, part: Part, place: Place) -> None:
        """A frame that shows `part` at `place`: kept if it is clearly better than what is kept."""
        worth = worth_of(place)
        if worth <= self._worth * _BETTER:
            return
        index = next(index for index, one in enumerate(self.parts) if one is part)
        width, height = frame.picture.width, frame.picture.height
        box = place.box.clipped()
        note = PictureNote(place.at_ns, index, box, crop_around(box), width, height)
        crop = frame.picture.copied(note.crop, CROP_PIXELS)
        whole = frame.picture.copied(longest=WHOLE_PIXELS)
        self._picture, self._worth = BestPicture(note, crop, whole), worth

    def noun(self, end_ns: int) -> Event:
        """The event as it stands, with this end (brought to a whole millisecond, rounded up)."""
        return Event(
            self.number,
            self.start_ns,
            max(whole_ms(end_ns + 999_999), self.start_ns + 1_000_000),
            tuple(part.noun(self.start_ns) for part in self.parts),
            self._picture,
            self.sound,
            self._continues,
        )


def worth_of(place: Place) -> float:
    """How well a frame shows a thing at `place`; 0 to 1."""
    cut_off = _touches_edge(place.box)
    size = min(math.sqrt(place.box.area), _LARGE) / _LARGE
    return place.score * size * (_CUT_OFF if cut_off else 1.0)


def _touches_edge(box: Box) -> bool:
    return min(box.left, box.top, 1 - box.right, 1 - box.bottom) < _EDGE
