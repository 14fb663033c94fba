"""The files of one camera against its chain: what is there, what it is called, what it holds. Events, too.

Rules:
- What changes while this looks (a recorder publishes, retention deletes) is looked at again before it counts.
- A file that is not what it should be is only suspected here: what it holds may be another recording, of
  another camera even, which whoever has all chains can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import walk
from pipeline.chain.content import content_of
from pipeline.chain.findings import Fault, Finding
from pipeline.chain.reading import readable_files
from pipeline.chain.records import Expired, Segment
from pipeline.chain.structure import CheckedChain, what_counts
from pipeline.content import Content
from pipeline.model import StreamName
from pipeline.names import EVENT_STREAMS, EVENTS, THUMBS, SegmentName, StoredSegment, kind_of
from pipeline.stored_file import found_again, open_stored

UNTOLD_S = 60.0  # how long a recorder may take until what it published is in the chain


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be hashed: footage that begins before `to_ms` and ends after `from_ms`; None: no limit."""

    from_ms: int | None = None
    to_ms: int | None = None

    def covers(self, start_ms: int, end_ms: int) -> bool:
        """Whether footage of that time is to be hashed."""
        late = self.to_ms is not None and start_ms >= self.to_ms
        return not late and (self.from_ms is None or max(end_ms, start_ms + 1) > self.from_ms)


ALL = Asked()


@dataclass(frozen=True, slots=True)
class Suspect:
    """A file that does not hold what its name stands for in the chain (None: nothing). `contents`: what it
    may hold, read as a finished and as an unfinished segment.
    """

    segment: StoredSegment
    record: Segment | None
    contents: tuple[bytes, ...]


@dataclass
class FootageCheck:
    """One camera's. `now_s`: the wall clock. `hashed` is told the bytes of each file that was read."""

    root: Path
    chain: CheckedChain
    asked: Asked
    now_s: float
    hashed: Callable[[int], object]

    def __post_init__(self) -> None:
        self.findings: list[Finding] = []
        self.suspects: list[Suspect] = []
        self.missing: list[tuple[str, Segment]] = []
        self._seen: dict[str, set[int]] = {}
        self._untold: list[StoredSegment] = []
        self._is_recorded = walk.is_being_recorded(self.root, self.chain.camera)
        self._is_watched = walk.is_being_watched(self.root)

    def run(self) -> None:
        """Looks at all of it. Raises OSError for a disk that cannot be read."""
        for stream in walk.all_streams(self.root, self.chain.camera):
            for hour in walk.hours(self.root, stream):
                for segment in walk.segments(self.root, hour):
                    self._look(segment)
        lacking = list(self._lacking())
        if lacking or self._untold:
            self._look_again(lacking)

    def _look(self, segment: StoredSegment) -> None:
        stream, sequence = segment.stream.stream, segment.name.sequence
        record = self.chain.segment(stream, sequence)
        if record is None:
            self._untold.append(segment)
        elif self._compare(segment, record):
            self._seen.setdefault(stream, set()).add(sequence)

    def _compare(self, segment: StoredSegment, record: Segment) -> bool:
        """Whether the file was there."""
        name = segment.name
        asked = self.asked.covers(record.start_ms, record.start_ms + record.duration_ms)
        if not asked:
            self.chain.report.not_asked += 1
            self._compare_names(segment, record)
            return True
        content = self._content(segment, unfinished=record.unfinished)
        if content is None:
            return False
        if content.digest != record.content:
            other = self._content(segment, unfinished=not record.unfinished)
            contents = (content.digest, other.digest) if other else (content.digest,)
            self.suspects.append(Suspect(segment, record, contents))
        else:
            self._count(segment.stream.stream, content.size_bytes)
        if content.digest == record.content or name.unfinished != record.unfinished:
            self._compare_names(segment, record)
        return True

    def _count(self, stream: str, size_bytes: int) -> None:
        report = self.chain.report
        report.verified_bytes += size_bytes
        if stream == EVENTS:
            report.verified_events += 1
        elif stream == THUMBS:
            report.verified_thumbs += 1
        else:
            report.verified += 1

    def _compare_names(self, segment: StoredSegment, record: Segment) -> None:
        meant = recorded_name(record, segment.name.kept_until_ms)
        if meant != segment.name:
            note = f"it was recorded as {meant}"
            if segment.name.unfinished and not record.unfinished:
                note += ", finished"
            self.findings.append(Finding.of(Fault.RENAMED, segment, note))

    def _content(self, segment: StoredSegment, *, unfinished: bool) -> Content | None:
        try:
            file, _ = open_stored(self.root, segment)
        except FileNotFoundError:
            return None
        with file:
            content = content_of(file, unfinished=unfinished)
        self.hashed(content.size_bytes)
        return content

    def _lacking(self) -> Iterator[tuple[str, Segment]]:
        """What the chain has and the store has not, unless it expired."""
        for stream, bodies in self.chain.segments.items():
            seen = self._seen.get(stream, set())
            for sequence in bodies:
                if sequence not in seen and not self.chain.expired.has(stream, sequence):
                    record = self.chain.segment(stream, sequence)
                    if record is not None:
                        yield stream, record

    def _look_again(self, lacking: list[tuple[str, Segment]]) -> None:
        fresh = self._fresh_segments()
        for stream, record in lacking:
            if self.chain.expired.has(stream, record.sequence):
                continue
            there = self._lying(stream, record)
            if there is None or not self._compare(there, record):
                self.missing.append((stream, record))
        for segment in self._untold:
            told = fresh.get((segment.stream.stream, segment.name.sequence))
            if told is not None:
                self._compare(segment, told)
            elif not self._is_excused(found_again(self.root, segment) or segment):
                contents = [self._content(segment, unfinished=flag) for flag in (False, True)]
                digests = tuple(content.digest for content in contents if content is not None)
                if digests:
                    self.suspects.append(Suspect(segment, None, digests))

    def _fresh_segments(self) -> dict[tuple[str, int], Segment]:
        """What was appended to the chain since it was read; tombstones are taken over."""
        fold, found = self.chain.fold, {}
        for file in readable_files(self.root, self.chain.camera, fold.number if fold else 0):
            for record in file:
                if isinstance(record, Segment):
                    found[record.stream, record.sequence] = record
                elif isinstance(record, Expired) and (counting := what_counts(record, file.fold)):
                    self.chain.expired.add(counting)
        return found

    def _lying(self, stream: str, record: Segment) -> StoredSegment | None:
        """The file where it should lie, after all: it got another name for its deadline while we listed."""
        name = StreamName(self.chain.camera, stream)
        return found_again(self.root, StoredSegment(name, recorded_name(record), record.size_bytes))

    def _is_excused(self, segment: StoredSegment) -> bool:
        """Whether the chain need not know the file: from before it began, expired, or only just published."""
        stream, sequence = segment.stream.stream, segment.name.sequence
        if not self.chain.segments and self.chain.fold is None:
            return False
        if self.chain.expired.has(stream, sequence) or not (self.root / segment.path).exists():
            return True
        first = self.chain.first
        known = self.chain.segments.get(stream)
        if first is not None and not first.count and known and sequence < min(known):
            self.chain.report.before_chain += 1
            return True
        is_written = self._is_watched if stream in EVENT_STREAMS else self._is_recorded
        return is_written and self._changed_s(segment) > self.now_s - UNTOLD_S

    def _changed_s(self, segment: StoredSegment) -> float:
        try:
            return (self.root / segment.path).stat().st_ctime
        except OSError:
            return float("inf")


def recorded_name(record: Segment, kept_until_ms: int = 0) -> SegmentName:
    """The name that the segment was published under; deadlines change, and are not recorded."""
    return SegmentName(
        record.start_ms,
        record.duration_ms,
        record.sequence,
        record.clock_unsure,
        record.unfinished,
        kept_until_ms,
        kind_of(record.stream),
    )
