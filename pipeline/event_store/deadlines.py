"""Until when footage and events are kept that somebody may want: a few shared classes. Pure.

Rules:
- A deadline is the end of the UTC day on which its file begins, and a number of days of one of few classes:
  whoever reads the names learns that an event touched a segment, not which label or when within the day.
- The class is never below what is wanted, and a deadline is never lowered.
"""

from __future__ import annotations

from math import ceil

from pipeline.names import DAY_MS, LAST_MS, SegmentName

CLASSES = (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 365, 730, 1095)  # days
_YEAR = 365


def class_of(days: float) -> int:
    """The class, in days, for what is to be kept so long; beyond the last one whole years."""
    wanted = max(1, ceil(days))
    return next((one for one in CLASSES if one >= wanted), ceil(wanted / _YEAR) * _YEAR)


def deadline_ms(start_ms: int, class_days: int) -> int:
    """Until when a file that begins at `start_ms` is kept in that class."""
    return min(start_ms - start_ms % DAY_MS + (1 + class_days) * DAY_MS, LAST_MS)


def class_in(name: SegmentName) -> int:
    """The class that a name's deadline stands for; 0 for none."""
    if not name.kept_until_ms:
        return 0
    day_ms = name.start_ms - name.start_ms % DAY_MS
    return max(0, (name.kept_until_ms - day_ms) // DAY_MS - 1)
