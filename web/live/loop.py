"""The one thread in which aiortc lives, `live-loop`, and how other threads have work done there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from web.live.errors import NotInTime

T = TypeVar("T")
_END_S = 2.0
_LATE = "Live view did not answer in time; try again."


class LiveLoop:
    """An event loop in a thread. Start it after the process has forked."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begins; a second time does nothing."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="live-loop", daemon=True)
                self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], limit_s: float) -> T:
        """Blocks until `work` is done there. Raises what it raises; NotInTime when it was cancelled."""
        loop = self._loop
        if loop is None or not loop.is_running():
            work.close()
            raise NotInTime("Live view is not running.")
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(limit_s)
        except (TimeoutError, CancelledError):
            future.cancel()
            raise NotInTime(_LATE) from None

    def close(self) -> None:
        """Cancels what is left and ends the thread; waits for it (some seconds at most)."""
        with self._lock:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_rest(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


async def _cancel_rest() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=_END_S)
