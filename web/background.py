"""What a dashboard does by itself for as long as it serves; a fault is logged, and is not the end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger("nvr.web")


class Background:
    """Calls `look` every `every_s` seconds in a thread of that name."""

    def __init__(self, name: str, look: Callable[[], object], every_s: float) -> None:
        self._look = look
        self._every_s = every_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Once, after the fork: threads do not survive one."""
        self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(self._every_s)
            try:
                self._look()
            except Exception as fault:  # noqa: BLE001 - whatever it is, sessions must still end
                _log.error("the dashboard's background work failed: %s", type(fault).__name__)
