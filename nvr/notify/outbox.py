"""A receiver's bounded queue and the thread that empties it.

Rules:
- A change that still waits goes when the same event's next state comes: while a receiver is away or slow, a
  busy scene keeps two notices waiting, and not hundreds.
- `put` never waits. Beyond `most` waiting notices the oldest is dropped and counted.
- What escapes `deliver` costs that notice, nothing else; the log says its kind, never its text.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from nvr.notify.notice import Notice

_log = logging.getLogger("nvr.notify")
MOST = 100  # some hours of a busy house: a receiver that is away longer does not want them one by one


class Outbox:
    """Any thread puts; `deliver` is called by the outbox's own. `name` names thread and log lines."""

    def __init__(self, name: str, deliver: Callable[[Notice], None], most: int = MOST) -> None:
        self._name = name
        self._deliver = deliver
        self._waiting: deque[Notice] = deque()
        self._most = most
        self._changed = threading.Condition()
        self._is_closed = False
        self.dropped = 0
        """How many notices did not fit."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins to deliver."""
        self._thread.start()

    def put(self, notice: Notice) -> None:
        """Takes a notice; never waits."""
        with self._changed:
            outdated = next((one for one in self._waiting if notice.outdates(one)), None)
            if outdated is not None:
                self._waiting.remove(outdated)
            elif len(self._waiting) >= self._most:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(notice)
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Delivers what waits, for so long; then leaves it."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (notice := self._next()) is not None:
            try:
                self._deliver(notice)
            except Exception as error:  # noqa: BLE001 - the last line of defence, logged without its text
                _log.error("%s: a notice was lost: %s", self._name, type(error).__name__)

    def _next(self) -> Notice | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._is_closed)
            return self._waiting.popleft() if self._waiting else None
