"""What a real detector found in real footage, look by look: to try rules on it as often as a test wants.

Detection takes a third of the footage's time on one core, so a test file does it once a clip (`looks_of`
remembers them); tracks and events are made anew for each set of rules, by the same code as in the watcher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipeline.detect import Detector
from pipeline.event import Ended, Event, EventMaker, Happening, Rules
from pipeline.event.nouns import Judge
from pipeline.scene import Box, Detection
from pipeline.track import Tracker
from pipeline.watcher.looking import Look
from pipeline.watcher.offline import look_at_file

START_NS = 1_790_000_000_000_000_000


@dataclass(frozen=True)
class Found:
    """One look: what moved, where it was looked, and what was found."""

    at_ns: int
    moved: Sequence[Box]
    regions: Sequence[Box]
    detections: Sequence[Detection]


@lru_cache(maxsize=1)
def detector() -> Detector:
    """The model that comes along."""
    return Detector.load(None, None)


@lru_cache(maxsize=4)
def looks_of(path: Path) -> tuple[Found, ...]:
    """Every look at a clip that is shown from `START_NS` on."""
    found: list[Found] = []

    def note(look: Look, detections: list[Detection]) -> None:
        frame, motion = look.sight.frame, look.sight.motion
        found.append(Found(frame.at_ns, motion.boxes, look.regions, tuple(detections)))

    for _ in look_at_file(path, detector(), Rules(), START_NS, answered=note):
        pass
    return tuple(found)


def happenings_in(looks: Sequence[Found], rules: Rules, feedback: Judge | None = None) -> list[Happening]:
    """What these rules make of it."""
    tracker, maker = Tracker(), EventMaker(rules, feedback)
    told: list[Happening] = []
    for look in looks:
        tracks = tracker.update(look.detections, look.moved, look.at_ns, look.regions)
        told += maker.seen(None, tracks, look.at_ns)
    return told + maker.finish(looks[-1].at_ns)


def events_in(looks: Sequence[Found], rules: Rules, feedback: Judge | None = None) -> list[Event]:
    """The events, ended."""
    return [one.event for one in happenings_in(looks, rules, feedback) if isinstance(one, Ended)]
