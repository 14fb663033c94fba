"""Which generations are spent: nothing is sealed to them any more, and nothing will be. A pure planner.

Rules:
- A generation is spent only when a later one of its group has counted for a day at least: recorders follow
  within a segment, and a clock that was corrected by hours brings nobody back.
- While a segment may be sealed to it, it is not: as the marks of use say, which are made before the segment.
- A generation without a mark may have lost it: it is spent when all footage is younger than its successor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.household.choosing import current
from pipeline.household.model import Generation, Manifest
from pipeline.household.used_marks import UsedMark
from pipeline.model import StreamName
from pipeline.names import DAY_MS


@dataclass(frozen=True, slots=True)
class Span:
    """Segments that may be sealed to a generation: the stream's from `first` on, below `before` if given."""

    stream: StreamName
    first: int
    before: int | None

    def covers(self, sequence: int) -> bool:
        """Whether the segment of that number is one of them."""
        return sequence >= self.first and (self.before is None or sequence < self.before)


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A generation whose time is over. It is spent when there is no segment in any of its spans; without
    spans, when there is none that begins before `footage_from_ms`.
    """

    group: str
    number: int
    spans: tuple[Span, ...]
    footage_from_ms: int


def candidates(
    manifest: Manifest, folders: Iterable[tuple[str, int]], marks: Sequence[UsedMark], now_ms: int
) -> list[Candidate]:
    """Of the generations that have a folder, those whose time is over, in order."""
    found = []
    for group, number in folders:
        successor = _long_counting(manifest, group, now_ms)
        if successor is not None and number < successor.number:
            own = [mark for mark in marks if (mark.group, mark.generation) == (group, number)]
            spans = tuple(_span(mark, marks) for mark in own)
            found.append(Candidate(group, number, spans, successor.from_ms))
    return sorted(found)


def _long_counting(manifest: Manifest, name: str, now_ms: int) -> Generation | None:
    """The generation that counted a day ago; None for a group that the household has not."""
    group = manifest.group(name)
    if group is None:
        return None
    generation = current(group, now_ms - DAY_MS)
    return generation if generation.from_ms <= now_ms - DAY_MS else None


def _span(mark: UsedMark, marks: Sequence[UsedMark]) -> Span:
    used = mark.used
    later = [
        other.used.first_sequence
        for other in marks
        if other.used.stream == used.stream and other.used.first_sequence > used.first_sequence
    ]
    return Span(used.stream, used.first_sequence, min(later, default=None))
