"""Stores with many segments whose names and sizes are real and whose content is a hole: quick to make."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.model import StreamName
from pipeline.names import SegmentName, StoredSegment

CONTENT_BYTES = 4096


def put(root: Path, segment: StoredSegment) -> StoredSegment:
    """Makes a file of that name and size."""
    path = root / segment.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, segment.size_bytes)
    return segment


def fill(
    root: Path, stream: StreamName, start_ms: int, count: int, step_ms: int = 10_000
) -> list[StoredSegment]:
    """`count` segments that follow each other from `start_ms`, numbered from 0."""
    names = [SegmentName(start_ms + number * step_ms, step_ms, number) for number in range(count)]
    return [put(root, StoredSegment(stream, name, CONTENT_BYTES + name.sequence)) for name in names]
