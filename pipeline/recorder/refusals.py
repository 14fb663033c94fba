"""When a camera that refuses user or password is asked again: seldom, since many lock the account.

Rules:
- All streams of a camera count together, for it counts their wrong passwords together.
- After a refusal one stream asks for all; the others wait for what becomes of it.
- A stream that was not itself refused never waits: a camera may keep one stream from a user and show another.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

ASKING_S = 10.0  # an answer takes at most as long: twice the source's limit, for connecting and for reading


class Refusals:
    """Shared by the threads of one camera's streams. Never blocks. `now_s` is monotonic."""

    def __init__(self, pauses_s: Sequence[float]) -> None:
        """The pause after each refusal in a row; the last one for ever."""
        self._pauses_s = tuple(pauses_s)
        self._lock = threading.Lock()
        self._count = 0
        self._until_s = 0.0

    def refused(self, now_s: float) -> None:
        """The camera wants another user or password."""
        with self._lock:
            self._count += 1
            self._until_s = now_s + self._pauses_s[min(self._count, len(self._pauses_s)) - 1]

    def let_in(self) -> None:
        """User and password are right: the pauses begin anew, and nobody need wait."""
        with self._lock:
            self._count, self._until_s = 0, 0.0

    def pause_s(self, now_s: float) -> float:
        """How long a stream that was refused has to wait; 0 tells it, and it alone, to ask now."""
        with self._lock:
            if (pause_s := self._until_s - now_s) > 0:
                return pause_s
            if self._count:
                self._until_s = now_s + ASKING_S
            return 0.0

    def __str__(self) -> str:
        *growing, last = (f"{pause_s:g}" for pause_s in self._pauses_s)
        return f"after {', '.join(growing)} s and then every {last} s"
