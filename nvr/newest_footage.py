"""The newest footage whose time is sure, which a clock must not stand behind. From names alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline import walk
from pipeline.model import StreamName


def newest_sure_ns(root: Path, streams: Iterable[StreamName]) -> int | None:
    """Its end in UTC ns over these streams; None when there is none. Raises `OSError`."""
    ends_ms = [end_ms for stream in streams if (end_ms := _newest_end_ms(root, stream)) is not None]
    return max(ends_ms) * 1_000_000 if ends_ms else None


def _newest_end_ms(root: Path, stream: StreamName) -> int | None:
    for hour in reversed(list(walk.hours(root, stream))):
        sure = [one.name.end_ms for one in walk.segments(root, hour) if not one.name.clock_unsure]
        if sure:
            return max(sure)
    return None
