"""What retention deletes is said in the chain, so that what expired is told apart from what is missing.

Rules:
- A tombstone is written before its file goes. When it cannot be (the disk is full, and deleting is what makes
  room), deleting goes on all the same: the tombstone is kept in memory and written as soon as it can be.
- Nothing here raises: retention never waits for a chain.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence

from pipeline.chain.log import ChainBusy, ChainDamaged, ChainKeeper, ChainLog
from pipeline.chain.records import Expired, Reason
from pipeline.model import StreamName
from pipeline.names import StoredSegment
from pipeline.retention import Removal, Why

_log = logging.getLogger("nvr.chain")
_REASONS = {
    Why.AGE: Reason.AGE,
    Why.CAMERA_BYTES: Reason.CAMERA_BYTES,
    Why.STORE_BYTES: Reason.STORE_BYTES,
    Why.FREE_SPACE: Reason.FREE_SPACE,
    Why.NO_EVENT: Reason.NO_EVENT,
}


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Tombstones:
    """The supervisor's, for all cameras."""

    def __init__(self, keeper: ChainKeeper, now_ms: Callable[[], int] = _wall_ms) -> None:
        self._keeper = keeper
        self._now_ms = now_ms
        self._logs: dict[str, ChainLog] = {}
        self._waiting: dict[str, list[Expired]] = {}
        self._unsigned: set[str] = set()

    def log(self, camera: str) -> ChainLog:
        """The camera's chain."""
        if camera not in self._logs:
            self._logs[camera] = ChainLog(self._keeper, camera)
        return self._logs[camera]

    @property
    def waiting(self) -> int:
        """How many records could not be written yet."""
        return sum(map(len, self._waiting.values()))

    def before(self, removals: Sequence[Removal]) -> None:
        """These segments of one stream are about to be deleted."""
        if not removals:
            return
        camera = removals[0].segment.stream.camera
        if self.log(camera).exists:
            self._waiting.setdefault(camera, []).extend(runs(removals))
            self._write(camera)

    def settle(self) -> None:
        """The pass is over: writes what could not be written before, and signs."""
        for camera in list(self._waiting):
            self._write(camera)
        for camera in sorted(self._unsigned):
            if self._append(camera, (), sign=True):
                self._unsigned.discard(camera)

    def _write(self, camera: str) -> None:
        if self._append(camera, self._waiting[camera]):
            del self._waiting[camera]
            self._unsigned.add(camera)

    def _append(self, camera: str, records: Sequence[Expired], *, sign: bool = False) -> bool:
        try:
            self.log(camera).append(records, self._now_ms(), sign=sign)
        except (ChainBusy, ChainDamaged):
            return False
        except OSError as error:
            _log.debug("%s: tombstones wait: %s", camera, error.strerror)
            return False
        return True


def runs(removals: Iterable[Removal]) -> list[Expired]:
    """The records for these removals: one for each run of consecutive sequences and one reason."""
    found: list[tuple[StreamName, Expired]] = []
    for removal in sorted(removals, key=_order):
        stream, sequence = removal.segment.stream, removal.segment.name.sequence
        reason = _REASONS[removal.why]
        if found and found[-1][0] == stream:
            last = found[-1][1]
            if last.reason == reason and last.first + last.count == sequence:
                found[-1] = (stream, Expired(stream.stream, reason, last.first, last.count + 1))
                continue
        found.append((stream, Expired(stream.stream, reason, sequence, 1)))
    return [expired for _, expired in found]


def _order(removal: Removal) -> tuple[StreamName, int]:
    segment: StoredSegment = removal.segment
    return segment.stream, segment.name.sequence
