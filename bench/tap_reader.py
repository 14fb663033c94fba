"""A dashboard's part of a measurement: reads a tap in a hurry. `python -m bench.tap_reader PATH`"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from pipeline.tap import TapClient

_RECORDER_STARTS_S = 15.0


def _connected(path: Path) -> TapClient:
    end_s = time.monotonic() + _RECORDER_STARTS_S
    while True:
        try:
            return TapClient(path, hurry=True)
        except OSError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    for _ in _connected(Path(sys.argv[1])):
        pass
