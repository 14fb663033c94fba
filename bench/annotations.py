"""Real footage with what is to be seen in it, annotated by eye: `bench/truth/`, whose README has the rule.

Frames are counted from 0; boxes are pixels of the clip's own size, interpolated between annotated frames.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from pipeline.scene import Box

TRUTH = Path(__file__).parent / "truth"
LEAST_HEIGHT = 40  # pixels: what must be found
LEAST_S = 2.0  # visible for so long
GROUPS: Mapping[str, frozenset[str]] = {
    "person": frozenset({"person", "bicycle"}),  # somebody on a bicycle is found as either
    "bicycle": frozenset({"bicycle", "person"}),
    "vehicle": frozenset({"car", "vehicle"}),
}


@dataclass(frozen=True, slots=True)
class Thing:
    """A person or vehicle: `boxes` by frame, spans (first, last) in which it is hidden, whether it stays."""

    number: int
    label: str
    first: int
    last: int
    boxes: Mapping[int, Box]
    hidden: tuple[tuple[int, int], ...] = ()
    still: bool = False

    def box_at(self, frame: int) -> Box | None:
        """Where it is, in pixels; None while it is not there or hidden."""
        if not self.is_visible(frame):
            return None
        before = max(known for known in self.boxes if known <= frame)
        after = min(known for known in self.boxes if known >= frame)
        share = (frame - before) / (after - before) if after > before else 0.0
        return _between(self.boxes[before], self.boxes[after], share)

    def is_visible(self, frame: int) -> bool:
        """Whether at least half of it can be seen."""
        return self.first <= frame <= self.last and not any(a <= frame <= b for a, b in self.hidden)

    def tall_frames(self, height: float = LEAST_HEIGHT) -> list[int]:
        """In which frames it is visible and so tall at least."""
        found = ((frame, self.box_at(frame)) for frame in range(self.first, self.last + 1))
        return [frame for frame, box in found if box is not None and box.height >= height]

    @property
    def height(self) -> float:
        """In the middle of the time it is there, of all heights the middle one."""
        heights = sorted(box.height for box in self.boxes.values())
        return heights[len(heights) // 2]


@dataclass(frozen=True, slots=True)
class Truth:
    """A clip and everything in it."""

    clip: str
    width: int
    height: int
    fps: float
    frames: int
    things: tuple[Thing, ...]

    def must_find(self) -> list[Thing]:
        """What the rule asks for: it moves, is at least 40 pixels tall for at least 2 s."""
        return [
            thing
            for thing in self.things
            if not thing.still and len(thing.tall_frames()) >= LEAST_S * self.fps - 1e-6
        ]

    def may_find(self) -> list[Thing]:
        """What is smaller, but there for as long: recall by size is published of it, too."""
        must = {thing.number for thing in self.must_find()}
        return [
            thing
            for thing in self.things
            if not thing.still
            and thing.number not in must
            and len(thing.tall_frames(0)) >= LEAST_S * self.fps - 1e-6
        ]

    def cut(self, first: int, last: int, left: int, top: int, width: int, height: int) -> Truth:
        """The truth of a part: frames `first` to `last`, this rectangle. Half of a thing must lie in it."""
        window = Box(left, top, left + width, top + height)
        things = filter(None, (_cut(thing, first, last, window) for thing in self.things))
        return replace(self, width=width, height=height, frames=last - first + 1, things=tuple(things))


def read_truth(name: str) -> Truth:
    """`street` or `pedestrians`."""
    said = json.loads((TRUTH / f"{name}.json").read_text("utf-8"))
    things = tuple(_thing(fields) for fields in said["things"])
    return Truth(said["clip"], said["width"], said["height"], said["fps"], said["frames"], things)


def _thing(said: Mapping[str, Any]) -> Thing:
    boxes = {frame: Box(*sides) for frame, *sides in said["boxes"]}
    hidden = tuple((first, last) for first, last in said.get("hidden", ()))
    still = said.get("still", False)
    return Thing(said["number"], said["label"], said["first"], said["last"], boxes, hidden, still)


def _between(one: Box, other: Box, share: float) -> Box:
    def at(a: float, b: float) -> float:
        return a + (b - a) * share

    return Box(
        at(one.left, other.left),
        at(one.top, other.top),
        at(one.right, other.right),
        at(one.bottom, other.bottom),
    )


def _cut(thing: Thing, first: int, last: int, window: Box) -> Thing | None:
    """By the second spans of one thing become one with hidden parts."""
    inside: dict[int, Box] = {}
    for frame in range(max(first, thing.first), min(last, thing.last) + 1):
        box = thing.box_at(frame)
        if box is not None and box.overlap(window) >= 0.5 * box.area:
            inside[frame - first] = _moved(box, window)
    if not inside:
        return None
    return replace(thing, first=min(inside), last=max(inside), boxes=inside, hidden=tuple(_gaps(inside)))


def _moved(box: Box, window: Box) -> Box:
    return Box(
        max(0.0, box.left - window.left),
        max(0.0, box.top - window.top),
        min(window.width, box.right - window.left),
        min(window.height, box.bottom - window.top),
    )


def _gaps(frames: Mapping[int, Box]) -> Iterator[tuple[int, int]]:
    known = sorted(frames)
    for before, after in pairwise(known):
        if after > before + 1:
            yield before + 1, after - 1
