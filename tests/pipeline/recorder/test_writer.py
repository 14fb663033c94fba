"""The writer on a disk that refuses, fails or recovers: what the disk may still take is never skipped."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.errors import WrongIdentity
from crypto.unseal import unseal_bytes
from pipeline.chain.content import content_of
from pipeline.content import Content
from pipeline.durable import DiskCalls
from pipeline.health import State, StreamHealth
from pipeline.model import Codec, Kind, Packet, StreamInfo, StreamName, Track
from pipeline.mux import read_mark
from pipeline.names import GapMark, StoredSegment
from pipeline.recorder.backlog import Backlog
from pipeline.recorder.writer import Footage, Lane, Writer, WriterItem
from pipeline.sealing import Sealing
from pipeline.segmenter import Segmenter, SegmenterEvent
from pipeline.store import GroupFlush, SegmentFile, Store, create
from tests.support.founding import found

_INFO = StreamInfo(Track(Kind.VIDEO, Codec.H264, 90_000, b"\1\x42\0\x1e\xff\xe1\0\0\1\0\0", 64, 48))
_NAME = StreamName("front", "main")
_START_NS = 1_795_348_800_000_000_000
_DEVICE = bytes(range(16))


class Disk:
    """The real disk, until told to refuse writes or to fail a flush."""

    def __init__(self) -> None:
        self.refuses = 0
        self.loses = 0
        self.flushes = threading.Event()
        self.flushes.set()
        self.flushing = threading.Event()

    def calls(self) -> DiskCalls:
        return DiskCalls(self._pwrite, self._sync, self._sync)

    def _pwrite(self, descriptor: int, content: bytearray, offset: int) -> int:
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))
        return os.pwrite(descriptor, content, offset)

    def _sync(self, descriptor: int) -> None:
        self.flushing.set()
        assert self.flushes.wait(20)
        if self.loses:
            self.loses -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fsync(descriptor)


@dataclass
class Told:
    """What the index would have been told."""

    segments: list[StoredSegment] = field(default_factory=list)
    marks: list[GapMark] = field(default_factory=list)
    waiting: int = 0

    def published(self, segment: StoredSegment) -> None:
        self.segments.append(segment)

    def marked(self, mark: GapMark) -> None:
        self.marks.append(mark)

    def newest_sure_ns(self) -> int | None:
        return None


@dataclass
class Chained:
    """What the chain would have been told."""

    segments: list[tuple[StoredSegment, int, Content]] = field(default_factory=list)
    recovered: list[StoredSegment] = field(default_factory=list)
    marks: list[GapMark] = field(default_factory=list)

    def published(self, segment: StoredSegment, generation: int, content: Content) -> None:
        self.segments.append((segment, generation, content))

    def found(self, segment: StoredSegment) -> None:
        self.recovered.append(segment)

    def marked(self, mark: GapMark) -> None:
        self.marks.append(mark)


class Rig:
    """A writer at work on a store of its own, fed with seconds of video."""

    def __init__(self, root: Path, own_file_system: bool) -> None:
        self.store: Store = create(root / "store", _DEVICE, datetime(2026, 11, 22, tzinfo=UTC))
        self.household = found(self.store.root, root / "state")
        self.disk, self.told, self.stop = Disk(), Told(), threading.Event()
        self.chained = Chained()
        self.lane = Lane(_NAME, StreamHealth(state=State.RECORDING), 7)
        self.backlog: Backlog[WriterItem] = Backlog(1 << 20)
        self.segmenter = Segmenter(4.0)
        self.segmenter.push(_INFO)
        self._frames = 0
        self.flush = GroupFlush(self.store, root, own_file_system)
        writer = Writer(
            self.store,
            Sealing(self.store.root, root / "state", "front", None),
            [self.lane],
            self.backlog,
            self.flush,
            self.told,
            self.chained,
            0.05,
            self.stop,
            self.disk.calls(),
        )
        self._thread = threading.Thread(target=writer.run)
        self._thread.start()

    def record(self, seconds: int) -> None:
        """Puts whole seconds of video into the backlog, as a stream's thread would."""
        for _ in range(seconds * 10):
            n = self._frames
            self._frames += 1
            if n % 10 == 0 and self.lane.cut.is_set():
                self.lane.cut.clear()
                self._put(self.segmenter.close("the disk lost part of a segment"))
            data = (4).to_bytes(4, "big") + n.to_bytes(4, "big")
            packet = Packet(Kind.VIDEO, n * 9000, n * 9000, 9000, n % 10 == 0, n * 100_000_000, data)
            self._put(self.segmenter.push(packet, _START_NS + n * 100_000_000))

    def _put(self, events: list[SegmenterEvent]) -> None:
        for event in events:
            assert self.backlog.put(Footage("main", event))

    @property
    def alive(self) -> bool:
        """Whether the writer's thread runs."""
        return self._thread.is_alive()

    def finish(self) -> None:
        self._put(self.segmenter.close("recorder stopped"))
        self.stop.set()
        self.backlog.close()
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.flush.close()

    def until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not reached():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def frames(self) -> list[int]:
        """The numbers of all frames in finished segments, in order of sequence."""
        found: list[int] = []
        for segment in sorted(self.told.segments, key=lambda s: s.name.sequence):
            if segment.name.unfinished:
                continue
            data = unseal_bytes((self.store.root / segment.path).read_bytes(), self.household.everything())
            mark = read_mark(data)
            assert (mark.device, mark.name, mark.sequence) == (_DEVICE, _NAME, segment.name.sequence)
            for part in data.split(b"mdat")[1:]:
                body = part.split(b"moof")[0]
                found += [
                    int.from_bytes(body[at + 4 : at + 8], "big")
                    for at in range(0, len(body) - 7, 8)
                    if body[at : at + 4] == b"\0\0\0\4"
                ]
        return found


@pytest.fixture(params=[True, False], ids=["own_file_system", "shared_file_system"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path, request.param)
    yield rig
    if not rig.stop.is_set():
        rig.finish()


def test_everything_is_published_in_order_and_told_once(rig: Rig) -> None:
    rig.record(11)
    rig.finish()
    assert rig.frames() == list(range(110))
    assert [s.name.sequence for s in rig.told.segments] == [7, 8, 9]
    assert [s.name.duration_ms for s in rig.told.segments] == [4000, 4000, 3000]
    assert not list(rig.store.root.rglob("*.part"))
    assert not list(rig.store.root.rglob("*.tail"))
    assert rig.lane.health.segments == 3
    assert [segment for segment, _, _ in rig.chained.segments] == rig.told.segments
    for segment, generation, content in rig.chained.segments:
        with (rig.store.root / segment.path).open("rb", buffering=0) as file:
            assert content_of(file, unfinished=False) == content
        assert generation == 1


def test_a_new_generation_is_sealed_to_without_a_gap(tmp_path: Path) -> None:
    rig = Rig(tmp_path, own_file_system=False)
    rig.record(5)
    rig.until(lambda: len(rig.told.segments) == 1 and rig.backlog.waiting_bytes == 0)
    rotated = rig.household.rotate(from_ms=_START_NS // 1_000_000)
    rig.record(6)
    rig.finish()
    assert rig.frames() == list(range(110))
    assert [generation for _, generation, _ in rig.chained.segments] == [1, 1, rotated.number]
    last = (rig.store.root / rig.told.segments[-1].path).read_bytes()
    assert (
        read_mark(unseal_bytes(last, [rig.household.identity("home", 3)])).generation == rotated.number == 3
    )
    with pytest.raises(WrongIdentity):
        unseal_bytes(last, [rig.household.identity("home", 1)])


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_what_a_disk_refuses_for_a_while_is_written_when_it_takes_it(rig: Rig, fault: int) -> None:
    rig.record(2)
    rig.until(lambda: rig.backlog.waiting_bytes == 0)
    rig.disk.refuses = fault
    rig.record(5)
    rig.until(lambda: bool(rig.lane.health.stalled))
    assert rig.lane.health.report(0.0, 0).state is State.STALLED
    assert rig.lane.health.report(0.0, 0).reason == os.strerror(fault).lower()
    rig.disk.refuses = 0
    rig.record(3)
    rig.finish()
    assert rig.frames() == list(range(100))
    assert not rig.lane.health.stalled
    assert rig.lane.health.abandoned_packets == 0


def test_writing_goes_on_while_a_slow_disk_flushes(tmp_path: Path) -> None:
    rig = Rig(tmp_path, own_file_system=False)
    rig.record(1)
    rig.until(lambda: rig.lane.fragments > 0)
    rig.disk.flushing.clear()
    rig.disk.flushes.clear()
    assert rig.disk.flushing.wait(10)
    before = _sealed_bytes(rig)
    rig.record(2)
    rig.until(lambda: _sealed_bytes(rig) > before)  # on disk, not in memory, though the flush still lasts
    assert rig.backlog.waiting_bytes == 0
    rig.record(2)  # a segment ends meanwhile; it must not be published by a flush that began before
    rig.until(lambda: rig.backlog.waiting_bytes == 0)
    assert rig.told.segments == []
    rig.disk.flushes.set()
    rig.finish()
    assert rig.frames() == list(range(50))


def _sealed_bytes(rig: Rig) -> int:
    return sum(file.stat().st_size for file in rig.store.root.rglob("*.tail"))


def test_a_failed_flush_costs_one_segment_and_is_not_hidden(tmp_path: Path) -> None:
    rig = Rig(tmp_path, own_file_system=False)
    rig.record(2)
    rig.until(lambda: rig.lane.fragments > 0)
    rig.disk.loses = 1
    rig.until(rig.lane.cut.is_set)
    rig.record(8)
    rig.finish()
    whole = rig.frames()
    unfinished = [s for s in rig.told.segments if s.name.unfinished]
    assert whole == list(range(20, 100))
    assert [s.name.sequence for s in unfinished] == [7]  # recovered as soon as the disk worked again
    assert rig.chained.recovered == unfinished


def test_a_flush_that_fails_behind_waiting_footage_costs_one_segment(tmp_path: Path) -> None:
    rig = Rig(tmp_path, own_file_system=False)
    rig.record(2)
    rig.until(lambda: rig.lane.fragments > 0)
    rig.disk.flushing.clear()
    rig.disk.flushes.clear()
    assert rig.disk.flushing.wait(10)
    rig.disk.refuses = errno.EIO  # the same disk takes no writes either, so footage waits
    rig.record(3)
    rig.until(lambda: bool(rig.lane.health.stalled))
    failing = rig.lane.file
    rig.disk.loses = 1
    rig.disk.flushes.set()
    rig.until(lambda: failing is not None and failing.failed)
    rig.disk.refuses = 0
    rig.until(rig.lane.cut.is_set)
    rig.record(5)
    rig.finish()
    assert rig.frames() == list(range(40, 100))  # from the next segment on
    assert [s.name.sequence for s in rig.told.segments if s.name.unfinished] == [7]
    assert rig.lane.health.abandoned_packets > 0


def test_who_deletes_what_is_being_recorded_costs_one_segment(rig: Rig) -> None:
    rig.record(2)
    rig.until(lambda: bool(list(rig.store.root.rglob("*.tail"))))
    shutil.rmtree(rig.store.root / "front")
    rig.record(8)
    rig.until(lambda: any(s.name.sequence == 8 for s in rig.told.segments))
    rig.finish()
    assert rig.frames() == list(range(40, 100))
    assert not rig.lane.health.stalled


def test_a_flusher_that_breaks_ends_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    rig = Rig(tmp_path, own_file_system=True)

    def broken(_: object) -> list[SegmentFile]:
        raise ZeroDivisionError

    monkeypatch.setattr(rig.flush, "flush_written", broken)
    rig.record(2)
    rig.until(rig.lane.cut.is_set)
    rig.record(2)
    rig.until(lambda: not rig.alive)  # the recorder then ends, and is started anew
    rig.stop.set()


def test_a_stop_does_not_wait_anew_for_each_piece_of_footage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.recorder.writer.STOP_GRACE_S", 0.3)
    rig = Rig(tmp_path, own_file_system=False)
    rig.record(2)
    rig.until(lambda: bool(list(rig.store.root.rglob("*.part"))))
    rig.disk.refuses = errno.EIO
    rig.record(30)
    rig.until(lambda: bool(rig.lane.health.stalled))
    began_s = time.monotonic()
    rig.finish()
    assert time.monotonic() - began_s < 10  # for each of 40 pieces it would be 20 s


def test_a_stop_does_not_wait_for_ever_for_a_disk_that_takes_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.recorder.writer.STOP_GRACE_S", 0.3)
    rig.record(2)
    rig.until(lambda: bool(list(rig.store.root.rglob("*.part"))))
    rig.disk.refuses = errno.EIO
    rig.finish()
    assert rig.told.segments == []
    assert len(list(rig.store.root.rglob("*.part"))) == 1  # for the next start to recover


def test_a_gap_mark_is_told_when_it_is_durable(rig: Rig) -> None:
    mark = GapMark(_NAME, _START_NS // 1_000_000, "camera silent")
    rig.backlog.put(mark)
    rig.finish()
    assert rig.told.marks == rig.chained.marks == [mark]
    (file,) = (rig.store.root / "front/gaps").iterdir()
    assert "camera silent" in file.read_text()
