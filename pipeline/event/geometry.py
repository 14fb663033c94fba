"""Where things are: in an area or not, on which side of a line, and over it. Pure; fractions of the picture.

Rules:
- The edge of an area belongs to it.
- The y axis points down, so "left" of a line is what somebody sees on the left who looks from its beginning
  to its end on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.scene import Point


def area(corners: Sequence[Point]) -> float:
    """Of a polygon that does not cross itself, of the picture's area (the shoelace formula)."""
    doubled = sum(a.x * b.y - b.x * a.y for a, b in _edges(corners))
    return abs(doubled) / 2


def contains(corners: Sequence[Point], point: Point) -> bool:
    """Whether `point` lies in the polygon or on its edge (even-odd rule)."""
    inside = False
    for a, b in _edges(corners):
        if _on_segment(a, b, point):
            return True
        if (a.y > point.y) != (b.y > point.y):
            inside ^= point.x < a.x + (point.y - a.y) * (b.x - a.x) / (b.y - a.y)
    return inside


def crosses_itself(corners: Sequence[Point]) -> bool:
    """Whether edges meet that are not neighbours, neighbours fold back, or a corner stands there twice."""
    edges = _edges(corners)
    if len(set(corners)) < len(corners):
        return True
    for first, (a, b) in enumerate(edges):
        for second in range(first + 1, len(edges)):
            c, d = edges[second]
            if b == c or d == a:
                if _folds_back(a, b, d) if b == c else _folds_back(c, d, b):
                    return True
            elif segments_meet(a, b, c, d):
                return True
    return False


def side(start: Point, end: Point, point: Point) -> float:
    """How far right (positive) or left (negative) of the line `point` lies, of the picture."""
    along_x, along_y = end.x - start.x, end.y - start.y
    length = (along_x**2 + along_y**2) ** 0.5
    return (along_x * (point.y - start.y) - along_y * (point.x - start.x)) / length if length else 0.0


def passes(start: Point, end: Point, before: Point, after: Point) -> int:
    """+1 when the way from `before` to `after` leads over the line from left to right, -1 the other way.

    A place on the line counts as right of it: so a touch and the way back add up to 0, and a way over the
    line with a stop on it to one crossing. 0 where the way passes beyond one of the line's ends.
    """
    was, now = side(start, end, before), side(start, end, after)
    if (was < 0) == (now < 0):
        return 0
    # Reckoned from left to right whichever way was gone, so that there and back cancel out to the last bit.
    (left, off), (right, beyond) = sorted(((before, was), (after, now)), key=lambda one: one[1])
    share = off / (off - beyond)
    place = Point(left.x + share * (right.x - left.x), left.y + share * (right.y - left.y))
    along_x, along_y = end.x - start.x, end.y - start.y
    at = (place.x - start.x) * along_x + (place.y - start.y) * along_y
    if not 0 <= at <= along_x**2 + along_y**2:
        return 0
    return 1 if was < 0 else -1


def segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the two segments have a point in common."""
    turns = (_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b))
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    return _on_segment(a, b, c) or _on_segment(a, b, d) or _on_segment(c, d, a) or _on_segment(c, d, b)


def _edges(corners: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(zip(corners, [*corners[1:], *corners[:1]], strict=True))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)


def _on_segment(a: Point, b: Point, point: Point) -> bool:
    between_x = min(a.x, b.x) <= point.x <= max(a.x, b.x)
    return between_x and min(a.y, b.y) <= point.y <= max(a.y, b.y) and abs(_turn(a, b, point)) < 1e-12


def _folds_back(a: Point, middle: Point, b: Point) -> bool:
    """Whether the edges a-middle and middle-b lie on one another."""
    if abs(_turn(a, middle, b)) >= 1e-12:
        return False
    return (a.x - middle.x) * (b.x - middle.x) + (a.y - middle.y) * (b.y - middle.y) > 0
