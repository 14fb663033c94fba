"""The rule of learning: what score a detection needs where people said "wrong" or "right". Pure.

Rules:
- A lesson holds for its label, its place (one of 8 × 8 cells, and those around it) and its size (by powers of
  two, and the next ones). Elsewhere nothing changes.
- One "wrong" more than "right": what is found there needs a better score than the wrong one had. Two more,
  taught at about this time of day: nothing of that label and size counts there at that time.
- Events are counted, not their objects: one that had five people in it says it once.
- Each "right" takes one "wrong" back, and the needed score never rises above what was right.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.scene import Box

GRID = 8
HOURS = 6  # spans of four hours, UTC
SMALLEST_SIZE = -8  # a 256th of the picture's height
NOTHING_COUNTS = 2.0  # above any score
BETTER_BY = 0.05  # scores of one thing differ by about that much from day to day
_SUPPRESSED_FROM = 2
_DAY_NS = 86_400_000_000_000


class Verdict(StrEnum):
    """What a person said of an object of an event."""

    WRONG = "wrong"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one object of one event taught. `size`: log2 of its height; `hours`: which four hours of the day.

    `event` and `object` tell which one it was (a number, and the place in its list): the same one judged
    again replaces its lesson.
    """

    number: int
    event: int
    object: int
    label: str
    column: int
    row: int
    size: int
    hours: int
    score: float
    verdict: Verdict
    made_ms: int

    def is_about(self, label: str, column: int, row: int, size: int) -> bool:
        """Whether it holds for what is found there."""
        near = abs(self.column - column) <= 1 and abs(self.row - row) <= 1
        return self.label == label and near and abs(self.size - size) <= 1


class Feedback:
    """All lessons of one camera, as a judge of what is found."""

    def __init__(self, lessons: Sequence[Lesson] = ()) -> None:
        self.lessons = tuple(lessons)

    def needed_score(self, label: str, box: Box, at_ns: int, usual: float) -> float:
        """What a detection there and then must reach; `NOTHING_COUNTS` when none counts."""
        (column, row), size = cell_of(box), size_of(box)
        return self._needed(label, column, row, size, hours_of(at_ns), usual)

    def needed_for(self, lesson: Lesson, usual: float) -> float:
        """The same for what comes where, and when, this lesson was taught."""
        return self._needed(lesson.label, lesson.column, lesson.row, lesson.size, lesson.hours, usual)

    def _needed(self, label: str, column: int, row: int, size: int, hours: int, usual: float) -> float:
        about = [one for one in self.lessons if one.is_about(label, column, row, size)]
        wrong = [one for one in about if one.verdict is Verdict.WRONG]
        right = [one for one in about if one.verdict is Verdict.RIGHT]
        rights = _events(right)
        if _events(wrong) <= rights:
            return usual
        at_this_time = _events([one for one in wrong if (one.hours - hours + 1) % HOURS <= 2])
        if at_this_time - rights >= _SUPPRESSED_FROM:
            return NOTHING_COUNTS
        raised = max(one.score for one in wrong) + BETTER_BY
        return max(usual, min([raised, *(one.score for one in right)]))


def _events(lessons: Sequence[Lesson]) -> int:
    return len({one.event for one in lessons})


def lesson_of(
    *,
    number: int,
    event: int,
    index: int,
    label: str,
    score: float,
    boxes: Sequence[Box],
    at_ns: int,
    verdict: Verdict,
    made_ms: int,
) -> Lesson:
    """The lesson of an object: where it was most of the time. Raises ValueError without any box."""
    if not boxes:
        raise ValueError("an object without a place teaches nothing")
    cells = Counter(cell_of(box) for box in boxes)
    (column, row), _ = cells.most_common(1)[0]
    there = sorted(size_of(box) for box in boxes if cell_of(box) == (column, row))
    size = there[len(there) // 2]
    hours = hours_of(at_ns)
    return Lesson(number, event, index, label, column, row, size, hours, score, verdict, made_ms)


def cell_of(box: Box) -> tuple[int, int]:
    """Column and row of the cell in which its base lies, from the upper left."""
    base = box.clipped().base
    return min(int(base.x * GRID), GRID - 1), min(int(base.y * GRID), GRID - 1)


def size_of(box: Box) -> int:
    """0 for the picture's whole height, -1 for half of it, and so on."""
    height = max(box.height, 2.0**SMALLEST_SIZE)
    return max(SMALLEST_SIZE, min(0, round(math.log2(height))))


def hours_of(at_ns: int) -> int:
    """Which four hours of the day, UTC."""
    return at_ns % _DAY_NS * HOURS // _DAY_NS
