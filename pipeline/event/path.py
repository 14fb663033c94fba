"""The way a thing took, thinned as it grows.

Rules:
- At most two places a second are kept, but the newest is always there.
- It reaches back no further than it is asked to: what is kept before a thing counts stays small.
"""

from __future__ import annotations

from collections import deque

from pipeline.event.nouns import Place

STEP_NS = 500_000_000


class Path:
    """Places in the order of time."""

    def __init__(self) -> None:
        self._places: deque[Place] = deque()

    def add(self, place: Place) -> None:
        """The newest place. It takes the place of the one before when that came too soon after its own.

        One that is not newer (a look answered late) is left out.
        """
        places = self._places
        if places and place.at_ns <= places[-1].at_ns:
            return
        if len(places) >= 2 and places[-1].at_ns - places[-2].at_ns < STEP_NS:
            places.pop()
        places.append(place)

    def forget_before(self, at_ns: int) -> None:
        """Drops what is older."""
        while self._places and self._places[0].at_ns < at_ns:
            self._places.popleft()

    def since(self, at_ns: int) -> tuple[Place, ...]:
        """What lies at or after `at_ns`."""
        return tuple(place for place in self._places if place.at_ns >= at_ns)
