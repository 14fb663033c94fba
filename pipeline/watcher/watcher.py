"""The watcher: everything that looking at all cameras needs, in one process.

    tap ─► eye ─► looks ─► inference ─► tracks ─► events ─► mailbox ─► keeping ─► store, notifiers
    └── a thread per camera ┘ └── one thread ───────────┘              └ one thread ┘

Rules:
- A model that cannot be used is said in the report and tried again slowly; nobody looks meanwhile.
- A camera of which nothing can become an event, since the model knows none of its labels, does not count as
  looked at: where only events are kept, its footage stays.
- It ends by ending what is open and keeping it. Nothing here is needed for recording.
- A detector that hangs ends the process: the supervisor starts it anew.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from pipeline.detect import Detector, InferenceQueue, ModelError
from pipeline.watch_report import WatchReport, write_watch_report
from pipeline.watcher.camera import Shared, WatchedCamera
from pipeline.watcher.keeping import Keeping, Notifier, OpenStore
from pipeline.watcher.mailbox import Mailbox
from pipeline.watcher.settings import CameraSettings, WatcherSettings

_log = logging.getLogger("nvr.watcher")
REPORT_S = 2.0
MODEL_PAUSES_S = (10.0, 30.0, 60.0, 300.0)  # somebody may be copying it just now; the last one for ever
END_S = 4.0  # the supervisor kills after seven


class WatcherFailed(Exception):
    """The detector hangs; the process must be started anew."""


class Watcher:
    """All threads and what they share. Owns the watcher's lock while it lives."""

    def __init__(
        self, settings: WatcherSettings, open_store: OpenStore, notifier: Notifier, stop: threading.Event
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._started_ms = _now_ms()
        self._mailbox = Mailbox()
        self._keeping = Keeping(settings, open_store, self._mailbox, notifier)
        self._cameras: dict[str, WatchedCamera] = {}
        self._blind: set[str] = set()
        self._model, self._problem = "", ""

    def run(self) -> None:
        """Until `stop` is set. Raises WatcherFailed."""
        keeping = _started("keeping", self._keeping.run)
        try:
            detector = self._load()
            if detector is not None:
                self._look(detector)
        finally:
            self._keeping.end()
            keeping.join(END_S)
            self._report()

    def _look(self, detector: Detector) -> None:
        self._model, self._problem = detector.describe(), _unknown(self._settings, detector)
        self._keeping.model = detector.model_id
        self._blind = {one.name for one in self._settings.cameras if _is_blind(one, detector)}
        queue = InferenceQueue(detector)
        shared = Shared(
            queue,
            detector.input_size,
            self._settings.run_dir,
            self._settings.state_dir,
            self._mailbox.put,
            self._looked,
        )
        self._cameras = {one.name: WatchedCamera(one, shared, self._stop) for one in self._settings.cameras}
        queue.__enter__()
        threads = [_started(f"{name}-look", camera.run) for name, camera in self._cameras.items()]
        _log.info("looking at %s with %s", ", ".join(self._cameras), self._model)
        self._watch_over()
        latest_s = time.monotonic() + END_S
        for thread in threads:
            thread.join(max(0.0, latest_s - time.monotonic()))
        queue.__exit__(None, None, None)  # not for a detector that hangs: it would be waited for

    def _looked(self, camera: str, until_ns: int) -> None:
        self._mailbox.looked(camera, 0 if camera in self._blind else until_ns)

    def _watch_over(self) -> None:
        self._report()
        while not self._stop.wait(REPORT_S):
            self._report()
            if any(camera.hangs for camera in self._cameras.values()):
                raise WatcherFailed("the detector has not answered for a minute")

    def _load(self) -> Detector | None:
        """The detector, as soon as it can be had; None when told to stop before."""
        failures = 0
        while not self._stop.is_set():
            try:
                return Detector.load(self._settings.model, self._settings.labels_file, self._settings.threads)
            except (ModelError, OSError) as fault:
                sentence = f"{fault}" if isinstance(fault, ModelError) else f"the model: {fault.strerror}"
                if sentence != self._problem:
                    _log.error("nobody is looking: %s", sentence)
                self._problem = sentence
            pause_s = MODEL_PAUSES_S[min(failures, len(MODEL_PAUSES_S) - 1)]
            failures += 1
            self._wait_reporting(pause_s)
        return None

    def _wait_reporting(self, pause_s: float) -> None:
        until_s = time.monotonic() + pause_s
        while time.monotonic() < until_s:
            self._report()
            if self._stop.wait(min(REPORT_S, pause_s)):
                return

    def _report(self) -> None:
        report = WatchReport(
            os.getpid(),
            self._started_ms,
            _now_ms(),
            self._model,
            "; ".join(filter(None, (self._problem, self._keeping.problem))),
            {
                name: replace(camera.report(), lost_events=self._keeping.lost(name))
                for name, camera in self._cameras.items()
            },
        )
        try:
            write_watch_report(self._settings.run_dir, report)
        except OSError as error:
            _log.error("the report cannot be written: %s", error.strerror)


def _is_blind(camera: CameraSettings, detector: Detector) -> bool:
    """Whether nothing there can become an event."""
    return camera.sound is None and not set(camera.rules.labels) & set(detector.labels)


def _unknown(settings: WatcherSettings, detector: Detector) -> str:
    """How many wanted labels the model does not know: a number, since no report holds a label."""
    unknown = {label for camera in settings.cameras for label in camera.rules.labels} - set(detector.labels)
    if not unknown:
        return ""
    what = "1 of the wanted labels is" if len(unknown) == 1 else f"{len(unknown)} of the wanted labels are"
    return f"{what} unknown to the model (nvr detect lists what it knows)"


def _started(name: str, body: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=body, name=name, daemon=True)
    thread.start()
    return thread


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
