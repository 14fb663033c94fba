"""Log lines on standard error: one a fact, no tracebacks, and no secret even if a message carries one.

Under systemd the journal adds the time itself.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from types import TracebackType

from nvr.address import shown


class _Line(logging.Formatter):
    def __init__(self, secrets: tuple[str, ...]) -> None:
        clock = "" if os.environ.get("JOURNAL_STREAM") else "%(asctime)s "
        super().__init__(f"{clock}%(message)s", "%Y-%m-%d %H:%M:%S")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        line = shown(super().format(record)).replace("\n", " ")
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return line

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The kind and the place of a fault, never its message."""
        return "" if ei[0] is None else f"({where(ei[0], ei[2])})"


def where(kind: type[BaseException], trace: TracebackType | None) -> str:
    """As in `KeyError at mux.py:12`."""
    frames = traceback.extract_tb(trace)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{kind.__name__}{place}"


def start_logging(secrets: tuple[str, ...] = ()) -> None:
    """Begins to log to standard error. `secrets` are taken out of every line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line(tuple(secret for secret in secrets if len(secret) > 3)))
    logging.basicConfig(level=os.environ.get("NVR_LOG", "INFO").upper(), handlers=[handler], force=True)
    threading.excepthook = _thread_ended


def _thread_ended(fault: threading.ExceptHookArgs) -> None:
    name = fault.thread.name if fault.thread else "a thread"
    logging.getLogger(__name__).error(
        "unexpected fault in %s: %s", name, where(fault.exc_type, fault.exc_traceback)
    )
