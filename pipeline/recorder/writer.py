"""The writer: one thread per camera that turns fragments into sealed, published segments of both streams.

Rules:
- While the disk takes nothing, the current piece is tried again with pauses, for ever; what the camera sends
  meanwhile waits in the backlog, which is bounded. Nothing is skipped that the disk may still take.
- A failed flush abandons the segment: the stream begins a new one at its next keyframe, and what start-up
  would recover is recovered as soon as the disk works again.
- Writing goes on while a flush is under way (`flusher`); what it allows happens when it has ended.
- A segment gets into the chain and the index when its name is durable; or, if the flush of its name failed,
  all the same: the file is there, and retention must count it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.content import Content
from pipeline.durable import DISK, DiskCalls
from pipeline.health import StreamHealth
from pipeline.model import Fragment, SegmentMark, StreamInfo, StreamName
from pipeline.mux import Origin, fragment, init_segment
from pipeline.names import GapMark, StoredSegment
from pipeline.recorder.backlog import Backlog
from pipeline.recorder.flusher import Flushed, Flusher
from pipeline.sealing import Sealing, recipient_of
from pipeline.segmenter import FragmentReady, SegmentClosed, SegmenterEvent, SegmentOpened
from pipeline.store import (
    FlushFailed,
    GroupFlush,
    SegmentFile,
    Store,
    StoreError,
    append_gap_mark,
    next_tick_ns,
    open_segment,
    recover,
)

_log = logging.getLogger("nvr.recorder")
_RETRY_PAUSES_S = (0.2, 0.5, 1.0, 2.0)
STOP_GRACE_S = 5.0  # how long a stop waits for a disk that takes nothing; start-up recovers the rest


@dataclass(frozen=True, slots=True)
class Footage:
    """A segmenter's event on its way to disk."""

    stream: str
    event: SegmenterEvent


WriterItem = Footage | GapMark | Flushed


class Catalogue(Protocol):
    """Who is told what has been published; the index, in the product."""

    def published(self, segment: StoredSegment) -> None:
        """The segment's name is durable."""

    def marked(self, mark: GapMark) -> None:
        """The gap mark is durable."""

    def newest_sure_ns(self) -> int | None:
        """The end of the newest footage recorded with a sure clock (UTC), None for none."""

    @property
    def waiting(self) -> int:
        """How many entries are not in it yet."""


class Chain(Protocol):
    """Who remembers what has been published and why recording stopped; must neither block nor raise."""

    def published(self, segment: StoredSegment, generation: int, content: Content) -> None:
        """The segment has its name, and `content` was written."""

    def found(self, segment: StoredSegment) -> None:
        """The segment was recovered from what a failed flush left."""

    def marked(self, mark: GapMark) -> None:
        """The gap mark is durable."""


@dataclass(slots=True)
class Lane:
    """One stream as the writer sees it. `cut` asks the stream's own thread to begin a new segment."""

    name: StreamName
    health: StreamHealth
    next_sequence: int
    cut: threading.Event = field(default_factory=threading.Event)
    file: SegmentFile | None = None
    info: StreamInfo | None = None
    origin: Origin | None = None
    fragments: int = 0
    sealed: list[SegmentFile] = field(default_factory=list)
    unsettled: list[tuple[SegmentFile, StoredSegment]] = field(default_factory=list)

    def files(self) -> list[SegmentFile]:
        """Everything of this stream that the next flush must make durable."""
        being_written = [self.file] if self.file else []
        return being_written + self.sealed + [file for file, _ in self.unsettled]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """What was sealed, and what had its name, when the flush began."""

    sealed: set[SegmentFile]
    named: set[SegmentFile]


class Writer:
    """Takes from the backlog until it is closed. `run` is the thread's body; nothing else may be called."""

    def __init__(
        self,
        store: Store,
        sealing: Sealing,
        lanes: Sequence[Lane],
        backlog: Backlog[WriterItem],
        flush: GroupFlush,
        catalogue: Catalogue,
        chain: Chain,
        flush_s: float,
        stop: threading.Event,
        disk: DiskCalls = DISK,
    ) -> None:
        self._store = store
        self._disk = disk
        self._sealing = sealing
        self._lanes = {lane.name.stream: lane for lane in lanes}
        self._backlog = backlog
        self._flusher = Flusher(flush, backlog.put, f"{lanes[0].name.camera}-flush")
        self._catalogue = catalogue
        self._chain = chain
        self._flush_ns = round(flush_s * 1e9)
        self._stop = stop
        self._tick_ns = next_tick_ns(time.monotonic_ns(), self._flush_ns)
        self._abandoned = False
        self._under_way: _UnderWay | None = None
        self._stopped_s = 0.0  # how long the stop has waited for the disk, in all

    def run(self) -> None:
        """Until the backlog is closed and empty; then everything left is published."""
        while not self._backlog.finished:
            item = self._backlog.take(max(0.0, (self._tick_ns - time.monotonic_ns()) / 1e9))
            if item is not None:
                self._handle(item)
            if time.monotonic_ns() >= self._tick_ns:
                self._tick()
        self._flush_out()
        for _ in range(2):  # publishes what is sealed, then settles what is published
            self._tick()
            self._flush_out()
        self._flusher.close()

    def _flush_out(self) -> None:
        """Waits for the flush that is under way and does what it allows."""
        self._flusher.wait()
        while (item := self._backlog.take(0)) is not None:
            self._handle(item)

    def _handle(self, item: WriterItem) -> None:
        if isinstance(item, Flushed):
            self._flushed(item)
            return
        if isinstance(item, GapMark):
            mark = item
            if self._insist(lambda: append_gap_mark(self._store, mark)):
                self._chain.marked(mark)
                self._catalogue.marked(mark)
            return
        lane = self._lanes[item.stream]
        match item.event:
            case SegmentOpened():
                self._open(lane, item.event)
            case FragmentReady(packets, duration_ns):
                self._append(lane, packets, duration_ns)
            case SegmentClosed(duration_ns):
                self._close(lane, duration_ns)

    def _open(self, lane: Lane, opened: SegmentOpened) -> None:
        choice = self._sealing.choose(opened.start_ns, unsure=opened.unsure)
        mark = SegmentMark(
            self._store.device,
            lane.name,
            lane.next_sequence,
            opened.start_ns,
            choice.generation,
            opened.unsure,
        )
        lane.next_sequence += 1
        lane.info, lane.origin, lane.fragments = opened.info, Origin.of(opened.info, opened.first), 0

        def begin() -> None:
            self._store.open_check()
            self._sealing.begin(lane.name, mark.sequence, choice)
            lane.file = open_segment(self._store, mark, [recipient_of(choice)], self._disk)

        if self._insist(begin, lane):
            self._recover_abandoned()
            init = init_segment(opened.info, mark, Origin.of(opened.info, opened.first))
            self._write(lane, lambda file: file.append(init, 0))

    def _append(self, lane: Lane, packets: Fragment, duration_ns: int) -> None:
        if lane.file is None or lane.info is None or lane.origin is None:
            lane.health.abandoned_packets += len(packets.video) + len(packets.audio)
            return
        lane.fragments += 1
        data = fragment(lane.info, lane.fragments, packets, lane.origin)
        lane.health.total_bytes += len(data)
        self._write(lane, lambda file: file.append(data, duration_ns))

    def _write(self, lane: Lane, action: Callable[[SegmentFile], None]) -> None:
        """Appends; what the disk does not take is held by the file and tried again until it does."""
        file = lane.file
        if file is None:
            return
        try:
            action(file)
        except FlushFailed:  # the flush under way has failed for it; what it says comes behind this
            self._abandon(lane, file)
        except OSError:
            self._insist(file.retry, lane)

    def _close(self, lane: Lane, duration_ns: int) -> None:
        file, lane.file = lane.file, None
        if file is None:
            return
        if lane.fragments and self._insist(lambda: file.seal(duration_ns), lane):
            lane.sealed.append(file)
        else:  # without media it is nothing: recovery removes it
            self._flusher.wait()
            file.abandon()
            self._abandoned = True

    def _publish(self, lane: Lane, file: SegmentFile) -> None:
        published: list[StoredSegment] = []

        def publish() -> None:
            try:
                published.append(file.publish(flushed=True))
            except FileNotFoundError:
                self._store.open_check()  # an unmounted disk may come back: that is waited for
                raise FlushFailed(f"{file.part_path} was deleted while it was being recorded") from None

        if self._insist(publish, lane):
            lane.unsettled.append((file, published[0]))
        else:
            self._abandon(lane, file)

    def _settle(self, lane: Lane, file: SegmentFile, segment: StoredSegment) -> None:
        file.settle()
        lane.health.segments += 1
        lane.health.last_segment_end_ms = segment.name.end_ms
        self._tell(file, segment)

    def _tell(self, file: SegmentFile, segment: StoredSegment) -> None:
        self._chain.published(segment, file.mark.generation, file.content)
        self._catalogue.published(segment)

    def _tick(self) -> None:
        """Begins one aligned flush of everything, unless one is still under way."""
        self._tick_ns = next_tick_ns(time.monotonic_ns(), self._flush_ns)
        files = [file for lane in self._lanes.values() for file in lane.files()]
        if files and self._under_way is None:
            self._under_way = _UnderWay(
                {file for lane in self._lanes.values() for file in lane.sealed},
                {file for lane in self._lanes.values() for file, _ in lane.unsettled},
            )
            self._flusher.begin(files)

    def _flushed(self, result: Flushed) -> None:
        """What a flush allows: a sealed segment gets its name, a named one is settled."""
        under_way, self._under_way = self._under_way or _UnderWay(set(), set()), None
        for lane in self._lanes.values():
            for file in [f for f in lane.files() if f in result.failed]:
                self._abandon(lane, file)
            for file, segment in [one for one in lane.unsettled if one[0] in under_way.named]:
                lane.unsettled.remove((file, segment))
                self._settle(lane, file, segment)
            for file in [file for file in lane.sealed if file in under_way.sealed]:
                lane.sealed.remove(file)
                self._publish(lane, file)

    def _abandon(self, lane: Lane, file: SegmentFile) -> None:
        _log.error("%s: the disk lost part of a segment: begun anew; check the disk", lane.name)
        if file is lane.file:
            lane.file = None
            lane.cut.set()
        lane.sealed = [other for other in lane.sealed if other is not file]
        for _, segment in [one for one in lane.unsettled if one[0] is file]:
            self._tell(file, segment)  # it has its name, though a power cut may take that back
        lane.unsettled = [(other, segment) for other, segment in lane.unsettled if other is not file]
        file.abandon()
        self._abandoned = True

    def _recover_abandoned(self) -> None:
        if not self._abandoned:
            return
        self._abandoned = False
        kept = frozenset(file.part_path for lane in self._lanes.values() for file in lane.files())
        camera = next(iter(self._lanes.values())).name.camera
        for segment in recover(self._store, camera, kept).published:
            self._chain.found(segment)
            self._catalogue.published(segment)

    def _insist(self, action: Callable[[], object], lane: Lane | None = None) -> bool:
        """Does `action` until the disk takes it. False if it never can, or a stop has waited long enough."""
        attempt = 0
        while True:
            try:
                action()
            except FlushFailed as error:
                _log.error("%s", error)
                return False
            except FileExistsError as error:
                _log.error("a segment's name is taken (%s): it is left as it is", error.strerror)
                return False
            except (OSError, StoreError) as error:
                self._stalled(_why(error), lane)
                pause_s = _RETRY_PAUSES_S[min(attempt, len(_RETRY_PAUSES_S) - 1)]
                attempt += 1
                if self._stop.is_set():
                    self._stopped_s += pause_s
                    if self._stopped_s > STOP_GRACE_S:
                        return False
                time.sleep(pause_s)
            else:
                self._stalled("", lane)
                return True

    def _stalled(self, why: str, lane: Lane | None) -> None:
        for affected in [lane] if lane else self._lanes.values():
            if affected.health.stalled != why:
                affected.health.stalled = why
                if why:
                    _log.error("%s: nothing can be written: %s; trying again", affected.name, why)
                else:
                    _log.warning("%s: the store can be written again", affected.name)


def _why(error: OSError | StoreError) -> str:
    if isinstance(error, OSError):
        return (error.strerror or "input/output error").lower()
    return str(error)
