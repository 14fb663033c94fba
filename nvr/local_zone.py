"""Which time zone the person at this machine lives in: `TZ`, else what /etc/localtime says, else UTC."""

from __future__ import annotations

import os
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCALTIME = Path("/etc/localtime")


def local_zone(localtime: Path = _LOCALTIME) -> tzinfo:
    """The zone with all its clock changes; its name where that can be known."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named:
        return _named(named) or UTC
    _, found, name = str(localtime.resolve()).partition("/zoneinfo/")
    if found and (zone := _named(name)):
        return zone
    try:
        with localtime.open("rb") as rules:
            return ZoneInfo.from_file(rules, key="local")
    except (OSError, ValueError):
        return UTC


def _named(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
