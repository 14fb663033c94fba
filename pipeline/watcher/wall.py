"""UTC for a monotonic time of this machine, as its wall clock says now."""

from __future__ import annotations

import time


def wall_ns(monotonic_ns: int) -> int:
    """UTC (ns) at that instant."""
    return time.time_ns() - time.monotonic_ns() + monotonic_ns
