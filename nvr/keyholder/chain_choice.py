"""Which part of a camera's chain a bundle needs: the span, its surroundings, and what says of its deletions.

Rules:
- The main part has no hole: from the last segment before the span, or the beginning of that file, to the
  first segment after it, or a signature of after it.
- Each part ends with a signature, or with its file; then the next file's START is taken too, which the next
  day key's certificate vouches for. Where there is neither, its end is unsigned.
- Of the deletions only those of segments in the span are taken.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nvr.bundle.completeness import overlaps
from nvr.bundle.slices import Slice
from pipeline.chain.folding import Fold
from pipeline.chain.reading import ChainFile
from pipeline.chain.records import Expired, Gap, Record, Segment, Signed, Start


@dataclass(frozen=True, slots=True)
class Wanted:
    """The streams and the span, UTC, that a bundle is to hold."""

    streams: frozenset[str]
    from_ms: int
    to_ms: int

    def has(self, segment: Segment) -> bool:
        """Whether it is one of those."""
        return segment.stream in self.streams and overlaps(
            segment.start_ms, segment.duration_ms, self.from_ms, self.to_ms
        )


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a chain's file, before a record: the offset, and the chain's count and head there."""

    number: int
    offset: int
    count: int
    head: bytes = field(repr=False)


@dataclass(slots=True)
class _File:
    """What is noted of one file while it is looked through."""

    start: Start
    first: Spot
    size_bytes: int = 0
    signed: list[int] = field(default_factory=list)  # where each signature ends
    begin: Spot | None = None
    end: int = 0
    tombstones: list[tuple[Expired, Spot, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Part:
    """A slice to be cut: from `begin` until before `end` of the same file."""

    start: Start
    begin: Spot
    end: int

    def cut(self, data: bytes) -> Slice:
        """From the file's bytes."""
        return Slice(self.start, self.begin.count, self.begin.head, data[self.begin.offset : self.end])


class ChainChoice:
    """Looks through a camera's files, lowest number first, and says what is wanted of them."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._files: list[_File] = []
        self._waiting: set[str] = set()
        self.recorded: dict[tuple[str, int], Segment] = {}
        """The segments of the span, by stream and sequence."""

    def look(self, data: bytes) -> None:
        """The next file. What is damaged in it ends it here."""
        reader = ChainFile(data)
        previous: dict[str, Spot] = {}
        file: _File | None = None
        records = iter(reader)
        while True:
            before = _spot(reader.fold, reader.at)
            record = next(records, None)
            if record is None:
                break
            if isinstance(record, Start):
                file = self._begun(record, reader)
            elif file is not None and before is not None:
                self._take(file, record, before, reader.at, previous)
        if file is not None:
            file.size_bytes = reader.at
            self._files.append(file)

    def _begun(self, start: Start, reader: ChainFile) -> _File:
        first = _spot(reader.fold, reader.at)
        if first is None:
            raise AssertionError("a START was read")
        file = _File(start, first)
        if self._waiting:
            file.begin, file.end = first, first.offset
        return file

    def _take(self, file: _File, record: Record, before: Spot, end: int, previous: dict[str, Spot]) -> None:
        match record:
            case Segment() if record.stream in self._wanted.streams:
                if self._wanted.has(record):
                    self.recorded[record.stream, record.sequence] = record
                    self._mark(file, previous.get(record.stream, file.first), end)
                    self._waiting.add(record.stream)
                elif record.stream in self._waiting:
                    self._mark(file, before, end)
                    self._waiting.discard(record.stream)
                previous[record.stream] = before
            case Gap() if record.stream in self._wanted.streams:
                if self._wanted.from_ms <= record.at_ms < self._wanted.to_ms:
                    self._mark(file, before, end)
            case Expired() if record.stream in self._wanted.streams:
                file.tombstones.append((record, before, end))
            case Signed():
                file.signed.append(end)
                if self._waiting and record.at_ms >= self._wanted.to_ms:
                    self._mark(file, before, end)
                    self._waiting.clear()

    @staticmethod
    def _mark(file: _File, begin: Spot, end: int) -> None:
        if file.begin is None or begin.offset < file.begin.offset:
            file.begin = begin
        file.end = max(file.end, end)

    def parts(self, gone: Collection[tuple[str, int]]) -> list[Part]:
        """What to cut, in the order of the chain; `gone`: the segments of the span that the store lacks."""
        parts = dict(self._main())
        for number, file in enumerate(self._files):
            for tombstone, spot, end in file.tombstones:
                if _is_of(tombstone, gone) and not _covers(parts.get((number, "main")), spot):
                    parts[number, f"{spot.offset:016d}"] = self._part(file, spot, end)
        found = [parts[place] for place in sorted(parts)]
        return _merged([*found, *self._beginnings(found)])

    def _main(self) -> Iterator[tuple[tuple[int, str], Part]]:
        marked = [number for number, file in enumerate(self._files) if file.begin is not None]
        if not marked:
            return
        for number in range(marked[0], marked[-1] + 1):
            file = self._files[number]
            begin = file.begin if number == marked[0] and file.begin else file.first
            part = self._part(file, begin, file.end)
            if number < marked[-1]:
                part = Part(file.start, begin, file.size_bytes)
            yield (number, "main"), part

    @staticmethod
    def _part(file: _File, begin: Spot, end: int) -> Part:
        after = [signed for signed in file.signed if signed >= end]
        return Part(file.start, begin, after[0] if after else file.size_bytes)

    def _beginnings(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The next file's START, for each part that runs to the unsigned end of its file."""
        files = {file.start.number: place for place, file in enumerate(self._files)}
        for part in parts:
            place = files[part.start.number]
            file = self._files[place]
            is_signed = bool(file.signed) and file.signed[-1] == part.end
            if part.end == file.size_bytes and not is_signed and place + 1 < len(self._files):
                after = self._files[place + 1]
                yield Part(after.start, after.first, after.first.offset)


def _spot(fold: Fold | None, at: int) -> Spot | None:
    return Spot(fold.number, at, fold.count, fold.head) if fold else None


def _is_of(tombstone: Expired, gone: Collection[tuple[str, int]]) -> bool:
    last = tombstone.first + tombstone.count
    return any(stream == tombstone.stream and tombstone.first <= one < last for stream, one in gone)


def _covers(part: Part | None, spot: Spot) -> bool:
    return part is not None and part.begin.offset <= spot.offset < part.end


def _merged(parts: Iterable[Part]) -> list[Part]:
    """Without overlaps: what begins within another part of its file is one with it."""
    found: list[Part] = []
    for part in sorted(parts, key=lambda one: (one.start.number, one.begin.offset, -one.end)):
        last = found[-1] if found else None
        if last and last.start == part.start and part.begin.offset <= last.end:
            found[-1] = Part(last.start, last.begin, max(last.end, part.end))
        else:
            found.append(part)
    return found


def missing(
    recorded: Mapping[tuple[str, int], Segment], present: Collection[tuple[str, int]]
) -> frozenset[tuple[str, int]]:
    """The segments of the span that the chain has and the store lacks."""
    return frozenset(recorded) - frozenset(present)
