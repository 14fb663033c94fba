"""Sizes and durations as people write them, and as people read them. Pure.

Units of 1000 (`20GB`) are what disks are sold in; units of 1024 (`20GiB`) are taken at their word.
Every parser raises `ValueError` with a sentence that does not repeat what was written.
"""

from __future__ import annotations

import re

_SIZE_UNITS = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", start=1)},
    **{prefix: 1000**power for power, prefix in enumerate("kmgt", start=1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", start=1)},
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_DURATION_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:ms|min|[smhdw])\s*)+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|[smhdw])")


def parse_size(text: str) -> int:
    """`"20GB"`, `"1.5 TiB"`, `"500000"` in bytes."""
    found = _SIZE.fullmatch(text.strip().lower())
    if found is None or found[2] not in _SIZE_UNITS:
        raise ValueError('is not a size; write it like "20GB", "1.5TB" or "512MiB"')
    return int(float(found[1]) * _SIZE_UNITS[found[2]])


def parse_duration_s(text: str) -> float:
    """`"90s"`, `"10m"`, `"1h30m"`, `"2d"` in seconds."""
    lowered = text.strip().lower()
    if not _DURATION.fullmatch(lowered):
        raise ValueError('is not a duration; write it like "90s", "10m", "1h30m" or "2d"')
    return sum(float(n) * _DURATION_UNITS_S[unit] for n, unit in _DURATION_PART.findall(lowered))


def format_size(size_bytes: float) -> str:
    """`1234567` as `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size_bytes) < 999.5:
            return (
                f"{size_bytes:.0f} {unit}"
                if size_bytes >= 99.5 or unit == "B"
                else f"{size_bytes:.1f} {unit}"
            )
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def format_duration(seconds: float) -> str:
    """`3725` as `1 h 2 min`: the two largest units that say something."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    if whole < 86_400:
        minutes = whole % 3600 // 60
        return f"{whole // 3600} h {minutes} min" if minutes else f"{whole // 3600} h"
    hours = whole % 86_400 // 3600
    days = f"{whole // 86_400} day" + ("s" if whole >= 2 * 86_400 else "")
    return f"{days} {hours} h" if hours else days
