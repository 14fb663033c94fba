"""One stream of a camera: connect, hand out packets, cut them into segments, and connect again, for ever.

Rules:
- A camera that is away is state, not an error: it is tried again with growing pauses, and the gap says why.
  One that refuses user or password is tried far less often, as `pipeline.recorder.refusals` says.
- Packets reach the tap whether they are recorded or not.
- When the backlog is full, whole GOPs are dropped and counted. The thread never waits for the disk.
- The clock is judged at every keyframe, by the very reading that the keyframe's time comes from: no segment
  begins under a time that nobody believes without saying so.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline.clock import ClockReading, StreamClock
from pipeline.health import State
from pipeline.model import Kind, Packet, StreamInfo
from pipeline.names import GapMark
from pipeline.recorder.backlog import Backlog
from pipeline.recorder.refusals import Refusals
from pipeline.recorder.writer import Footage, Lane, WriterItem
from pipeline.segmenter import FragmentReady, SegmentClosed, Segmenter, SegmenterEvent, SegmentOpened
from pipeline.source import Interrupted, Refused, SourceError, SourceSettings, open_source
from pipeline.tap import TapServer
from pipeline.wire import Anchor

_log = logging.getLogger("nvr.recorder")
_OVERLOAD = "the disk takes footage too slowly"
NAP_S = 0.1  # with a fragment of at most 0.8 s, a crash costs less than a second
# Why a stream that just goes on may have a gap all the same.
_BROKEN = {"jump": "the camera's timestamps jumped", "step": "the clock was set"}
STEADY_S = 30.0  # a connection that lasted so long starts the pauses from the beginning


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """How a camera's streams that ended are tried again: the last pause for ever. Shared by them."""

    pauses_s: tuple[float, ...]
    refusals: Refusals

    def pause_s(self, failures: int) -> float:
        """Before try number `failures` + 1 since it last was steady."""
        return self.pauses_s[min(failures, len(self.pauses_s)) - 1] if failures else 0.0


class StreamRecorder:
    """The thread body of one stream; `run` returns when `stop` is set."""

    def __init__(
        self,
        source: SourceSettings,
        lane: Lane,
        tap: TapServer,
        backlog: Backlog[WriterItem],
        wanted: Callable[[int], bool],
        is_unsure: Callable[[int], bool],
        segment_s: float,
        reconnecting: Reconnecting,
        stop: threading.Event,
    ) -> None:
        self._source = source
        self._lane = lane
        self._health = lane.health
        self._tap = tap
        self._backlog = backlog
        self._wanted = wanted
        self._is_unsure = is_unsure
        self._unsure = False
        self._reconnecting = reconnecting
        self._stop = stop
        self._segmenter = Segmenter(segment_s)
        self._clock = StreamClock()
        self._refused_packets = 0
        self._info: StreamInfo | None = None
        self._announced = False
        self._opened_ms = self._ended_ms = self._kept_ns = 0
        self._recording = False
        self._marked: set[str] = set()  # the reasons of this gap

    def run(self) -> None:
        """Connects, records and connects again until `stop` is set."""
        failures = 0
        while not self._stop.is_set():
            since_s = time.monotonic()
            ended = self._run_once()
            if self._stop.is_set():
                break
            failures = 1 if time.monotonic() - since_s > STEADY_S else failures + 1
            self._health.reconnects += 1
            if isinstance(ended, Refused):
                self._wait_refused(ended)
            else:
                self._interrupt(ended.reason, State.AWAY)
                self._stop.wait(self._reconnecting.pause_s(failures))
        self._interrupt("recorder stopped", State.STOPPED)

    def _wait_refused(self, ended: Refused) -> None:
        """Until it is this stream's turn to ask again."""
        refusals = self._reconnecting.refusals
        refusals.refused(time.monotonic())
        advice = f"; {ended.advice} and send SIGHUP to nvr run; else tried again {refusals}"
        self._interrupt(ended.reason, State.AWAY, advice)
        while (pause_s := refusals.pause_s(time.monotonic())) and not self._stop.wait(pause_s):
            pass

    def _run_once(self) -> SourceError:
        """One connection, from its beginning to its end; why it ended."""
        self._clock = StreamClock()
        if self._health.state is not State.AWAY:
            self._health.set_state(State.CONNECTING, _now_ms())
        try:
            for item in open_source(self._source, self._stop.is_set, self._nap_s):
                if isinstance(item, StreamInfo):
                    self._take_info(item)
                else:
                    self._take_packet(item)
        except SourceError as error:
            return error
        return Interrupted("camera ended the stream")

    def _nap_s(self) -> float:
        """How long packets may gather in the socket: not at all while somebody watches."""
        return 0.0 if self._tap.hurried else NAP_S

    def _take_info(self, info: StreamInfo) -> None:
        self._reconnecting.refusals.let_in()
        self._info, self._announced = info, False
        self._health.video = f"{info.video.codec} {info.video.width}x{info.video.height}"
        self._health.audio = f"{info.audio.codec} {info.audio.timescale} Hz" if info.audio else ""
        self._health.note = info.note
        self._deliver(self._segmenter.push(info))

    def _take_packet(self, packet: Packet) -> None:
        self._health.packets += 1
        if packet.kind is Kind.AUDIO:
            self._tap.publish(packet)
            if self._recording:
                self._deliver(self._segmenter.push(packet))
            return
        now_ns = time.time_ns()
        reading = self._clock.at(packet.pts, packet.arrived_ns, _wall_at_arrival_ns(now_ns, packet))
        if reading.step:
            self._announced = False
        if packet.is_keyframe:
            self._unsure = self._is_unsure(now_ns)
            self._announce(packet.pts, reading.utc_ns)
            self._at_keyframe(now_ns)
        self._tap.publish(packet)
        if self._recording:
            self._record(packet, reading)

    def _announce(self, pts: int, utc_ns: int) -> None:
        """Tells the tap what begins with this keyframe, if it does not know: new parameters, another time."""
        if not self._announced and self._info is not None:
            self._announced = True
            self._tap.publish_info(self._info, Anchor(pts, utc_ns))

    def _record(self, packet: Packet, reading: ClockReading) -> None:
        room = not packet.is_keyframe or self._backlog.waiting_bytes < self._backlog.limit_bytes // 2
        events = self._segmenter.push(
            packet, reading.utc_ns, step=reading.step, unsure=self._unsure, room=room
        )
        if events:
            self._deliver(events)
        if not room:
            self._note_overload()
        elif packet.is_keyframe:
            self._count_losses()  # the last GOP that was dropped is known whole only now

    def _at_keyframe(self, now_ns: int) -> None:
        """Between two GOPs: the only place where recording begins, and where it ends on purpose."""
        if self._lane.cut.is_set():
            self._lane.cut.clear()
            self._end_segment("the disk lost part of a segment")
        if not self._wanted(now_ns):
            if self._recording or self._health.state is not State.PAUSED:
                self._interrupt("not to be recorded now", State.PAUSED)
        elif not self._recording:
            self._recording = True
            if self._health.set_state(State.RECORDING, now_ns // 1_000_000):
                _log.info("%s: recording %s", self._lane.name, self._health.video)

    def _interrupt(self, reason: str, state: State, advice: str = "") -> None:
        """Recording of this stream ends here for a while: closes the segment and says why."""
        is_new = self._end_segment(reason)
        self._recording = False
        if self._health.set_state(state, _now_ms(), reason) and is_new:
            _log.warning("%s: %s: %s%s", self._lane.name, state, reason, advice)

    def _end_segment(self, reason: str) -> bool:
        self._deliver(self._segmenter.close(reason))
        return self._mark(reason)

    def _mark(self, reason: str) -> bool:
        """Notes why footage stops here, once for each reason (a camera may flap for a month); whether it
        was new.
        """
        if reason in self._marked:
            return False
        self._marked.add(reason)
        at_ms = max(_now_ms(), self._ended_ms)
        self._backlog.put(GapMark(self._lane.name, at_ms, reason))
        return True

    def _deliver(self, events: list[SegmenterEvent]) -> None:
        """Hands events to the writer; a fragment that its backlog has no room for ends the segment there."""
        if not self._offered(events):
            self._offered(self._segmenter.drop_to_keyframe(), footage=False)
            self._note_overload()

    def _offered(self, events: list[SegmenterEvent], *, footage: bool = True) -> bool:
        """Whether all was taken. Behind a fragment that was refused no other goes: it would leave a hole."""
        for told in events:
            event = told
            if isinstance(told, SegmentClosed) and not footage:
                event = replace(told, duration_ns=self._kept_ns)  # no longer than what was taken of it
            self._note_end(event)
            size_bytes = _size_bytes(event)
            wanted = footage or not size_bytes
            if not (wanted and self._backlog.put(Footage(self._lane.name.stream, event), size_bytes)):
                footage = False
                self._refused_packets += _packets(event)
            elif isinstance(event, FragmentReady):
                self._kept_ns = event.duration_ns
        return footage

    def _note_end(self, event: SegmenterEvent) -> None:
        """Where footage ends so far: no gap mark may stand before it."""
        if isinstance(event, SegmentOpened):
            self._opened_ms = event.start_ns // 1_000_000
            self._kept_ns = 0
            self._marked.clear()
        elif isinstance(event, SegmentClosed):
            self._ended_ms = self._opened_ms + event.duration_ns // 1_000_000
            if event.reason in _BROKEN:
                self._mark(_BROKEN[event.reason])

    def _note_overload(self) -> None:
        """Counts what was dropped because the disk is too slow, and says so in the footage's record."""
        self._count_losses()
        if _OVERLOAD not in self._marked:
            _log.error("%s: %s: whole GOPs are dropped", self._lane.name, _OVERLOAD)
        self._mark(_OVERLOAD)

    def _count_losses(self) -> None:
        self._health.lost_packets = self._segmenter.dropped_packets + self._refused_packets
        self._health.lost_gops = self._segmenter.dropped_gops


def _size_bytes(event: SegmenterEvent) -> int:
    return event.fragment.payload_bytes if isinstance(event, FragmentReady) else 0


def _packets(event: SegmenterEvent) -> int:
    return len(event.fragment.video) + len(event.fragment.audio) if isinstance(event, FragmentReady) else 0


def _wall_at_arrival_ns(now_ns: int, packet: Packet) -> int:
    """The wall clock, now `now_ns`, when the packet came: it may have waited before we came to it."""
    return now_ns - time.monotonic_ns() + packet.arrived_ns


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
