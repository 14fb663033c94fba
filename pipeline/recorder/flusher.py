"""Flushes in a thread of their own, one at a time: the writer goes on writing while a slow disk flushes.

Otherwise what the camera sends meanwhile would wait in memory, and a crash would cost it: an SD card may take
seconds for a flush. A file is neither published nor let go of while the flush it is in is under way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.store import GroupFlush, SegmentFile


@dataclass(frozen=True, slots=True)
class Flushed:
    """A flush has ended: all of `files` are durable as they were at its beginning, but for those `failed`."""

    files: tuple[SegmentFile, ...]
    failed: tuple[SegmentFile, ...]


class Flusher:
    """`deliver` is called from the flusher's thread with the result of each flush."""

    def __init__(self, flush: GroupFlush, deliver: Callable[[Flushed], object], thread_name: str) -> None:
        self._flush = flush
        self._deliver = deliver
        self._files: tuple[SegmentFile, ...] | None = None
        self._ended = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=thread_name, daemon=True)
        self._thread.start()

    def begin(self, files: Sequence[SegmentFile]) -> None:
        """Begins a flush of what has been written to `files`. Not while one is under way.

        Raises RuntimeError when the thread met an error that nobody foresaw: then nothing is flushed any
        more.
        """
        if not self._thread.is_alive():
            raise RuntimeError("the flusher's thread has ended")
        with self._condition:
            self._files = tuple(files)
            self._condition.notify_all()

    def wait(self) -> None:
        """Returns when no flush is under way; the last result was delivered then."""
        with self._condition:
            self._condition.wait_for(lambda: self._files is None)

    def close(self) -> None:
        """Ends the thread, after the flush that is under way."""
        with self._condition:
            self._ended = True
            self._condition.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while (files := self._next()) is not None:
            failed = files  # unless we hear otherwise: nobody may wait for a thread that broke
            try:
                failed = tuple(self._flush.flush_written(files))
            finally:
                with self._condition:
                    self._files = None
                    self._deliver(Flushed(files, failed))
                    self._condition.notify_all()

    def _next(self) -> tuple[SegmentFile, ...] | None:
        with self._condition:
            self._condition.wait_for(lambda: self._files is not None or self._ended)
            return self._files
