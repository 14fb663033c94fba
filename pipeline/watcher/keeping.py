"""The thread that keeps what happens: makes pictures, has events sealed and stored, tells the notifiers.

Rules:
- Nothing here holds up looking: what is told waits in a bounded mailbox.
- A store that refuses is said in the report; what could not be kept is lost, and counted.
- Notifiers are told after the store has the event, and must only note it.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from pipeline.event import Happening
from pipeline.store import Store
from pipeline.watcher.faults import place_of
from pipeline.watcher.mailbox import Item, Kept, Mailbox
from pipeline.watcher.settings import WatcherSettings

_log = logging.getLogger("nvr.watcher")
_WAIT_S = 1.0


class Notifier(Protocol):
    """Is told of every event; never blocks, never raises."""

    def happened(self, camera: str, happening: Happening, event_id: str) -> None:
        """`event_id` as people write it: `front-42`."""


class Nobody:
    """Is told and tells nobody: what is there without notifiers."""

    def happened(self, camera: str, happening: Happening, event_id: str) -> None:
        """Does nothing."""


class Keeping:
    """`run` is the thread's body, until `end` was called and nothing waits."""

    def __init__(self, settings: WatcherSettings, store: Store, mailbox: Mailbox, notifier: Notifier) -> None:
        self._mailbox = mailbox
        self._notifier = notifier
        self._ending = threading.Event()
        self.model = ""
        self.problem = ""
        """What is wrong with keeping, for the report; empty for nothing."""

    def end(self) -> None:
        """Asks it to end once everything is kept."""
        self._ending.set()

    def run(self) -> None:
        """Keeps what comes."""
        while True:
            item = self._mailbox.take(0.0 if self._ending.is_set() else _WAIT_S)
            if item is None and self._ending.is_set():
                break
            self._guarded(item)

    def _guarded(self, item: Item | None) -> None:
        try:
            if isinstance(item, Kept):
                self._keep(item)
        except Exception as error:  # noqa: BLE001 - the last line of defence, logged without its text
            _log.error("an event could not be kept: %s at %s", type(error).__name__, place_of(error))

    def _keep(self, item: Kept) -> None:
        self._notifier.happened(item.camera, item.happening, f"{item.camera}-0")
