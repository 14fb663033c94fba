"""Opens files of the store by the names that were listed.

A deadline gives a file another name while others read the store: who does not find one by the name that it
had looks again, and only then is it gone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pipeline import walk
from pipeline.names import StoredSegment

_TRIES = 3  # an event raises a deadline once or twice, not between each look and the next


def found_again(root: Path, segment: StoredSegment) -> StoredSegment | None:
    """The file as it is called now; None when it is gone."""
    wanted = replace(segment.name, kept_until_ms=0)
    hour = walk.hour_of_start(segment.stream, wanted.start_ms)
    found = (one for one in walk.segments(root, hour) if replace(one.name, kept_until_ms=0) == wanted)
    return next(found, None)


def open_stored(root: Path, segment: StoredSegment, buffering: int = 0) -> tuple[BinaryIO, StoredSegment]:
    """The opened file, and what it is called now. Raises FileNotFoundError when it is gone, OSError."""
    known: StoredSegment | None = segment
    for _ in range(_TRIES):
        if known is None:
            break
        try:
            return (root / known.path).open("rb", buffering=buffering), known
        except FileNotFoundError:
            known = found_again(root, segment)
    return (root / (known or segment).path).open("rb", buffering=buffering), known or segment
