"""Recorders' part of a measurement: clips as live taps. `python -m bench.watch_taps DIR NAME=CLIP...`

Packets go out every 0.1 s, several at a time, as a recorder hands them to readers that are in no hurry.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from bench.looped import looped
from pipeline.tap import TapServer
from pipeline.wire import Anchor

_NAP_S = 0.1


class _Played:
    """One clip, round and round, from the instant `begin_ns` (monotonic clock) on."""

    def __init__(self, directory: Path, name: str, clip: Path, begin_ns: int) -> None:
        info, self._packets = looped(clip)
        self._begin_ns = begin_ns
        self._next = next(self._packets)
        self._server = TapServer(directory / f"{name}.tap", name)
        utc_ns = time.time_ns() - time.monotonic_ns() + begin_ns
        self._server.publish_info(info, Anchor(self._next.pts, utc_ns))

    def publish(self, now_ns: int) -> None:
        """What is due by now."""
        while (arrived_ns := self._begin_ns + self._next.arrived_ns) <= now_ns:
            self._server.publish(replace(self._next, arrived_ns=arrived_ns))
            self._next = next(self._packets)


def main() -> None:
    """Until killed."""
    pairs = (argument.partition("=") for argument in sys.argv[2:])
    begin_ns = time.monotonic_ns()
    played = [_Played(Path(sys.argv[1]), name, Path(clip), begin_ns) for name, _, clip in pairs]
    while True:
        time.sleep(_NAP_S)
        for one in played:
            one.publish(time.monotonic_ns())


if __name__ == "__main__":
    main()
