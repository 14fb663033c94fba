"""Writes segments as a recorder does, in this process or as one that a test kills: `python -m … ROOT
RECIPIENT`.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from crypto.recipient import Recipient, parse_recipient
from pipeline.model import SegmentMark, StreamName
from pipeline.names import StoredSegment
from pipeline.store import SegmentFile, Store, create, last_sequence, lock_camera, open_segment, recover

DEVICE = bytes(range(16))
FRONT = StreamName("front", "main")
NOON_MS = 1_795_348_800_000  # 2026-11-22T12:00:00Z
FRAGMENTS = 10
SEGMENT_MS = 10_000


def make_store(root: Path) -> Store:
    """A new store."""
    return create(root, DEVICE, datetime(2026, 11, 22, tzinfo=UTC))


def mark(
    sequence: int, start_ms: int = NOON_MS, stream: StreamName = FRONT, *, unsure: bool = False
) -> SegmentMark:
    """Where a segment belongs."""
    return SegmentMark(DEVICE, stream, sequence, start_ms * 1_000_000, 1, unsure)


def plaintext(sequence: int, length: int) -> bytes:
    """The first bytes of a segment's plaintext: no two segments share any."""
    return hashlib.shake_256(b"segment %d" % sequence).digest(length)


def fragment_bytes(sequence: int) -> int:
    """How long each fragment of that segment is: from a very quiet stream to a busy one."""
    return (700, 30_000, 65_536, 200_000)[sequence % 4]


def append_fragments(segment: SegmentFile, count: int, begin: int = 0) -> int:
    """Appends fragments number `begin` and following, of a second each; returns where the plaintext ends
    then.
    """
    sequence = segment.mark.sequence
    size = fragment_bytes(sequence)
    whole = plaintext(sequence, (begin + count) * size)
    for number in range(begin, begin + count):
        segment.append(whole[number * size : (number + 1) * size], (number + 1) * 1_000_000_000)
    return len(whole)


def write_segment(
    store: Store,
    recipients: Sequence[Recipient],
    sequence: int,
    start_ms: int | None = None,
    stream: StreamName = FRONT,
    *,
    unsure: bool = False,
) -> StoredSegment:
    """A whole published segment, ten seconds after the one with the sequence before it unless `start_ms`
    says.
    """
    start = NOON_MS + sequence * SEGMENT_MS if start_ms is None else start_ms
    segment = open_segment(store, mark(sequence, start, stream, unsure=unsure), recipients)
    append_fragments(segment, FRAGMENTS)
    return segment.finish(SEGMENT_MS * 1_000_000)


def _record_for_ever(root: Path, recipient: str) -> None:
    store = Store(root)
    recipients = [parse_recipient(recipient)]
    with lock_camera(store, FRONT.camera):
        recover(store, FRONT.camera)
        for sequence in itertools.count(last_sequence(store, FRONT) + 1):
            _record_one(store, sequence, recipients)


def _report(what: str, sequence: int, fragments: int) -> None:
    os.write(sys.stdout.fileno(), f"{what} {sequence} {fragments}\n".encode())


def _record_one(store: Store, sequence: int, recipients: Sequence[Recipient]) -> None:
    segment = open_segment(store, mark(sequence, NOON_MS + sequence * SEGMENT_MS), recipients)
    for number in range(FRAGMENTS):
        append_fragments(segment, 1, number)
        _report("appended", sequence, number + 1)
        if number % 2:
            segment.flush()
            _report("flushed", sequence, number + 1)
    segment.finish(SEGMENT_MS * 1_000_000)
    _report("published", sequence, FRAGMENTS)


if __name__ == "__main__":
    _record_for_ever(Path(sys.argv[1]), sys.argv[2])
