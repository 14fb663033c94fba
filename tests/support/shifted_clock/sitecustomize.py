"""Moves the wall clock of every Python process whose PYTHONPATH names this folder; Python imports it itself.

The file that NVR_TEST_CLOCK names says by how many seconds. Only `time.time` and `time.time_ns` move, as when
somebody sets the clock: the monotonic clocks and timers stay. (libfaketime cannot do that to Python: with an
offset of years it makes `time.sleep` fail, and time namespaces do not cover the wall clock.)
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_FILE = Path(os.environ.get("NVR_TEST_CLOCK", os.devnull))
_real_ns = time.time_ns


def _moved_ns() -> int:
    try:
        return _real_ns() + int(_FILE.read_text() or 0) * 1_000_000_000
    except (OSError, ValueError):
        return _real_ns()


time.time_ns = _moved_ns
time.time = lambda: _moved_ns() / 1e9
