"""A limit on how often somebody may ask: a token bucket for each address. Pure but for its own lock.

Keys cannot be guessed, so this protects the machine's time, not the keys.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

MOST_ADDRESSES = 4096


class Throttle:
    """`burst` requests at once, then `per_s` a second, for each address. Times are monotonic seconds."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """0 when the address may ask now (which is counted), else how long it should wait."""
        with self._lock:
            level, then_s = self._levels.pop(address, (float(self._burst), now_s))
            level = min(float(self._burst), level + (now_s - then_s) * self._per_s)
            allowed = level >= 1
            self._levels[address] = (level - 1 if allowed else level, now_s)
            if len(self._levels) > MOST_ADDRESSES:
                self._levels.popitem(last=False)
        return 0.0 if allowed else (1 - level) / self._per_s
