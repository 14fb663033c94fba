"""Old files of a chain go when all their segments have expired: the next file's START is the checkpoint.

Rules:
- Oldest first, and never the file in use. COLLAPSED is signed and durable before the first file goes.
- What is missing without a tombstone keeps its file for ever: it is evidence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

from pipeline import walk
from pipeline.chain.log import ChainLog
from pipeline.chain.reading import chain_numbers, read_chain_file
from pipeline.chain.records import Collapsed, Expired, Segment
from pipeline.durable import fsync_directory
from pipeline.model import StreamName
from pipeline.names import CHAIN, chain_path, day_of, hour_of


class ExpiredSets:
    """Which sequences of which streams have a tombstone."""

    def __init__(self) -> None:
        self._runs: dict[str, list[tuple[int, int]]] = {}
        self._merged: dict[str, list[tuple[int, int]]] = {}

    def add(self, expired: Expired) -> None:
        """Takes one record's."""
        self._runs.setdefault(expired.stream, []).append((expired.first, expired.first + expired.count))
        self._merged.pop(expired.stream, None)

    def has(self, stream: str, sequence: int) -> bool:
        """Whether the segment has expired."""
        merged = self.merged(stream)
        place = bisect_right(merged, (sequence, 1 << 62)) - 1
        return place >= 0 and merged[place][0] <= sequence < merged[place][1]

    def merged(self, stream: str) -> list[tuple[int, int]]:
        """The stream's runs (first, one after the last), in order and apart."""
        if stream not in self._merged:
            out: list[tuple[int, int]] = []
            for first, end in sorted(self._runs.get(stream, [])):
                if out and first <= out[-1][1]:
                    out[-1] = (out[-1][0], max(end, out[-1][1]))
                else:
                    out.append((first, end))
            self._merged[stream] = out
        return self._merged[stream]

    def count_below(self, stream: str, sequence: int) -> int:
        """How many sequences below that one have expired."""
        return sum(min(end, sequence) - first for first, end in self.merged(stream) if first < sequence)


def collapse(log: ChainLog, root: Path, camera: str, now_ms: int) -> list[int]:
    """Removes the files that may go, and returns their numbers. `log` appends durably. Raises ChainBusy,
    ChainDamaged, OSError.
    """
    numbers = chain_numbers(root, camera)[:-1]
    if not numbers or not _seems_expired(root, camera, numbers[0]):
        return []
    gone = _expired_files(root, camera, numbers)
    if gone:
        log.append([Collapsed(gone[-1])], now_ms, sign=True)
        for number in gone:
            (root / chain_path(camera, number)).unlink(missing_ok=True)
        fsync_directory(root / camera / CHAIN)
    return gone


def _seems_expired(root: Path, camera: str, number: int) -> bool:
    """A quick look: whether the last segments of the file are gone from the store."""
    last = {
        record.stream: record
        for record in read_chain_file(root, camera, number)
        if isinstance(record, Segment)
    }
    return not any(_is_stored(root, camera, record) for record in last.values())


def _is_stored(root: Path, camera: str, record: Segment) -> bool:
    hour = walk.Hour(StreamName(camera, record.stream), day_of(record.start_ms), hour_of(record.start_ms))
    return any(segment.name.sequence == record.sequence for segment in walk.segments(root, hour))


def _expired_files(root: Path, camera: str, numbers: list[int]) -> list[int]:
    expired = ExpiredSets()
    segments: dict[int, list[tuple[str, int]]] = {}
    for number in [*numbers, chain_numbers(root, camera)[-1]]:
        file = read_chain_file(root, camera, number)
        segments[number] = []
        for record in file:
            if isinstance(record, Segment):
                segments[number].append((record.stream, record.sequence))
            elif isinstance(record, Expired):
                expired.add(record)
        if file.fault is not None:
            segments[number].append(("", -1))  # damage is evidence
    return _leading(numbers, segments, expired)


def _leading(
    numbers: Iterable[int], segments: dict[int, list[tuple[str, int]]], expired: ExpiredSets
) -> list[int]:
    found = []
    for number in numbers:
        if not all(expired.has(stream, sequence) for stream, sequence in segments[number]):
            break
        found.append(number)
    return found
