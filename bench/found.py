"""What looking finds in footage whose truth is known: recall, delay, and what was not there.

Rules:
- Footage is looked at as the watcher looks, packet by packet; a happening is told at the stream's time of
  the newest packet, plus the CPU time that this packet took, plus half a burst of reading.
- A thing is found when a place on the path of an object in an event is where the thing is: of all things
  there the one whose box it overlaps most, by a fifth at least, and of a label that fits.
- What was in the event before it was tall enough to be asked for has no delay.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.annotations import GROUPS, Thing, Truth
from pipeline.detect import Detector
from pipeline.event import Began, Ended, Event, EventMaker, Rules
from pipeline.event.nouns import EventObject, Place
from pipeline.frames import shown_ns
from pipeline.model import Kind, Packet
from pipeline.scene import Box
from pipeline.track import Tracker
from pipeline.watcher.eye import Eye, EyeSettings
from pipeline.watcher.looking import Looking
from pipeline.wire import Anchor, Hello, Message

_NS = 1_000_000_000
_OVERLAP = 0.2
_BURST_S = 0.05  # the tap is read every 0.1 s when something moves, as it does with the look that tells
START_NS = 1_790_000_000 * _NS


@dataclass
class Seen:
    """What looking told of some footage."""

    began: list[Event] = field(default_factory=list)
    ended: list[Event] = field(default_factory=list)
    told_ns: dict[tuple[int, int], int] = field(default_factory=dict)
    """When each object (event's number, place in the event) was first told."""
    duration_s: float = 0.0
    cpu_s: float = 0.0
    modes: dict[str, int] = field(default_factory=dict)
    """How many packets came in each of the eye's modes."""

    def objects(self) -> Iterator[tuple[int, EventObject]]:
        """Every object of every event, and when it was told (ns)."""
        for event in self.ended:
            for place, one in enumerate(event.objects):
                yield self.told_ns[(event.number, place)], one


@dataclass(frozen=True, slots=True)
class Score:
    """How a truth was met. Delays are seconds from first visible; None where it was never found."""

    must: tuple[float | None, ...]
    may: tuple[tuple[float, float | None], ...]  # height in pixels, delay
    objects: int
    true_objects: int
    missed: tuple[int, ...]


def look(messages: Iterable[Message], detector: Detector, *, is_sub: bool) -> Seen:
    """Looks at them all."""
    seen = Seen()
    eye = Eye(EyeSettings(is_sub=is_sub))
    told: list[object] = []
    looking = Looking(eye, Tracker(), EventMaker(Rules()), detector.input_size, told.append)
    anchor: Anchor | None = None
    first_ns = now_ns = 0
    for message in messages:
        if isinstance(message, Hello):
            anchor = message.anchor
        began_s = time.process_time()
        _step(looking, detector, message)
        spent_s = time.process_time() - began_s
        seen.cpu_s += spent_s
        if anchor is not None and isinstance(message, Packet) and message.kind is Kind.VIDEO:
            now_ns = shown_ns(message.pts, anchor)
            first_ns = first_ns or now_ns
            mode = eye.report().mode.value
            seen.modes[mode] = seen.modes.get(mode, 0) + 1
        _note(seen, told, now_ns + round((spent_s + _BURST_S) * _NS))
    looking.finish()
    _note(seen, told, now_ns)
    seen.duration_s = (now_ns - first_ns) / _NS
    return seen


def _step(looking: Looking, detector: Detector, message: Message) -> None:
    for one in looking.take(message):
        found = detector.detect(one.sight.frame.picture, one.regions, one.minimum, Rules().labels)
        looking.found(one, found)


def _note(seen: Seen, told: list[object], at_ns: int) -> None:
    for happening in told:
        event: Event = happening.event  # type: ignore[attr-defined]
        for place in range(len(event.objects)):
            seen.told_ns.setdefault((event.number, place), at_ns)
        if isinstance(happening, Began):
            seen.began.append(event)
        elif isinstance(happening, Ended):
            seen.ended.append(event)
    told.clear()


def score(seen: Seen, truth: Truth, start_ns: int = START_NS) -> Score:
    """Compares."""
    delays: dict[int, float] = {}
    true_objects = 0
    objects = list(seen.objects())
    for told_ns, one in objects:
        hit = False
        for place in one.path:
            for thing in _things_at(truth, place, one.label, start_ns):
                hit = True
                known_ns = max(told_ns, place.at_ns)
                delay = max(0.0, (known_ns - start_ns) / _NS - _visible_from(thing) / truth.fps)
                delays[thing.number] = min(delay, delays.get(thing.number, delay))
        true_objects += hit
    must, may = truth.must_find(), truth.may_find()
    return Score(
        tuple(delays.get(thing.number) for thing in must),
        tuple((thing.height, delays.get(thing.number)) for thing in may),
        len(objects),
        true_objects,
        tuple(thing.number for thing in must if thing.number not in delays),
    )


def _visible_from(thing: Thing) -> int:
    tall = thing.tall_frames()
    return tall[0] if tall else thing.first


def _things_at(truth: Truth, place: Place, label: str, start_ns: int) -> Sequence[Thing]:
    """The thing that is there; several where their boxes are the same."""
    frame = round((place.at_ns - start_ns) / _NS * truth.fps)
    pixels = _in_pixels(place.box, truth)
    overlaps = [
        (pixels.iou(box), thing)
        for thing in truth.things
        if label in GROUPS[thing.label] and (box := thing.box_at(frame)) is not None
    ]
    best = max((overlap for overlap, _ in overlaps), default=0.0)
    return [thing for overlap, thing in overlaps if overlap >= max(_OVERLAP, 0.95 * best)]


def _in_pixels(box: Box, truth: Truth) -> Box:
    wide, high = truth.width, truth.height
    return Box(box.left * wide, box.top * high, box.right * wide, box.bottom * high)
