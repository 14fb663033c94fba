"""Whether a new track is a thing that was lost: people pass behind a post and get another number. Pure.

Rules: of the same kind, about as large, near, and soon; what was hardly seen is lost sooner.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.event.following import Followed
from pipeline.event.nouns import Tracked
from pipeline.event.rules import VEHICLES
from pipeline.scene import Box

FOUND_AGAIN_NS = 2_500_000_000  # a person walks two and a half of their own heights in that time
HARDLY_SEEN_NS = 1_000_000_000  # for what is not confirmed yet: most of it was never there
ALIKE = 2.0  # how many times as high or wide it may be then


def lost_thing(things: Iterable[Followed], track: Tracked) -> Followed | None:
    """Which of these things, that are found no more, the new track goes on with; None for none."""
    near = [one for one in things if _may_be(one, track)]
    return min(near, key=lambda one: _distance(one.box, track.box), default=None)


def _may_be(one: Followed, track: Tracked) -> bool:
    alike = one.label == track.label or {one.label, track.label} <= VEHICLES
    away_ns = track.seen_ns - one.seen_ns
    if not alike or not 0 < away_ns <= (FOUND_AGAIN_NS if one.is_confirmed else HARDLY_SEEN_NS):
        return False
    size, new_size = max(one.box.height, one.box.width), max(track.box.height, track.box.width)
    if not 1 / ALIKE <= new_size / max(size, 1e-6) <= ALIKE:
        return False
    # Half its size for boxes that tremble, and half a size a second: people walk at one, mostly in sight.
    return _distance(one.box, track.box) <= min(size, new_size) * (0.5 + 0.5 * away_ns / 1e9)


def _distance(one: Box, other: Box) -> float:
    return max(abs(one.centre.x - other.centre.x), abs(one.centre.y - other.centre.y))
