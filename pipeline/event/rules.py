"""What a camera's events are made of: the wanted labels, zones, masks, lines and times. Frozen values.

Rules:
- Without zones and lines everything that is wanted counts; with any, a thing counts by them alone.
- `faults` names every zone, mask and line that cannot be, one sentence each; nothing is mended silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.event.geometry import area, crosses_itself
from pipeline.scene import Point, Polygon

VEHICLES = frozenset({"car", "vehicle", "truck", "bus", "train", "motorcycle", "boat", "van"})
DEFAULT_LABELS = ("person", "bicycle", "car", "vehicle", "dog", "cat", "cattle")
_SMALLEST_AREA = 1e-6  # of the picture: two pixels of 1080p
_SHORTEST_LINE = 1e-3  # of the picture's width or height


class Direction(StrEnum):
    """Which way over a line counts, seen by somebody who stands at its beginning and looks to its end."""

    LEFT_TO_RIGHT = "left-to-right"
    RIGHT_TO_LEFT = "right-to-left"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Zone:
    """An area that matters. `labels` empty: for all; `loiter_s`: only who stays that long counts by it."""

    name: str
    polygon: Polygon
    labels: tuple[str, ...] = ()
    loiter_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line that matters when it is crossed. `labels` empty: for all."""

    name: str
    start: Point
    end: Point
    direction: Direction = Direction.BOTH
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as an event of one camera."""

    labels: tuple[str, ...] = DEFAULT_LABELS
    score: float = 0.4  # real people score 0.4 to 0.6 with the model that comes along
    scores: Mapping[str, float] = field(default_factory=dict)
    min_height: float = 0.0  # of the picture's height
    min_heights: Mapping[str, float] = field(default_factory=dict)
    zones: tuple[Zone, ...] = ()
    masks: tuple[Polygon, ...] = ()
    lines: tuple[Line, ...] = ()
    confirm: int = 3  # looks of the last `confirm_of` in which a thing must be found
    confirm_of: int = 5
    gap_s: float = 5.0
    pre_roll_s: float = 5.0
    post_roll_s: float = 5.0
    longest_s: float = 300.0
    still_s: float = 60.0
    vehicle_still_s: float = 10.0

    def needed_score(self, label: str) -> float:
        """What the best score of a thing must reach."""
        return self.scores.get(label, self.score)

    def needed_height(self, label: str) -> float:
        """What a thing's height must reach, of the picture's."""
        return self.min_heights.get(label, self.min_height)

    def stillness_s(self, label: str) -> float:
        """After how long a thing that does not move takes no further part."""
        return self.vehicle_still_s if label in VEHICLES else self.still_s


def faults(zones: Sequence[Zone], masks: Sequence[Polygon], lines: Sequence[Line]) -> list[str]:
    """What is wrong with them, a sentence each; empty when all is well."""
    found = [fault for zone in zones for fault in polygon_faults(f'Zone "{zone.name}"', zone.polygon)]
    for number, mask in enumerate(masks, 1):
        found += polygon_faults(f"Mask {number}", mask)
    found += [fault for line in lines for fault in line_faults(line)]
    found += _twice("Zone", [zone.name for zone in zones]) + _twice("Line", [line.name for line in lines])
    return found


def polygon_faults(what: str, polygon: Polygon) -> list[str]:
    """What is wrong with an area; `what` begins the sentence. Only the fault that explains the others."""
    corners = polygon.corners
    if outside := [corner for corner in corners if not in_picture(corner)]:
        return [f"{what} has the corner {_shown(outside[0])} outside the picture; use 0 to 1 for x and y."]
    if len(corners) < 3:
        return [f"{what} has {len(corners)} corners; an area needs at least 3."]
    if crosses_itself(corners):
        return [f"{what} crosses itself; give its corners in order, all the way round."]
    if area(corners) < _SMALLEST_AREA:
        return [f"{what} has no area; its corners lie on one line."]
    return []


def line_faults(line: Line) -> list[str]:
    """What is wrong with a line."""
    what = f'Line "{line.name}"'
    if outside := [end for end in (line.start, line.end) if not in_picture(end)]:
        return [f"{what} has the end {_shown(outside[0])} outside the picture; use 0 to 1 for x and y."]
    if max(abs(line.start.x - line.end.x), abs(line.start.y - line.end.y)) < _SHORTEST_LINE:
        return [f"{what} has no length; its two ends are the same place."]
    return []


def in_picture(point: Point) -> bool:
    """Whether it lies in the picture, its edges included. A number that is none (NaN) does not."""
    return 0.0 <= point.x <= 1.0 and 0.0 <= point.y <= 1.0


def _twice(what: str, names: Sequence[str]) -> list[str]:
    return [
        f'{what} "{name}" is there {names.count(name)} times; give each a name of its own.'
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _shown(point: Point) -> str:
    return f"[{point.x:g}, {point.y:g}]"
