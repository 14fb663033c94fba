"""What the runs show of a stream within the bundle's span, and which segments should be here. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from nvr.bundle.document import Document
from nvr.bundle.runs import Known, Run
from nvr.bundle.verdict import Expired, Stopped, StreamProof
from pipeline.chain import records
from pipeline.chain.records import Reason, Segment

REASONS = {
    Reason.AGE: "it was old enough to be deleted",
    Reason.CAMERA_BYTES: "the camera's limit of bytes was reached",
    Reason.STORE_BYTES: "the store's limit of bytes was reached",
    Reason.FREE_SPACE: "the disk was full",
    Reason.NO_EVENT: "no event touched it, and only events are kept",
}
_MOST_UNNAMED = 1000


@dataclass(frozen=True, slots=True)
class Recorded:
    """A segment as the chain has it, and whether the recorder's signature covers it."""

    segment: Segment
    signed: bool


def overlaps(start_ms: int, duration_ms: int, from_ms: int, to_ms: int) -> bool:
    """Whether a segment may hold footage of the span; names have whole milliseconds, rounded down."""
    return start_ms < to_ms and start_ms + duration_ms + 1 > from_ms


def recorded(runs: Iterable[Run], streams: Iterable[str]) -> dict[tuple[str, int], Recorded]:
    """Every segment of the streams in the runs, by stream and sequence."""
    wanted = frozenset(streams)
    return {
        (known.record.stream, known.record.sequence): Recorded(known.record, known.signed)
        for run in runs
        for known in run.records
        if isinstance(known.record, Segment) and known.record.stream in wanted
    }


def expired_in(runs: Iterable[Run], stream: str) -> list[records.Expired]:
    """The stream's tombstones that a signature covers."""
    return [
        known.record
        for run in runs
        for known in run.records
        if isinstance(known.record, records.Expired) and known.record.stream == stream and known.signed
    ]


def stream_proof(
    document: Document,
    stream: str,
    runs: Sequence[Run],
    found: Mapping[tuple[str, int], Recorded],
    present: Set[tuple[str, int]],
) -> StreamProof:
    """What is shown of one stream."""
    within = _within(document, stream, found)
    tombstones = expired_in(runs, stream)
    here = [one for one in within if (stream, one.segment.sequence) in present]
    main = _main_run(runs, stream, within)
    sequences = [one.segment.sequence for one in within]
    return StreamProof(
        stream=stream,
        recorded=len(within),
        present=len(here),
        first_ms=min((one.segment.start_ms for one in here), default=0),
        last_ms=max((one.segment.start_ms + one.segment.duration_ms for one in here), default=0),
        whole=bool(main),
        begins=bool(main) and _begins(main[0], stream, sequences),
        ends=bool(main) and _ends(main[0], stream, sequences, document.to_ms),
        unsigned=sum(not one.signed for one in here),
        found_later=sum(one.segment.found for one in here),
        clock_unsure=sum(one.segment.clock_unsure for one in here),
        unfinished=sum(one.segment.unfinished for one in here),
        stops=_stops(document, stream, runs),
        expired=_expired(expired_of(tombstones, sequences)),
        unnamed=_unnamed(sequences, found, stream),
    )


def _within(document: Document, stream: str, found: Mapping[tuple[str, int], Recorded]) -> list[Recorded]:
    within = [
        one
        for (name, _), one in found.items()
        if name == stream
        and overlaps(one.segment.start_ms, one.segment.duration_ms, document.from_ms, document.to_ms)
    ]
    return sorted(within, key=lambda one: one.segment.sequence)


def _main_run(runs: Sequence[Run], stream: str, within: Sequence[Recorded]) -> list[Run]:
    """The one run that has them all; none when they stand in several, between which anything may be."""
    wanted = {one.segment.sequence for one in within}
    return [run for run in runs if wanted and wanted <= _sequences(run, stream)]


def _sequences(run: Run, stream: str) -> set[int]:
    return {one.sequence for one in _segments(run.records, stream)}


def _segments(known: Iterable[Known], stream: str) -> list[Segment]:
    return [one.record for one in known if isinstance(one.record, Segment) and one.record.stream == stream]


def _begins(run: Run, stream: str, sequences: Sequence[int]) -> bool:
    """Whether what was recorded right before the first is known: a record, or the table in START."""
    earlier = any(one.sequence < sequences[0] for one in _segments(run.records, stream))
    table = {one.name: one.next_sequence for one in run.start.streams}
    return earlier or (run.whole_file and table.get(stream, 0) <= sequences[0])


def _ends(run: Run, stream: str, sequences: Sequence[int], to_ms: int) -> bool:
    """Whether what came right after the last is known: a record, or a signature of after the span."""
    later = any(one.sequence > sequences[-1] for one in _segments(run.records, stream))
    signed = (one.record.at_ms for one in run.records if isinstance(one.record, records.Signed))
    return later or max(signed, default=0) >= to_ms


def _stops(document: Document, stream: str, runs: Iterable[Run]) -> tuple[Stopped, ...]:
    return tuple(
        Stopped(known.record.at_ms, known.record.reason)
        for run in runs
        for known in run.records
        if isinstance(known.record, records.Gap)
        and known.record.stream == stream
        and document.from_ms <= known.record.at_ms < document.to_ms
    )


def expired_of(tombstones: Iterable[records.Expired], sequences: Sequence[int]) -> dict[int, Reason]:
    """Which of the sequences (in order) have a tombstone, and its reason."""
    return {
        sequence: one.reason
        for one in tombstones
        for sequence in sequences[
            bisect_left(sequences, one.first) : bisect_left(sequences, one.first + one.count)
        ]
    }


def _expired(reasons: Mapping[int, Reason]) -> tuple[Expired, ...]:
    """Joined where they follow each other for the same reason."""
    found: list[Expired] = []
    for sequence in sorted(reasons):
        last = found[-1] if found else None
        if last and (last.first + last.count, last.reason) == (sequence, REASONS[reasons[sequence]]):
            found[-1] = replace(last, count=last.count + 1)
        else:
            found.append(Expired(sequence, 1, REASONS[reasons[sequence]]))
    return tuple(found)


def _unnamed(
    sequences: Sequence[int], found: Mapping[tuple[str, int], Recorded], stream: str
) -> tuple[int, ...]:
    """The numbers between the first and the last that no record has: segments that came to nothing."""
    if not sequences:
        return ()
    holes = (one for one in range(sequences[0], sequences[-1]) if (stream, one) not in found)
    return tuple(number for number, _ in zip(holes, range(_MOST_UNNAMED), strict=False))


def last_signed_ms(runs: Iterable[Run]) -> int:
    """When the recorder last signed what is in the runs; 0 for never."""
    signed = (one.record for run in runs for one in run.records if isinstance(one.record, records.Signed))
    return max((one.at_ms for one in signed), default=0)
