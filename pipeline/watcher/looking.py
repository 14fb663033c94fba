"""The heart of one camera's looking: packets in, looks for the detector and happenings out.

    message ─► eye ─► sights ─► look (which regions) ┄┄ detector ┄┄► found ─► tracks ─► events

Rules:
- It starts no thread and reads no file.
- Time comes with the frames; the same messages and detections give the same happenings.
- `take` may be called by one thread and `found` by another (detection takes place elsewhere): the eye belongs
  to the first, tracks and events are guarded.
- Looks of one camera are answered in their order. One that is never answered costs a look, nothing else.
- Happenings are told in their order, while the guard is held: `tell` must only note them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.detect.regions import plan_regions
from pipeline.event import EventMaker, Happening
from pipeline.model import Kind, Packet
from pipeline.scene import Box, Detection
from pipeline.track import Track, Tracker
from pipeline.watcher.eye import Eye, Sight
from pipeline.wire import Hello, Message

if TYPE_CHECKING:
    from pipeline.sound import Loudness

_NS = 1_000_000_000
AWAKE_NS = 2 * _NS  # after something moving was last seen: three of five looks at 5 fps take one second
JUMP_NS = 2 * _NS  # a stream that begins again so far before the last frame is of another time
MOST_REGIONS = 6  # at 16 ms each on one core: a look stays below half of the 0.2 s between two

Tell = Callable[[Happening], None]


@dataclass(frozen=True, slots=True)
class Look:
    """What the detector is asked: these regions of that frame, things of at least this score."""

    sight: Sight
    regions: tuple[Box, ...]
    minimum: float


class Looking:
    """One camera's. `input_size` is the detector's; `tell` takes each happening at once."""

    def __init__(
        self,
        eye: Eye,
        tracker: Tracker,
        maker: EventMaker,
        input_size: int,
        tell: Tell,
        minimum: float = 0.3,
        loudness: Callable[[Hello], Loudness | None] = lambda _hello: None,
    ) -> None:
        self._eye = eye
        self._tracker = tracker
        self._maker = maker
        self._input_size = input_size
        self._tell = tell
        self._minimum = minimum
        self._make_loudness = loudness
        self._loudness: Loudness | None = None
        self._guard = threading.Lock()
        self._tracks: Sequence[Track] = ()
        self._last_ns = 0
        self._is_closed = False

    @property
    def last_ns(self) -> int:
        """UTC of the newest frame that was looked at; 0 before the first."""
        return self._last_ns

    def take(self, message: Message) -> Iterator[Look]:
        """What is to be detected now, each as soon as it is known: go through all of it.

        Answer each look by `found`, or not at all.
        """
        if isinstance(message, Packet) and message.kind is Kind.AUDIO:
            self._hear(message)
            return
        if isinstance(message, Hello):
            self._begin(message)
        yield from filter(None, map(self._plan, self._eye.take(message)))
        if isinstance(message, Packet) and message.is_keyframe:
            self._advance(self._eye.report().looked_ns)

    def found(self, look: Look, detections: Sequence[Detection]) -> None:
        """Takes the detector's answer."""
        frame, motion = look.sight.frame, look.sight.motion
        with self._guard:
            if self._is_closed:
                return
            self._tracks = self._tracker.update(detections, motion.boxes, frame.at_ns, look.regions)
            self._told(self._maker.seen(frame, self._tracks, frame.at_ns))
            moving = any(not track.is_still for track in self._tracks)
        if moving:
            self._eye.stay_awake_until(frame.at_ns + AWAKE_NS)

    def tick(self, at_ns: int) -> None:
        """Time has come to `at_ns` without anything to see there: events end that are due."""
        with self._guard:
            self._told(self._maker.tick(at_ns))

    def finish(self) -> None:
        """No more frames will come: what is open ends with the last one."""
        with self._guard:
            self._told(self._maker.finish(self._last_ns))

    def close(self) -> None:
        """The end: answers that are still to come count for nothing."""
        self.finish()
        with self._guard:
            self._is_closed = True

    def _begin(self, hello: Hello) -> None:
        self._loudness = self._make_loudness(hello)
        if hello.anchor is not None and hello.anchor.utc_ns < self._last_ns - JUMP_NS:
            with self._guard:
                self._tracker, self._tracks = Tracker(), ()

    def _advance(self, looked_ns: int) -> None:
        """Nothing was there to be seen up to then."""
        if looked_ns != self._last_ns:
            self._last_ns = looked_ns
            self.tick(looked_ns)

    def _plan(self, sight: Sight) -> Look | None:
        regions = self._regions(sight)
        if not regions:
            return None
        self._last_ns = sight.frame.at_ns
        return Look(sight, regions, self._minimum)

    def _regions(self, sight: Sight) -> tuple[Box, ...]:
        """Where to look: motion, what moved when last seen, and the whole picture now and then, in detail
        only while something moves: what stands still makes no event.

        A still thing is looked at where something moves over it, and with the whole.
        """
        picture = sight.frame.picture
        with self._guard:
            tracked = [track.box for track in self._tracks if not track.is_still]
        return tuple(
            plan_regions(
                picture.width,
                picture.height,
                self._input_size,
                sight.motion.boxes,
                tracked,
                sight.whole,
                MOST_REGIONS if self._eye.is_awake(sight.frame.at_ns) else 1,
            )
        )

    def _hear(self, packet: Packet) -> None:
        if self._loudness is None:
            return
        for span in self._loudness.take(packet):
            with self._guard:
                self._told(self._maker.heard(span.from_ns, span.to_ns, span.loudness))

    def _told(self, happenings: Sequence[Happening]) -> None:
        for happening in happenings:
            self._tell(happening)
