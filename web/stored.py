"""Sealed files of the store, by the name that they have there, and opened without following anything."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.names import NotAName, SegmentName, StoredSegment, hour_directory, stored_stream_name
from pipeline.plain_file import PLAIN
from pipeline.stored_file import found_again

_TRIES = 3


def named(camera: str, stream: str, day: str, hour: str, name: str) -> StoredSegment:
    """The file that a path of the store names; whether it is there is not asked.

    Raises NotAName unless this is exactly how we spell it: so no path leads anywhere else.
    """
    found = StoredSegment(stored_stream_name(camera, stream), SegmentName.parse(name), 0)
    if hour_directory(found.stream, found.name.start_ms) != f"{camera}/{stream}/{day}/{hour}":
        raise NotAName("the folder is not the one of that time")
    return found


@dataclass(slots=True)
class OpenedFile:
    """A sealed file to be sent, and closed by whoever sends it."""

    file: BinaryIO
    size_bytes: int


def opened(root: Path, segment: StoredSegment) -> OpenedFile:
    """The file, by whatever deadline it has now. Raises FileNotFoundError when it is gone, OSError."""
    known: StoredSegment | None = segment
    for _ in range(_TRIES):
        if known is None:
            break
        try:
            return _opened(root / known.path)
        except FileNotFoundError:
            known = found_again(root, segment)
    raise FileNotFoundError(segment.path)


def _opened(path: Path) -> OpenedFile:
    descriptor = os.open(path, os.O_RDONLY | PLAIN)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise FileNotFoundError(path)
    return OpenedFile(os.fdopen(descriptor, "rb", buffering=0), found.st_size)
