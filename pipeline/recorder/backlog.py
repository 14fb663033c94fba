"""What waits to be written: a queue between the camera's threads and the writer, bounded in bytes.

Footage is refused when the bound is reached (the caller then drops whole GOPs and counts them); everything
that opens, closes or explains is always taken, for it is small and the writer must know it.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Backlog(Generic[Item]):
    """A first-in first-out queue for several producers and one consumer."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._condition = threading.Condition()

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of footage wait now."""
        return self._bytes

    def put(self, item: Item, size_bytes: int = 0) -> bool:
        """Takes `item`, or returns False when its bytes would exceed the bound. Never blocks."""
        with self._condition:
            if size_bytes and self._bytes and self._bytes + size_bytes > self.limit_bytes:
                return False
            self._items.append((item, size_bytes))
            self._bytes += size_bytes
            self._condition.notify()
            return True

    def take(self, timeout_s: float) -> Item | None:
        """The next item; None when none came in time, or the queue is closed and empty."""
        with self._condition:
            if not self._items and not self._closed:
                self._condition.wait(timeout_s)
            if not self._items:
                return None
            item, size_bytes = self._items.popleft()
            self._bytes -= size_bytes
            return item

    def close(self) -> None:
        """No more will come: `take` no longer waits."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    @property
    def finished(self) -> bool:
        """Whether the queue is closed and everything in it was taken."""
        with self._condition:
            return self._closed and not self._items
