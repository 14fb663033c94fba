"""Where to look in a picture: squares around what moves and what is followed, as few as serve.

Rules:
- A region is square in pixels and at least as large as the model's input, so that nothing small is made
  smaller; where something is larger, the region is, too. At the picture's edges it is moved, not cut.
- Things keep a margin: the model wants to see some of what is around, and a thing that an edge cuts has no
  true box.
- Regions are joined when one serves both nearly as well, and further until there are at most `most`: what
  moves is never left out, it is then only seen smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.scene import WHOLE, Box

MARGIN = 0.25  # of a thing's longer side, on each of its sides
JOINED = 1.3  # times the larger of two regions: so large may the region be that replaces both
TILES_FROM = (
    2.0  # times the model's input: from this height on, a whole look needs tiles to see what is small
)


@dataclass(frozen=True, slots=True)
class _Rectangle:
    """In pixels, unrounded."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def longest(self) -> float:
        return max(self.right - self.left, self.bottom - self.top)

    def around(self, other: _Rectangle) -> _Rectangle:
        return _Rectangle(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def plan_regions(
    picture_width: int,
    picture_height: int,
    input_size: int,
    motion: Sequence[Box],
    tracks: Sequence[Box],
    whole: bool,
    most: int,
) -> list[Box]:
    """`input_size`: the longer side of what the model takes, in pixels.

    At most `most` (at least 1) regions that cover all of `motion` and `tracks`; the whole picture first if
    `whole`, with tiles as far as `most` allows. Without anything to look at: none.
    """
    size = (picture_width, picture_height)
    things = [_with_margin(box, size) for box in (*motion, *tracks) if box.width > 0 and box.height > 0]
    room = most - whole
    if whole and room < 1:
        return [WHOLE]
    squares = _joined(things, size, input_size, max(1, room))
    regions = [_fraction(square, size) for square in squares]
    if whole:
        tiles = [tile for tile in _tiles(size, input_size) if not any(_covers(one, tile) for one in regions)]
        regions = [WHOLE, *regions, *(tiles if len(tiles) + len(regions) <= room else ())]
    return list(dict.fromkeys(regions))


def _with_margin(box: Box, size: tuple[int, int]) -> _Rectangle:
    left, right = box.left * size[0], box.right * size[0]
    top, bottom = box.top * size[1], box.bottom * size[1]
    margin = MARGIN * max(right - left, bottom - top)
    return _Rectangle(
        max(0.0, left - margin),
        max(0.0, top - margin),
        min(float(size[0]), right + margin),
        min(float(size[1]), bottom + margin),
    )


def _joined(
    things: Sequence[_Rectangle], size: tuple[int, int], smallest: int, most: int
) -> list[_Rectangle]:
    """Squares around all things, the cheapest pairs joined first."""
    parts = list(things)
    while len(parts) > 1:
        cost, first, second = min(
            (_cost(one, other, size, smallest), at, to)
            for (at, one), (to, other) in combinations(enumerate(parts), 2)
        )
        if cost > JOINED and len(parts) <= most:
            break
        parts[first] = parts[first].around(parts.pop(second))
    return [_square(part, size, smallest) for part in parts]


def _cost(one: _Rectangle, other: _Rectangle, size: tuple[int, int], smallest: int) -> float:
    """How many times larger the region around both is than the larger of theirs: so much smaller are things
    seen.
    """
    return max(one.around(other).longest, smallest) / max(one.longest, other.longest, smallest)


def _square(part: _Rectangle, size: tuple[int, int], smallest: int) -> _Rectangle:
    """Around the middle of a part, moved into the picture; no wider or higher than it."""
    side = max(part.longest, smallest)
    left, right = _span(part.left, part.right, side, size[0])
    top, bottom = _span(part.top, part.bottom, side, size[1])
    return _Rectangle(left, top, right, bottom)


def _span(low: float, high: float, side: float, limit: int) -> tuple[float, float]:
    length = min(side, limit)
    start = min(max(0.0, (low + high - length) / 2), limit - length)
    return start, start + length


def _tiles(size: tuple[int, int], smallest: int) -> list[Box]:
    """Squares of the picture's shorter side along its longer one, overlapping; none where they show no more
    than the whole picture does.
    """
    short, long = min(size), max(size)
    if short < TILES_FROM * smallest or long == short:
        return []
    count = -(-long // short) + (long % short == 0)
    starts = [(long - short) * at / (count - 1) for at in range(count)]
    wide = size[0] > size[1]
    return [
        _fraction(
            _Rectangle(start, 0, start + short, short)
            if wide
            else _Rectangle(0, start, short, start + short),
            size,
        )
        for start in starts
    ]


def _covers(one: Box, other: Box) -> bool:
    return one.overlap(other) >= 0.95 * other.area


def _fraction(part: _Rectangle, size: tuple[int, int]) -> Box:
    return Box(part.left / size[0], part.top / size[1], part.right / size[0], part.bottom / size[1]).clipped()
