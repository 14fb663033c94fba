"""Random histories of a device: whatever happens to it that is not an attack, its store verifies."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crypto.identity import X25519Identity
from pipeline.chain.collapse import collapse
from pipeline.chain.heads import Heads
from pipeline.chain.reading import chain_numbers
from pipeline.chain.records import Gap, Reason
from pipeline.chain.verify import Question, verify
from pipeline.chaining import Beginnings, Chaining, next_in_chain
from pipeline.event_store.files_of_event import FilesOfEvent
from pipeline.model import StreamName
from pipeline.names import DAY_MS, StoredSegment, chain_path
from pipeline.store import last_sequence, open_segment, recover
from tests.support.chain_writing import Box, chain_record
from tests.support.events import an_event, kept
from tests.support.store_writing import DEVICE, FRONT, make_store, mark

SUB = StreamName("front", "sub")
BACK = StreamName("back", "main")
EVENTS = StreamName("front", "events")
STREAMS = st.sampled_from([FRONT, SUB, BACK])
RECIPIENTS = [X25519Identity.generate(lambda count: bytes(range(count))).recipient]
TICK_MS = 20_000


class History(RuleBasedStateMachine):
    """A box that records, rotates, expires, crashes, loses its state, and goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="history-"))
        self.store = make_store(self.folder / "store")
        self.box = Box(self.store.root, self.folder / "state")
        self.segments: dict[StreamName, list[StoredSegment]] = {FRONT: [], SUB: [], BACK: [], EVENTS: []}
        self.heads: dict[str, Heads] = {}
        self.flushed: dict[Path, int] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def _next(self, stream: StreamName) -> int:
        return max(last_sequence(self.store, stream) + 1, next_in_chain(self.store.root, stream))

    def _write(self, stream: StreamName, *, finished: bool) -> StoredSegment | None:
        self.box.now_ms += TICK_MS
        segment = open_segment(self.store, mark(self._next(stream), self.box.now_ms, stream), RECIPIENTS)
        segment.append(b"seconds of video", 1_000_000_000)
        if finished:
            return segment.finish(10_000_000_000)
        segment.abandon()
        return None

    @rule(stream=STREAMS, sign=st.booleans())
    def records(self, stream: StreamName, sign: bool) -> None:
        """A segment is published and chained."""
        segment = self._write(stream, finished=True)
        assert segment is not None
        self.segments[stream].append(segment)
        self.box.append(chain_record(self.store.root, segment), camera=stream.camera, sign=sign)

    @rule(chained=st.booleans())
    def keeps_an_event(self, chained: bool) -> None:
        """By the watcher, which a crash may keep from chaining it; and the footage gets a deadline."""
        self.box.now_ms += TICK_MS
        place = mark(self._next(EVENTS), self.box.now_ms, EVENTS)
        files = FilesOfEvent(self.store.root, place, RECIPIENTS[0], None)
        files.save(kept(an_event(1, self.box.now_ms), picture=False), ended=True)
        for event, _ in files.publish():
            self.segments[EVENTS].append(event)
            if chained:
                self.box.append(chain_record(self.store.root, event))
            else:
                self._starts("front")
        self.segments[FRONT] = [self._with_deadline(one) for one in self.segments[FRONT]]

    def _with_deadline(self, one: StoredSegment) -> StoredSegment:
        raised = replace(one, name=replace(one.name, kept_until_ms=one.name.kept_until_ms + DAY_MS))
        (self.store.root / one.path).rename(self.store.root / raised.path)
        return raised

    @rule(stream=STREAMS)
    def stops(self, stream: StreamName) -> None:
        """A gap mark."""
        self.box.append(Gap(stream.stream, self.box.now_ms, "camera silent"), camera=stream.camera)

    @rule(stream=STREAMS, published=st.integers(0, 2), unfinished=st.booleans())
    def crashes(self, stream: StreamName, published: int, unfinished: bool) -> None:
        """What was published is not chained, a segment is left unfinished, and all begins anew."""
        for _ in range(published):
            segment = self._write(stream, finished=True)
            assert segment is not None
            self.segments[stream].append(segment)
        if unfinished:
            self._write(stream, finished=False)
        self._starts(stream.camera)

    def _starts(self, camera: str) -> None:
        recovered = recover(self.store, camera).published
        for segment in recovered:
            self.segments[segment.stream].append(segment)
        streams = [name for name in self.segments if name.camera == camera]
        self.box.restart()
        beginnings = Beginnings(recovered, {name: self._next(name) for name in streams})
        chaining = Chaining(self.box.keeper, camera, beginnings, lambda: True, durably=False)
        chaining.run_once(self.box.now_ms, sign=True)

    @rule(stream=STREAMS, cut=st.integers(1, 200))
    def loses_power(self, stream: StreamName, cut: int) -> None:
        """The last records, not flushed and remembered by nobody, are torn off."""
        numbers = chain_numbers(self.store.root, stream.camera)
        if not numbers or any(stream.camera in heads.cameras for heads in self.heads.values()):
            return
        path = self._newest(stream.camera)
        keep = max(120, self.flushed.get(path, 0))
        size = path.stat().st_size
        if size - cut > keep:
            with path.open("r+b") as file:
                file.truncate(size - cut)
        self._starts(stream.camera)

    def _newest(self, camera: str) -> Path:
        return self.store.root / chain_path(camera, chain_numbers(self.store.root, camera)[-1])

    @rule()
    def next_day(self) -> None:
        """The day key is exchanged."""
        self.box.next_day()

    @rule(stream=STREAMS | st.just(EVENTS), count=st.integers(1, 4))
    def expires(self, stream: StreamName, count: int) -> None:
        """Retention."""
        going, self.segments[stream] = self.segments[stream][:count], self.segments[stream][count:]
        if chain_numbers(self.store.root, stream.camera):
            self.box.expire(going, Reason.FREE_SPACE)
            path = self._newest(stream.camera)  # tombstones are flushed before their files go
            self.flushed[path] = path.stat().st_size
        else:
            self.segments[stream] = going + self.segments[stream]

    @rule(camera=st.sampled_from(["front", "back"]))
    def collapses(self, camera: str) -> None:
        """Upkeep."""
        if collapse(self.box.log(camera), self.store.root, camera, self.box.now_ms):
            path = self._newest(camera)
            self.flushed[path] = path.stat().st_size

    @precondition(lambda self: (self.folder / "state" / "day.key").exists())
    @rule()
    def loses_its_state(self) -> None:
        """The state directory is gone."""
        shutil.rmtree(self.folder / "state")
        self.box.restart()

    @rule()
    def is_remembered(self) -> None:
        """A member takes a head home."""
        cameras = {
            camera: self.box.sign(camera)
            for camera in ("front", "back")
            if chain_numbers(self.store.root, camera)
        }
        self.heads[f"head {len(self.heads)}"] = Heads("", DEVICE, self.box.now_ms, 0, "", cameras)

    @invariant()
    def it_verifies(self) -> None:
        """Always."""
        report = verify(self.store.root, Question(DEVICE, heads=self.heads), self.box.now_ms / 1000)
        assert report.findings == ()
        stored = sum(map(len, self.segments.values()))
        verified = sum(one.verified + one.verified_events for one in report.cameras)
        assert verified + sum(one.before_chain for one in report.cameras) == stored


History.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestHistory = History.TestCase
