"""What cameras and the detector's thread hand to the keeping thread: bounded, and never waited for.

Rules:
- An event that only changed takes the place of its state before: what waits is one item an event.
- Items of a camera come out in their order. Beyond `most` of one camera the oldest is dropped and counted,
  and its time can be asked for: that takes a disk which has not answered for many events.
- Up to when a camera was looked at comes out after everything that came before it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace

from pipeline.event import Began, Changed, Happening


@dataclass(frozen=True, slots=True)
class Kept:
    """Something happened at a camera, and whether its clock was unsure then."""

    camera: str
    happening: Happening
    clock_unsure: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """Everything that `camera` showed until then (UTC ns) has been looked at."""

    camera: str
    until_ns: int


Item = Kept | Looked


class Mailbox:
    """Any thread puts, one takes."""

    def __init__(self, most: int = 50) -> None:
        self._most = most
        self._waiting: deque[Item] = deque()
        self._lost: dict[str, int] = {}
        self._missed: dict[str, tuple[int, int]] = {}
        self._changed = threading.Condition()

    def put(self, camera: str, happening: Happening, clock_unsure: bool) -> None:
        """Never waits."""
        with self._changed:
            last = self._last_kept(camera)
            fresh = Kept(camera, happening, clock_unsure)
            if last is not None and _is_news_of(happening, self._waiting[last]):
                self._waiting[last] = self._merged(self._waiting[last], fresh)
            else:
                self._waiting.append(fresh)
                self._shed(camera)
            self._changed.notify()

    def looked(self, camera: str, until_ns: int) -> None:
        """Never waits."""
        with self._changed:
            for at in range(len(self._waiting) - 1, -1, -1):
                if self._waiting[at].camera == camera:
                    if isinstance(self._waiting[at], Looked):
                        self._waiting[at] = Looked(camera, until_ns)
                        return
                    break
            self._waiting.append(Looked(camera, until_ns))
            self._changed.notify()

    def take(self, timeout_s: float) -> Item | None:
        """The oldest; None when nothing comes in time."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting), timeout_s)
            return self._waiting.popleft() if self._waiting else None

    def lost(self, camera: str) -> int:
        """How many of this camera's were dropped."""
        return self._lost.get(camera, 0)

    def missed(self, camera: str) -> tuple[int, int] | None:
        """From when until when (UTC ns) the events lasted that were dropped since this was last asked."""
        with self._changed:
            return self._missed.pop(camera, None)

    def _last_kept(self, camera: str) -> int | None:
        for at in range(len(self._waiting) - 1, -1, -1):
            item = self._waiting[at]
            if item.camera == camera and isinstance(item, Kept):
                return at
        return None

    def _merged(self, before: Item, after: Kept) -> Kept:
        """A beginning that nobody has taken yet stays one, with what is known now."""
        if isinstance(before, Kept) and isinstance(before.happening, Began):
            return replace(after, happening=Began(after.happening.event))
        if isinstance(before, Kept) and isinstance(before.happening, Changed):
            notable = before.happening.notable or (
                isinstance(after.happening, Changed) and after.happening.notable
            )
            return replace(after, happening=Changed(after.happening.event, notable))
        return after

    def _shed(self, camera: str) -> None:
        mine = [
            (at, item.happening.event)
            for at, item in enumerate(self._waiting)
            if item.camera == camera and isinstance(item, Kept)
        ]
        if len(mine) > self._most:
            at, event = mine[0]
            del self._waiting[at]
            self._lost[camera] = self._lost.get(camera, 0) + 1
            from_ns, to_ns = self._missed.get(camera, (event.start_ns, event.end_ns))
            self._missed[camera] = min(from_ns, event.start_ns), max(to_ns, event.end_ns)


def _is_news_of(happening: Happening, before: Item) -> bool:
    """Whether this only brings the waiting state of the same event up to date."""
    return (
        isinstance(happening, Changed)
        and isinstance(before, Kept)
        and isinstance(before.happening, Began | Changed)
        and before.happening.event.number == happening.event.number
    )
