"""The thread that keeps what happens: makes pictures, has events sealed and stored, tells the notifiers.

Rules:
- Nothing here holds up looking: what is told waits in a bounded mailbox.
- A store that refuses is said in the report; what could not be kept is lost, and counted.
- Notifiers are told once the store has been told, and must only note it.
- Pictures exist as JPEG in memory only until the store has sealed them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from pipeline.event import Happening
from pipeline.event_store import EventStore
from pipeline.household.errors import HouseholdError
from pipeline.store import StoreError
from pipeline.tap import tap_name
from pipeline.watcher.faults import place_of
from pipeline.watcher.kept_camera import KeptCamera
from pipeline.watcher.mailbox import Kept, Mailbox
from pipeline.watcher.pictures import from_main
from pipeline.watcher.settings import CameraSettings, WatcherSettings
from pipeline.watcher.wall import wall_ns

_log = logging.getLogger("nvr.watcher")
_TEND_S = 1.0
_SAVE_WATCHED_S = 10.0
_OPEN_AGAIN_S = 10.0  # a store's disk may be mounted late


class Notifier(Protocol):
    """Is told of every event; never blocks, never raises."""

    @property
    def problem(self) -> str:
        """What is wrong with those who are told, for the report; empty for nothing."""

    def happened(self, camera: str, happening: Happening, event_id: str) -> None:
        """`event_id` as people write it: `front-42`."""


class Nobody:
    """Is told and tells nobody: what is there without notifiers."""

    problem = ""

    def happened(self, camera: str, happening: Happening, event_id: str) -> None:
        """Does nothing."""


OpenStore = Callable[[str], EventStore]


class Keeping:
    """`run` is the thread's body, until `end` was called and nothing waits.

    `open_store` gives a camera's store of events; it may raise HouseholdError, StoreError, OSError.
    """

    def __init__(
        self, settings: WatcherSettings, open_store: OpenStore, mailbox: Mailbox, notifier: Notifier
    ) -> None:
        self._settings = {camera.name: camera for camera in settings.cameras}
        self._run_dir = settings.run_dir
        self._open_store = open_store
        self._mailbox = mailbox
        self._notifier = notifier
        self._ending = threading.Event()
        self._cameras: dict[str, KeptCamera] = {}
        self._lost: dict[str, int] = {}
        self._faults: dict[str, str] = {}
        self._next_open_s = self._next_tend_s = self._next_save_s = 0.0
        self.model = ""
        """The first 16 digits of the model's SHA-256, for the records."""

    @property
    def problem(self) -> str:
        """What is wrong with keeping and telling, for the report; empty for nothing."""
        found = {name: kept.problem for name, kept in list(self._cameras.items())} | self._faults
        said = [f"{name}: events cannot be kept: {why}" for name, why in found.items() if why]
        return "; ".join(filter(None, (*said, self._notifier.problem)))

    def lost(self, camera: str) -> int:
        """How many events of this camera could not be kept."""
        kept = self._cameras.get(camera)
        dropped = self._lost.get(camera, 0) + self._mailbox.lost(camera)
        return dropped + (kept.lost if kept else 0)

    def end(self) -> None:
        """Asks it to end once everything is kept."""
        self._ending.set()

    def run(self) -> None:
        """Keeps what comes."""
        self._guarded(self._open_all)
        while True:
            item = self._mailbox.take(0.0 if self._ending.is_set() else _TEND_S)
            if item is None and self._ending.is_set():
                break
            if isinstance(item, Kept):
                self._guarded(partial(self._keep, item))
            elif item is not None and item.camera in self._cameras:
                self._cameras[item.camera].looked(item.until_ns)
            self._guarded(self._tend)
        self._note_missed()
        for kept in self._cameras.values():
            self._guarded(kept.close)

    def _guarded(self, action: Callable[[], None]) -> None:
        """Whatever escapes `action` must not end keeping for all cameras."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - the last line of defence, logged without its text
            _log.error("keeping events: %s at %s", type(error).__name__, place_of(error))

    def _keep(self, item: Kept) -> None:
        kept = self._cameras.get(item.camera)
        if kept is None:
            self._lost[item.camera] = self._lost.get(item.camera, 0) + 1
            return
        event_id = kept.keep(item.happening, item.clock_unsure, self.model)
        if event_id:
            self._notifier.happened(item.camera, item.happening, event_id)

    def _tend(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._next_tend_s:
            self._next_tend_s = now_s + _TEND_S
            self._open_all()
            for kept in self._cameras.values():
                self._guarded(kept.tend)
        if now_s >= self._next_save_s:
            self._next_save_s = now_s + _SAVE_WATCHED_S
            self._note_missed()
            for kept in self._cameras.values():
                self._guarded(kept.save_watched)

    def _note_missed(self) -> None:
        for name, kept in self._cameras.items():
            if missed := self._mailbox.missed(name):
                kept.missed(*missed)

    def _open_all(self) -> None:
        """Opens what is not open yet; what cannot be opened is tried again."""
        missing = self._settings.keys() - self._cameras.keys()
        if not missing or time.monotonic() < self._next_open_s:
            return
        self._next_open_s = time.monotonic() + _OPEN_AGAIN_S
        for name in sorted(missing):
            try:
                self._cameras[name] = self._opened(self._settings[name])
                self._faults.pop(name, None)
            except (HouseholdError, StoreError, OSError) as error:
                self._note_fault(name, error)

    def _opened(self, camera: CameraSettings) -> KeptCamera:
        tap = self._run_dir / tap_name(camera.name, "main")
        fetch = from_main(tap, wall_ns) if "sub" in camera.streams else None
        return KeptCamera(camera, self._open_store(camera.name), fetch)

    def _note_fault(self, name: str, error: Exception) -> None:
        reason = (error.strerror or "input/output error") if isinstance(error, OSError) else str(error)
        if self._faults.get(name) != reason:
            _log.error("%s: events cannot be kept: %s; tried again", name, reason)
        self._faults[name] = reason
