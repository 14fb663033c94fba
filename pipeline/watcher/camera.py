"""One camera's thread: reads the tap, looks, and reads it again when the recorder comes back, for ever.

Rules:
- A recorder that is away is state, not an error. While it is, open events end by the wall clock.
- A sub stream that brings nothing for a while gives way to the main one, and is taken again when its recorder
  says that it is there.
- What nobody foresaw costs this camera a pause and a new beginning, is counted and said; no other camera
  notices. A log line says what and where, never the error's own text.
- `found` comes from the detector's thread: a fault there is taken up here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.detect import InferenceQueue, Job, ModelError
from pipeline.event import EventMaker, Happening
from pipeline.feedback import KeptFeedback
from pipeline.health import State, read_report
from pipeline.model import Packet
from pipeline.scene import Detection
from pipeline.sound import Loudness
from pipeline.tap import TapClient, tap_name
from pipeline.track import Tracker
from pipeline.watch_report import LookReport, LookState
from pipeline.watcher.eye import Eye, EyeSettings
from pipeline.watcher.faults import place_of
from pipeline.watcher.health import LookHealth
from pipeline.watcher.looking import Look, Looking
from pipeline.watcher.settings import CameraSettings
from pipeline.watcher.wall import wall_ns
from pipeline.wire import Hello, Message, WireError

_log = logging.getLogger("nvr.watcher")
PAUSES_S = (2.0, 5.0, 15.0, 60.0)  # after an error that nobody foresaw; the last one for ever
STEADY_S = 60.0  # who looked so long begins again with the shortest pause
RETRY_S = 0.5  # until the recorder serves its tap
CHORES_S = 1.0
NAP_S = 0.1  # as long as recorders gather packets: half as many wake-ups, and caches that stay warm
STILL_NAP_S = 0.2  # while nothing moves: waking up costs as much as what is done then
ASLEEP_NAP_S = {
    "sub": 0.25,
    "main": 0.4,
}  # while only sizes are read; who has no sub stream waits for GOPs anyway
BEHIND_S = 0.3  # a stream of many bits brings more in a nap than a socket holds
NO_SUB_S = 20.0  # a sub stream may take some reconnects until it is there
_SERVED = (State.RECORDING, State.PAUSED)
UNANSWERED_S = 60.0  # a look takes some 20 ms; a detector that says nothing for so long hangs


@dataclass(frozen=True, slots=True)
class Shared:
    """What all cameras use. `keep` and `looked` must only note what they are told."""

    queue: InferenceQueue
    input_size: int
    run_dir: Path
    state_dir: Path
    keep: Callable[[str, Happening, bool], None]  # camera, what, whether the clock is unsure
    looked: Callable[[str, int], None]  # camera, up to when (UTC ns) everything was looked at; 0: unknown


class LookFault(Exception):
    """Looking at this camera must begin anew; the text is for a person."""


class WatchedCamera:
    """One camera. `run` is its thread's body; `report` may be asked by any thread."""

    def __init__(self, settings: CameraSettings, shared: Shared, stop: threading.Event) -> None:
        self._settings = settings
        self._shared = shared
        self._stop = stop
        self._feedback = KeptFeedback(shared.state_dir, settings.name)
        self._health = LookHealth()
        self._stream = settings.streams[-1]  # sub, where there is one
        self._eye: Eye | None = None
        self._maker: EventMaker | None = None
        self._fault: Exception | None = None
        self._failures = 0
        self._came_s = 0.0  # when the tap last brought something
        self._arrived_ns = 0  # the newest packet, at the recorder (monotonic clock)
        self._next_chores_s = 0.0
        self._asked_s = 0.0  # since when the detector owes an answer; 0 for not at all

    def run(self) -> None:
        """Looks until `stop` is set."""
        while not self._stop.is_set():
            began_s = time.monotonic()
            try:
                self._look_on(self._stream)
            except Exception as error:  # noqa: BLE001 - the last line of defence, logged without its text
                self._failures = 0 if time.monotonic() - began_s > STEADY_S else self._failures
                self._failed(error)

    def report(self) -> LookReport:
        """How things stand."""
        counts = self._shared.queue.counts(self._settings.name)
        seen = self._eye.report() if self._eye else None
        found = self._health.report(self._stream, seen, counts.looked, counts.replaced)
        taught = self._feedback.fault.rstrip(".")
        return replace(found, reason="; ".join(filter(None, (found.reason, taught))))

    @property
    def hangs(self) -> bool:
        """Whether the detector owes this camera an answer for too long."""
        return bool(self._asked_s) and time.monotonic() - self._asked_s > UNANSWERED_S

    def _failed(self, error: Exception) -> None:
        reason = str(error) if isinstance(error, LookFault | ModelError) else ""
        where = reason or f"{type(error).__name__} at {place_of(error)}"
        pause_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        _log.error("%s: looking failed (%s); again in %g s", self._settings.name, where, pause_s)
        self._health.failed(where)
        self._shared.looked(self._settings.name, 0)
        self._stop.wait(pause_s)

    def _look_on(self, stream: str) -> None:
        """Looks at this stream, until another one is to be taken or `stop` is set."""
        self._fault, self._asked_s = None, 0.0
        self._came_s = time.monotonic()
        looking = self._new_looking(stream)
        try:
            while not self._stop.is_set() and self._stream == stream:
                if self._settings.wanted(time.time_ns()):
                    self._connect(looking, stream)
                else:
                    self._health.set(LookState.PAUSED)
                    self._came_s = time.monotonic()
                    looking.finish()
                    self._stop.wait(CHORES_S)
        finally:
            self._shared.queue.forget(self._settings.name)
            looking.close()

    def _new_looking(self, stream: str) -> Looking:
        rules = self._settings.rules
        last_number = self._maker.last_number if self._maker else 0
        self._maker = EventMaker(rules, self._feedback, last_number)
        self._eye = Eye(EyeSettings(rules.masks, is_sub=stream == "sub", wall_ns=wall_ns))
        return Looking(
            self._eye,
            Tracker(),
            self._maker,
            self._shared.input_size,
            self._tell,
            min(0.3, rules.score, *rules.scores.values()),
            self._loudness,
        )

    def _loudness(self, hello: Hello) -> Loudness | None:
        rule, audio, anchor = self._settings.sound, hello.info.audio, hello.anchor
        if rule is None or audio is None or anchor is None:
            return None
        return Loudness(audio, anchor, rule.above_db, rule.for_s)

    def _tell(self, happening: Happening) -> None:
        self._health.told(happening)
        self._shared.keep(self._settings.name, happening, self._health.clock_unsure)

    def _connect(self, looking: Looking, stream: str) -> None:
        path = self._shared.run_dir / tap_name(self._settings.name, stream)
        try:
            client = TapClient(path, CHORES_S)
        except OSError:
            self._health.set(LookState.WAITING)
            self._chores(looking, idle=True)
            self._stop.wait(RETRY_S)
            return
        try:
            self._read(client, looking, stream)
        except (OSError, WireError) as error:
            _log.warning("%s: the tap ended (%s)", self._settings.name, type(error).__name__)
        finally:
            client.close()

    def _read(self, client: TapClient, looking: Looking, stream: str) -> None:
        self._health.set(LookState.NO_VIDEO)
        for message in client.with_pauses(self._nap_s):
            if message is not None:
                self._take(message, looking)
            if message is None or time.monotonic() >= self._next_chores_s:
                self._chores(looking, idle=message is None)
            if self._fault is not None:
                raise self._fault
            ends = self._stop.is_set() or self._stream != stream
            if ends or not self._settings.wanted(time.time_ns()):
                return

    def _nap_s(self) -> float:
        eye, behind_ns = self._eye, time.monotonic_ns() - self._arrived_ns
        if behind_ns > BEHIND_S * 1_000_000_000:
            return 0.0
        if eye is not None and eye.is_asleep:
            return ASLEEP_NAP_S[self._stream]
        return NAP_S if eye is None or eye.is_awake(time.time_ns()) else STILL_NAP_S

    def _take(self, message: Message, looking: Looking) -> None:
        self._came_s = time.monotonic()
        if isinstance(message, Packet):
            self._arrived_ns = message.arrived_ns
        for look in looking.take(message):
            self._ask(look, looking)

    def _ask(self, look: Look, looking: Looking) -> None:
        def answered(detections: list[Detection]) -> None:
            self._asked_s = 0.0
            looking.found(look, detections)

        self._asked_s = self._asked_s or time.monotonic()
        job = Job(
            look.sight.frame.picture,
            look.regions,
            answered,
            self._note_fault,
            look.minimum,
            self._settings.rules.labels,
        )
        self._shared.queue.submit(self._settings.name, job)

    def _note_fault(self, fault: Exception) -> None:
        self._asked_s, self._fault = 0.0, fault

    def _chores(self, looking: Looking, *, idle: bool) -> None:
        """What is to be done about once a second."""
        self._next_chores_s = time.monotonic() + CHORES_S
        if idle:
            looking.tick(time.time_ns())
        self._feedback.refresh()
        eye = self._eye.report() if self._eye else None
        self._health.observe(eye)
        self._heed_recorder()
        if eye is not None and eye.looked_ns:
            self._shared.looked(self._settings.name, 0 if self._health.clock_unsure else eye.looked_ns)

    def _heed_recorder(self) -> None:
        """Takes from the recorder's report whether its clock is sure, and which stream is to be looked at."""
        report = read_report(self._shared.run_dir, self._settings.name)
        if report is None:
            self._came_s = time.monotonic()  # nobody can bring anything
            return
        served = {name for name, one in report.streams.items() if one.state in _SERVED}
        self._health.clock_unsure = any(one.clock_unsure for one in report.streams.values())
        best = self._settings.streams[-1]
        in_vain = time.monotonic() - self._came_s > NO_SUB_S
        if self._stream != best and best in served:
            self._change_stream(best, "")
        elif self._stream == best != "main" and best not in served and "main" in served and in_vain:
            self._change_stream("main", "the sub stream that was promised does not come")

    def _change_stream(self, stream: str, note: str) -> None:
        self._stream, self._health.note = stream, note
        _log.warning(
            "%s: looking at the %s stream%s", self._settings.name, stream, f": {note}" if note else ""
        )
