"""Signals as something to wait for.

A signal's handler runs between any two steps of the main thread, also while that holds the lock inside a
`threading.Event`; setting the event there would wait for itself for ever (it did, at the end of a recording).
So the interpreter's own C code writes a byte into a pipe, and who waits reads it.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType


class Wake:
    """A pipe that signals write into. Make it in the main thread, one a process."""

    def __init__(self, on_signal: Callable[[int], None], numbers: Iterable[int]) -> None:
        """`on_signal` is called in the main thread and may only set plain values."""
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

        def handle(number: int, _frame: FrameType | None) -> None:
            on_signal(number)

        for number in numbers:
            signal.signal(number, handle)

    def wait(self, timeout_s: float | None) -> bool:
        """Until a signal comes or the time is over (None: for ever). Returns whether one came."""
        if not select.select([self._reading], [], [], timeout_s)[0]:
            return False
        os.read(self._reading, 4096)
        return True


def set_on_signals(event: threading.Event, numbers: Iterable[int]) -> None:
    """Sets the event when one of the signals comes, by a thread of its own that ends with the process."""
    wake = Wake(lambda _: None, numbers)

    def watch() -> None:
        wake.wait(None)
        event.set()

    threading.Thread(target=watch, name="signals", daemon=True).start()
