"""What an event is, as the watcher hands it on: frozen values without I/O.

Rules:
- Times are UTC nanoseconds; the beginning and end of an event are whole milliseconds, as names have them.
- An event's number counts within one `EventMaker`; the number in the store is another.
- At most one picture is held with an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from pipeline.scene import Box, Sound

if TYPE_CHECKING:
    from pipeline.picture import Picture


class EventKind(StrEnum):
    """What an event is about: something seen, or only heard."""

    SEEN = "seen"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing was at one time, and how sure the model was of it."""

    at_ns: int
    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """A line that was crossed; `direction` is "left-to-right" or "right-to-left"."""

    line: str
    direction: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class EventObject:
    """One thing's part in an event. `loitered`: the zones in which it stayed as long as they ask."""

    label: str
    score: float  # the best
    first_ns: int
    last_ns: int
    zones: tuple[str, ...] = ()
    loitered: tuple[str, ...] = ()
    lines: tuple[Crossing, ...] = ()
    path: tuple[Place, ...] = ()


CROP_PIXELS, WHOLE_PIXELS = 640, 1280  # of the longer side


@dataclass(frozen=True, slots=True)
class PictureNote:
    """Which frame shows an event best: when, which object (counted from 0), its box, and what to cut out."""

    at_ns: int
    object: int
    box: Box
    crop: Box
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class BestPicture:
    """Copies of the frame: what of it is cut out, and the whole, as large as anybody wants them."""

    note: PictureNote
    crop: Picture
    whole: Picture


@dataclass(frozen=True, slots=True)
class Event:
    """Something that began and ended. While it is open, `end_ns` is where it would end as things stand."""

    number: int
    start_ns: int
    end_ns: int
    objects: tuple[EventObject, ...] = ()
    picture: BestPicture | None = None
    sound: Sound | None = None
    continues: int | None = None  # the number of the event that was split off before it

    @property
    def kind(self) -> EventKind:
        """What it is about."""
        return EventKind.SEEN if self.objects else EventKind.SOUND

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label once, in the order of appearance."""
        return tuple(dict.fromkeys(one.label for one in self.objects))


@dataclass(frozen=True, slots=True)
class Began:
    """The first confirmed object, or a loud sound."""

    event: Event


@dataclass(frozen=True, slots=True)
class Changed:
    """It goes on. `notable`: another object, zone or line, worth telling; else only time has passed."""

    event: Event
    notable: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will change."""

    event: Event


Happening = Began | Changed | Ended


class Tracked(Protocol):
    """What is needed of a track: one thing over time, as the tracker knows it after a look."""

    @property
    def number(self) -> int:
        """Its own, as long as the watcher runs."""

    @property
    def label(self) -> str:
        """The model's, lower case."""

    @property
    def score(self) -> float:
        """Of the newest detection, 0 to 1."""

    @property
    def box(self) -> Box:
        """Where it is now."""

    @property
    def first_ns(self) -> int:
        """When it was first detected."""

    @property
    def seen_ns(self) -> int:
        """When it was last detected."""

    @property
    def is_still(self) -> bool:
        """Whether it stands still now."""

    @property
    def moved(self) -> bool:
        """Whether it has moved since it was first detected, or came while the watcher was looking."""


class Judge(Protocol):
    """What people taught about a camera: see `pipeline.feedback`."""

    def needed_score(self, label: str, box: Box, at_ns: int, usual: float) -> float:
        """What a detection there must reach; above 1 when none counts."""


def whole_ms(at_ns: int) -> int:
    """The millisecond in which it lies, in ns."""
    return at_ns // 1_000_000 * 1_000_000


def crop_around(box: Box, others: Sequence[Box] = ()) -> Box:
    """What to cut out to show `box`: a fifth more on each side, at least a sixth of the picture."""
    for other in others:
        box = box.union(other)
    width, height = max(box.width * 1.4, 1 / 6), max(box.height * 1.4, 1 / 6)
    left = min(max(box.centre.x - width / 2, 0.0), max(0.0, 1.0 - width))
    top = min(max(box.centre.y - height / 2, 0.0), max(0.0, 1.0 - height))
    return Box(left, top, left + width, top + height).clipped()
