"""A recorder: everything that one camera needs, in one process. This is the picture of the pipeline's half.

    source ─► clock ─► segmenter ─► backlog ─► mux ─► seal ─► store ─► chain, index
       └────► tap
    └── a thread per stream ──────┘ └── the writer's thread ──────┘ └ their own

It begins with what a crash may have left, and ends by publishing what it has. An error that nobody foresaw
ends the process: the supervisor starts it anew, and what was written is recovered.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from pipeline.chain.log import ChainKeeper, ChainPlace
from pipeline.chaining import Beginnings, Chaining, next_in_chain
from pipeline.clock import ClockTrust, kernel_synchronised
from pipeline.health import CameraReport, StreamHealth, write_report
from pipeline.model import StreamName
from pipeline.names import StoredSegment
from pipeline.recorder.backlog import Backlog
from pipeline.recorder.refusals import Refusals
from pipeline.recorder.settings import RecorderSettings
from pipeline.recorder.stream import Reconnecting, StreamRecorder
from pipeline.recorder.writer import Catalogue, Lane, Writer, WriterItem
from pipeline.sealing import Sealing
from pipeline.store import GroupFlush, Store, last_sequence, recover
from pipeline.tap import TapServer, tap_name

_log = logging.getLogger("nvr.recorder")
_REPORT_S = 2.0


class RecorderFailed(Exception):
    """A thread met an error that nobody foresaw; it is in the log."""


def tap_path(settings: RecorderSettings, stream: str) -> str:
    """The socket's file name in the run-time directory."""
    return tap_name(settings.camera, stream)


class Recorder:
    """The threads of one camera and what they share. Owns the camera's lock while it lives."""

    def __init__(
        self, settings: RecorderSettings, store: Store, catalogue: Catalogue, stop: threading.Event
    ) -> None:
        """Recovers what was left. Raises StoreMissing, HouseholdError, OSError for a disk that refuses."""
        self._settings = settings
        self._stop = stop
        self._failed = threading.Event()
        self._started_ms = time.time_ns() // 1_000_000
        recovered = _recover(store, settings.camera, catalogue)
        newest_sure_ns = catalogue.newest_sure_ns()
        self._sealing = Sealing(store.root, settings.state_dir, settings.camera, newest_sure_ns)
        self._reconnecting = Reconnecting(settings.retry_pauses_s, Refusals(settings.refused_pauses_s))
        self._backlog: Backlog[WriterItem] = Backlog(settings.backlog_bytes)
        self._lanes = [self._lane(store, StreamName(settings.camera, name)) for name in settings.sources]
        self._trust, self._judging = ClockTrust(newest_sure_ns), threading.Lock()
        self._catalogue = catalogue
        self._clock_unsure(time.time_ns())
        self._taps = {lane.name.stream: self._tap(lane) for lane in self._lanes}
        self._flush = GroupFlush(store, settings.run_dir)
        self._chaining = self._make_chaining(store, recovered)
        self._writer = Writer(
            store,
            self._sealing,
            self._lanes,
            self._backlog,
            self._flush,
            catalogue,
            self._chaining,
            settings.flush_s,
            stop,
        )

    def run(self) -> None:
        """Until `stop` is set: then the streams end, and the writer publishes what there is."""
        self._chaining.start()
        writer = self._thread("writer", self._writer.run)
        streams = [self._thread(f"{lane.name.stream}-demux", self._stream(lane).run) for lane in self._lanes]
        while not self._stop.wait(_REPORT_S):
            self._clock_unsure(time.time_ns())
            self._report()
        for thread in streams:
            thread.join()
        self._backlog.close()
        writer.join()
        for tap in self._taps.values():
            tap.close()
        self._chaining.stop()
        self._flush.close()
        self._report()
        if self._failed.is_set():
            raise RecorderFailed(f"{self._settings.camera}: the recorder met an error that nobody foresaw")

    def _stream(self, lane: Lane) -> StreamRecorder:
        return StreamRecorder(
            self._settings.sources[lane.name.stream],
            lane,
            self._taps[lane.name.stream],
            self._backlog,
            self._settings.wanted,
            self._clock_unsure,
            self._settings.segment_s,
            self._reconnecting,
            self._stop,
        )

    def _lane(self, store: Store, name: StreamName) -> Lane:
        last = max(last_sequence(store, name), next_in_chain(store.root, name) - 1)
        return Lane(name, StreamHealth(), self._sealing.next_sequence(name, last))

    def _make_chaining(self, store: Store, recovered: tuple[StoredSegment, ...]) -> Chaining:
        place = ChainPlace(store.root, self._settings.state_dir, store.device)
        return Chaining(
            ChainKeeper(place),
            self._settings.camera,
            Beginnings(recovered, {lane.name: lane.next_sequence for lane in self._lanes}),
            lambda: not any(lane.health.clock_unsure for lane in self._lanes),
            durably=not self._flush.own_file_system,
        )

    def _tap(self, lane: Lane) -> TapServer:
        path = self._settings.run_dir / tap_path(self._settings, lane.name.stream)
        return TapServer(path, f"{self._settings.camera}-{lane.name.stream}-tap")

    def _thread(self, what: str, body: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(
            target=self._guarded, args=(body,), name=f"{self._settings.camera}-{what}", daemon=True
        )
        thread.start()
        return thread

    def _guarded(self, body: Callable[[], None]) -> None:
        """Runs a thread's body; whatever escapes it ends the process in order, so that it is started anew."""
        try:
            body()
        except Exception as error:  # noqa: BLE001 - the last line of defence, logged without its text
            where = _place(error)
            _log.critical(
                "%s: %s at %s", threading.current_thread().name, type(error).__name__, where
            )  # the text could hold an address
            self._failed.set()
            self._stop.set()

    def _clock_unsure(self, now_ns: int) -> bool:
        """Whether the wall clock, which says `now_ns`, is not to be believed. From any thread."""
        with self._judging:
            boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            trust = self._trust.observe(now_ns, boot_ns, kernel_synchronised())
            for lane in self._lanes:
                if lane.health.clock_unsure is trust.sure:
                    lane.health.clock_unsure = not trust.sure
                    _log.warning("%s: %s", lane.name, trust.reason or "the clock is sure again")
        return not trust.sure

    def _report(self) -> None:
        now_s = time.monotonic()
        streams = {
            lane.name.stream: lane.health.report(now_s, self._taps[lane.name.stream].lost_packets)
            for lane in self._lanes
        }
        report = CameraReport(
            self._settings.camera,
            os.getpid(),
            self._started_ms,
            time.time_ns() // 1_000_000,
            self._flush.issued,
            self._catalogue.waiting,
            streams,
            self._sealing.problem,
        )
        try:
            write_report(self._settings.run_dir, report)
        except OSError as error:
            _log.error("the report cannot be written: %s", error.strerror)


def _recover(store: Store, camera: str, catalogue: Catalogue) -> tuple[StoredSegment, ...]:
    recovered = recover(store, camera)
    for segment in recovered.published:
        _log.warning("%s: recovered %s of an interrupted recording", segment.stream, segment.name)
        catalogue.published(segment)
    for failure in recovered.failures:
        _log.error("%s", failure)
    return recovered.published


def _place(error: BaseException) -> str:
    """The innermost file and line of ours that `error` passed through."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        place = f"{file.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
