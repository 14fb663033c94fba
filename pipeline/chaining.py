"""What one process adds to a camera's chain: recording neither waits for it nor ends with it.

A recorder gives it a thread of its own (`start`); the watcher's keeping thread calls `attempt` now and then.

Rules:
- What was published and marked is chained in that order; what cannot be written waits (at most
  `MOST_WAITING`) and is tried again. What a crash keeps from the chain is found at the next start. What
  waited for half an hour counts as found, too.
- It begins with what lies in the store and not in the chain: what was recovered, and the last segments of
  each stream above the chain's last, as *found*: nobody vouches for when they came there.
- A signature at most once a minute, and one at the end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from pipeline import walk
from pipeline.chain.content import content_of
from pipeline.chain.log import ChainBusy, ChainDamaged, ChainKeeper, ChainLog
from pipeline.chain.reading import chain_numbers, newest_fold, read_chain_file
from pipeline.chain.records import LONGEST_REASON_BYTES, Gap, Record, Segment
from pipeline.chain.structure import LATE_MS
from pipeline.content import Content
from pipeline.model import StreamName
from pipeline.names import HIGHEST_BEGUN, GapMark, StoredSegment
from pipeline.stored_file import open_stored

_log = logging.getLogger("nvr.recorder")
MOST_WAITING = 10_000  # about 3 MB: fourteen hours of two streams
MOST_ADOPTED = 64
STALE_S = 1800.0
SIGN_S = 60.0
TEND_S = 60.0
RETRY_S = 2.0
STOP_GRACE_S = 2.0
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What the recorder began with: what it recovered, and the first sequence it gives in each stream."""

    recovered: tuple[StoredSegment, ...]
    sequences: Mapping[StreamName, int]


class Chaining:
    """Takes what the writer publishes. `clock_sure` is asked before the day key is exchanged by date."""

    def __init__(
        self,
        keeper: ChainKeeper,
        camera: str,
        beginnings: Beginnings,
        clock_sure: Callable[[], bool],
        *,
        durably: bool,
    ) -> None:
        self._keeper = keeper
        self._root = keeper.place.root
        self._camera = camera
        self._beginnings: Beginnings | None = beginnings
        self._clock_sure = clock_sure
        self._chain = ChainLog(keeper, camera, durably=durably)
        self._waiting: deque[tuple[Record, float]] = deque()  # each with the monotonic time of its coming
        self._found: deque[StoredSegment] = deque()
        self._lost = 0
        self._unsigned = False
        self._signed_s = time.monotonic()
        self._tend_due_s = 0.0
        self._damaged = False
        self._trouble = ""
        self._stopping = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"{camera}-chain", daemon=True)

    @property
    def waiting(self) -> int:
        """How many records are not in the chain yet."""
        return len(self._waiting) + len(self._found)

    def published(self, segment: StoredSegment, generation: int, content: Content) -> None:
        """A segment has its name; `content` is what was written. Never blocks."""
        self._put(chain_segment(segment, content, generation))

    def found(self, segment: StoredSegment) -> None:
        """A segment that was recovered: its content is read from the disk. Never blocks."""
        with self._condition:
            self._found.append(segment)
            self._condition.notify()

    def marked(self, mark: GapMark) -> None:
        """A gap mark is durable. Never blocks."""
        reason = mark.reason.encode()[:LONGEST_REASON_BYTES].decode(errors="ignore")
        self._put(Gap(mark.stream.stream, mark.at_ms, reason))

    def _put(self, record: Record) -> None:
        with self._condition:
            if len(self._waiting) >= MOST_WAITING:
                self._lost += 1
                return
            self._waiting.append((record, time.monotonic()))
            self._condition.notify()

    def start(self) -> None:
        """Begins with what the store has and the chain has not."""
        self._thread.start()

    def stop(self) -> None:
        """Chains and signs what there is, unless that takes longer than some seconds."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self._thread.join(STOP_GRACE_S)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self.waiting or self._stopping, SIGN_S)
                stopping = self._stopping
            done = self.attempt(sign=stopping)
            if stopping:
                return
            if not done:
                time.sleep(RETRY_S)

    def attempt(self, *, sign: bool = False) -> bool:
        """Chains what waits, unless something is in the way; whether everything is in the chain."""
        try:
            self.run_once(time.time_ns() // 1_000_000, sign=sign)
        except ChainBusy:
            return False
        except ChainDamaged as fault:
            self._damaged = True
            self._say(str(fault))
        except OSError as fault:
            self._say((fault.strerror or "input/output error").lower())
        except Exception as fault:  # noqa: BLE001 - recording goes on, whatever befalls the chain
            self._say(f"unexpected fault ({type(fault).__name__})")
        else:
            self._say("")
            return True
        return False

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            _log.error("%s: the chain cannot be written: %s; recording goes on", self._camera, trouble)
        elif self._trouble and not trouble:
            lost = f", {self._lost} records lost" if self._lost else ""
            _log.warning("%s: the chain is written again%s", self._camera, lost)
            self._lost = 0
        self._trouble = trouble

    def run_once(self, now_ms: int, *, sign: bool = False) -> None:
        """Exchanges the day key if it is time, then chains all that waits. Raises ChainBusy, ChainDamaged,
        OSError; what was not chained waits on.
        """
        if self._damaged or time.monotonic() >= self._tend_due_s:
            boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            if self._keeper.tend(now_ms, boot_ns, sure=self._clock_sure(), damaged=self._damaged):
                self._damaged = False
            self._tend_due_s = time.monotonic() + TEND_S
        if self._beginnings is not None:
            self._adopt(self._beginnings, now_ms)
            self._beginnings = None
        self._look_at_found()
        sign = sign or time.monotonic() - self._signed_s >= SIGN_S
        while records := self._batch():
            self._append(records, now_ms, sign=sign)
            with self._condition:
                for _ in records:
                    self._waiting.popleft()
        if self._unsigned and sign:
            self._append((), now_ms, sign=True)

    def _append(self, records: Sequence[Record], now_ms: int, *, sign: bool) -> None:
        self._chain.append(records, now_ms, sign=sign)
        self._unsigned = not sign
        if sign:
            self._signed_s = time.monotonic()

    def _batch(self) -> list[Record]:
        """What waited for long is no longer vouched for: it counts as found.

        So does what is, by its own time, from before the day key: a clock that was set forward and back does
        that.
        """
        with self._condition:
            taken = list(islice(self._waiting, _BATCH))
        stale_s = time.monotonic() - STALE_S
        return [
            replace(record, found=True)
            if isinstance(record, Segment) and (came_s < stale_s or self._is_too_old(record))
            else record
            for record, came_s in taken
        ]

    def _is_too_old(self, segment: Segment) -> bool:
        return segment.start_ms + segment.duration_ms < self._keeper.certified_ms - LATE_MS // 2

    def _look_at_found(self) -> None:
        """Those that are gone by now are left out."""
        while self._found:
            record = found_record(self._root, self._found[0])
            self._found.popleft()
            if record is not None:
                self._put(record)

    def _adopt(self, beginnings: Beginnings, now_ms: int) -> None:
        fold = self._chain.standing(now_ms)
        missing = {
            segment
            for stream, first in beginnings.sequences.items()
            for segment in _newest(self._root, stream, fold.next_sequence(stream.stream), first)
        }
        missing |= set(beginnings.recovered)
        known = _chained(self._root, self._camera, {(s.stream.stream, s.name.sequence) for s in missing})
        new = [s for s in missing if (s.stream.stream, s.name.sequence) not in known]
        self._found.extendleft(sorted(new, key=lambda s: (s.stream, s.name.sequence), reverse=True))


def chain_segment(
    segment: StoredSegment, content: Content, generation: int, *, found: bool = False
) -> Segment:
    """The record of a published segment."""
    name = segment.name
    return Segment(
        segment.stream.stream,
        name.sequence,
        name.start_ms,
        name.duration_ms,
        content.size_bytes,
        generation,
        content.digest,
        name.clock_unsure,
        name.unfinished,
        found,
    )


def found_record(root: Path, segment: StoredSegment) -> Segment | None:
    """The record of a segment as it lies in the store; its generation is not known. None when it is gone.
    Raises OSError.
    """
    try:
        file, _ = open_stored(root, segment)
    except FileNotFoundError:
        return None
    with file:
        content = content_of(file, unfinished=segment.name.unfinished)
    return chain_segment(segment, content, 0, found=True)


def next_in_chain(root: Path, stream: StreamName) -> int:
    """One above the stream's highest sequence in the chain as it stands; 0 if nothing can be read of it."""
    try:
        fold = newest_fold(root, stream.camera)
    except OSError:
        return 0
    following = fold.next_sequence(stream.stream) if fold else 0
    return following if following <= HIGHEST_BEGUN else 0


def _newest(root: Path, stream: StreamName, first: int, end: int) -> Iterable[StoredSegment]:
    """The last segments of the stream with sequences from `first` to before `end`."""
    found: list[StoredSegment] = []
    if first < end:
        for hour in walk.hours(root, stream):
            found += [s for s in walk.segments(root, hour) if first <= s.name.sequence < end]
    return sorted(found, key=lambda segment: segment.name.sequence)[-MOST_ADOPTED:]


def _chained(root: Path, camera: str, wanted: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """Which of these streams' sequences are in the chain already."""
    if not wanted:
        return set()
    found = set()
    for number in reversed(chain_numbers(root, camera)):
        for record in read_chain_file(root, camera, number):
            if isinstance(record, Segment) and (record.stream, record.sequence) in wanted:
                found.add((record.stream, record.sequence))
    return found
