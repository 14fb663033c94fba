"""A recorder's index thread: tells the index what was published, and never makes the recorder wait.

Rules:
- `published` and `marked` return at once, whatever state index and disk are in.
- What could not be told (a lock, a full disk, a full queue, an index gone) is not kept in memory: its folder
  is remembered, and read again from the store when the index can be used. So nothing is lost, and memory is
  bounded.
- A damaged index is set aside and made anew, a missing one made: by one process, the others wait for it.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from pipeline import walk
from pipeline.index.database import Index
from pipeline.index.errors import IndexDamaged, IndexFault
from pipeline.index.rebuild import open_or_restore
from pipeline.model import StreamName
from pipeline.names import GapMark, StoredSegment, day_of, hour_of
from pipeline.walk import Hour

_log = logging.getLogger("nvr.index")
_QUEUE = 1024
_BATCH = 256
_BUSY_S = 2.0
_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0)

Item = StoredSegment | GapMark


class IndexThread:
    """Start it, tell it, stop it. `published` and `marked` may be called from any thread."""

    def __init__(
        self,
        root: Path,
        camera: str,
        *,
        streams: Callable[[], Iterable[StreamName]] | None = None,
        queue_size: int = _QUEUE,
        busy_s: float = _BUSY_S,
    ) -> None:
        """For one camera's footage in the index of the store `root`; or for these `streams`, which have no
        gap marks: then `camera` is only a name.
        """
        self._root = root
        self._streams = streams or (lambda: walk.streams(root, camera))
        self._has_gaps = streams is None
        self._camera = camera
        self._busy_s = busy_s
        self._queue: queue.Queue[Item | None] = queue.Queue(queue_size)
        self._behind: set[Hour] = set()
        self._gaps_behind: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._index: Index | None = None
        self._damaged: tuple[int, int] | None = None
        self._fault = ""
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=f"{camera}-index", daemon=True)

    @property
    def behind(self) -> int:
        """How many folders of the store the index does not reflect yet."""
        return len(self._behind) + len(self._gaps_behind)

    @property
    def fault(self) -> str:
        """Why the index cannot be used now, in a sentence; empty when it can."""
        return self._fault

    def published(self, segment: StoredSegment) -> None:
        """The segment's name is durable. Never blocks, never fails."""
        self._put(segment)

    def marked(self, mark: GapMark) -> None:
        """The gap mark is durable. Never blocks, never fails."""
        self._put(mark)

    def _put(self, item: Item) -> None:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._remember([item])

    def start(self) -> Self:
        """Begins with what the index may have missed when this camera's recorder last ended."""
        self._thread.start()
        return self

    def stop(self, timeout_s: float = 5.0) -> None:
        """Tells the index what is left, if it can be used within that time, and ends."""
        self._stopping.set()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        self.run_once([])
        while not (self._stopping.is_set() and self._queue.empty()):
            if self._failures:
                self._stopping.wait(_PAUSES_S[min(self._failures, len(_PAUSES_S)) - 1])
            self.run_once(self._take())
        self._close()

    def _take(self) -> list[Item]:
        """What waits; waits itself for the first, unless there is something else to do."""
        batch: list[Item] = []
        with contextlib.suppress(queue.Empty):
            while len(batch) < _BATCH:
                idle = not batch and not self.behind and not self._stopping.is_set()
                item = self._queue.get(block=idle)
                if item is None:
                    break
                batch.append(item)
        return batch

    def run_once(self, batch: list[Item]) -> bool:
        """Tells the index of `batch` and of what it missed. False if it could not: then all is remembered."""
        try:
            index = self._opened()
            index.add(
                [item for item in batch if isinstance(item, StoredSegment)],
                [item for item in batch if isinstance(item, GapMark)],
            )
            self._catch_up(index)
        except (IndexFault, OSError) as error:
            self._remember(batch)
            self._failed(error)
            return False
        if self._fault:
            _log.warning("%s: the index can be used again", self._camera)
        self._fault, self._failures = "", 0
        return True

    def _opened(self) -> Index:
        if self._index is not None and not self._index.is_current():
            self._close()
        if self._index is None:
            self._index = open_or_restore(self._root, self._damaged, busy_s=self._busy_s)
            self._damaged = None
            for stream in self._streams():
                self._remember_since(self._index, stream)
        return self._index

    def _remember_since(self, index: Index, stream: StreamName) -> None:
        """A crash may have come between a segment's name and its row: that can only be lately."""
        newest = index.newest(stream)
        since_ms = newest.name.start_ms - 3_600_000 if newest else 0
        with self._lock:
            self._behind |= {hour for hour in walk.hours(self._root, stream) if hour.start_ms >= since_ms}
            if self._has_gaps:
                days = walk.gap_days(self._root, stream.camera)
                self._gaps_behind |= {day for day in days if day >= day_of(max(0, since_ms))}

    def _catch_up(self, index: Index) -> None:
        while self.behind:
            with self._lock:
                hour = self._behind.pop() if self._behind else None
                day = self._gaps_behind.pop() if hour is None else None
            try:
                if hour is not None:
                    index.set_hour(self._root, hour)
                elif day is not None:
                    index.add((), walk.gap_marks(self._root, self._camera, day))
            except (IndexFault, OSError):
                with self._lock:
                    self._behind |= {hour} if hour is not None else set()
                    self._gaps_behind |= {day} if day is not None else set()
                raise

    def _remember(self, batch: list[Item]) -> None:
        with self._lock:
            for item in batch:
                if isinstance(item, GapMark):
                    self._gaps_behind.add(day_of(item.at_ms))
                else:
                    start_ms = item.name.start_ms
                    self._behind.add(Hour(item.stream, day_of(start_ms), hour_of(start_ms)))

    def _failed(self, error: IndexFault | OSError) -> None:
        reason = (
            str(error) if isinstance(error, IndexFault) else f"the store cannot be read: {error.strerror}"
        )
        if isinstance(error, IndexDamaged) and self._index is not None:
            self._damaged = self._index.place
        self._failures += 1
        if reason != self._fault:
            self._fault = reason
            _log.warning("%s: %s; recording goes on, the index catches up later", self._camera, reason)
        self._close()

    def _close(self) -> None:
        if self._index is not None:
            with contextlib.suppress(IndexFault):
                self._index.close()
        self._index = None
