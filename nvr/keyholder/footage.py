"""Finds a stream's segments in a store by their names, and opens them.

Rules:
- The names in the store alone decide, not the index: a copy of the store is enough.
- They come in the order of recording (their sequence), which a clock that was set does not disturb.
- What opens must be what its name says: device, stream, sequence, start; and its generation must be the one
  whose identity opened it. A file that was swapped is refused.
- The segment being recorded just now is read up to its last fragment.
- What was published, or renamed for its deadline, since it was listed is found by its new name.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from crypto.errors import CryptoError, WrongIdentity
from crypto.unseal import open_stream
from nvr.errors import FAULT, WRONG_IDENTITY, NvrError
from nvr.keyholder.clip_choice import Span
from nvr.keyholder.group_identities import GroupIdentities
from nvr.keyholder.segment_tables import OpenSegment, open_tables
from nvr.keyholder.unfinished import growing_plaintext, unfinished_plaintext
from pipeline import walk
from pipeline.boxes import BadBox
from pipeline.model import SegmentMark, StreamName
from pipeline.names import HOUR_MS, LONGEST_MS, PART_SUFFIX, NotAName, PartName, SegmentName, StoredSegment
from pipeline.store import Store

_MS = 1_000_000
_READ_AHEAD_BYTES = 1 << 20


class SegmentFault(NvrError):
    """One segment cannot be exported; the rest may well be."""

    def __init__(self, message: str, exit_code: int = FAULT) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Found:
    """A segment that may hold footage of the span. `duration_ms` is None while it is being recorded."""

    path: Path
    stream: StreamName
    start_ms: int
    duration_ms: int | None
    sequence: int
    clock_unsure: bool
    unfinished: bool
    size_bytes: int


def find_footage(store: Store, stream: StreamName, span: Span) -> list[Found]:
    """The segments that overlap the span, in the order of recording. Raises OSError."""
    from_ms, to_ms = span.from_ns // _MS, -(-span.to_ns // _MS)
    found = [
        segment
        for hour in walk.hours(store.root, stream)
        if from_ms - LONGEST_MS - HOUR_MS < hour.start_ms < to_ms
        for segment in _in_hour(store.root, hour)
        if segment.start_ms < to_ms
        and (segment.duration_ms is None or segment.start_ms + segment.duration_ms + 1 > from_ms)
    ]
    return sorted(found, key=lambda segment: segment.sequence)


def _in_hour(root: Path, hour: walk.Hour) -> Iterator[Found]:
    before = walk.entries(root / hour.path)  # looked at first: what is published meanwhile is in one of both
    published = walk.segments(root, hour)
    for segment in published:
        yield found_of(root, segment)
    sequences = {segment.name.sequence for segment in published}
    for entry in before:
        if not entry.name.endswith(PART_SUFFIX):
            continue
        try:
            name = PartName.parse(entry.name)
        except NotAName:
            continue
        if name.sequence not in sequences:
            path = Path(entry.path)
            size = _size_bytes(path)
            yield Found(path, hour.stream, name.start_ms, None, name.sequence, name.clock_unsure, True, size)


def _size_bytes(part: Path) -> int:
    """0 for one that is published by now: `open_found` finds it by its other name."""
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def found_of(root: Path, segment: StoredSegment) -> Found:
    """A published segment of the store `root`."""
    return _found(root / segment.path, segment.stream, segment.name, segment.size_bytes)


def _found(path: Path, stream: StreamName, name: SegmentName, size_bytes: int) -> Found:
    return Found(
        path,
        stream,
        name.start_ms,
        name.duration_ms,
        name.sequence,
        name.clock_unsure,
        name.unfinished,
        size_bytes,
    )


def open_found(found: Found, device: bytes, identities: GroupIdentities) -> OpenSegment | None:
    """Opens a segment; None when it was deleted, or holds no fragment yet. Raises SegmentFault."""
    identities.begin()
    try:
        plaintext = _plaintext(found, identities)
    except FileNotFoundError:
        renamed = _renamed_meanwhile(found)
        return open_found(renamed, device, identities) if renamed else None
    except WrongIdentity:
        raise _not_opened(found, identities) from None
    except CryptoError as fault:
        raise SegmentFault(f"{found.path} is damaged: {_clause(fault)}.") from None
    except OSError as fault:
        raise SegmentFault(f"{found.path} cannot be read: {fault.strerror}.") from None
    return _checked(found, device, identities.generations, plaintext)


def _not_opened(found: Found, identities: GroupIdentities) -> SegmentFault:
    if identities.faults:
        return SegmentFault(f"{found.path} does not open. {identities.faults[-1]}")
    return SegmentFault(
        f"{found.path} is sealed to somebody else: this identity does not open it.", WRONG_IDENTITY
    )


def _checked(
    found: Found, device: bytes, generations: AbstractSet[int], plaintext: bytes
) -> OpenSegment | None:
    if found.unfinished and not plaintext:
        return None
    duration_ns = None if found.duration_ms is None else found.duration_ms * _MS
    try:
        segment = open_tables(plaintext, duration_ns, unfinished=found.unfinished)
    except BadBox as fault:
        raise SegmentFault(f"{found.path} does not hold a segment of footage: {_clause(fault)}.") from None
    if not _belongs(segment.mark, found, device):
        raise SegmentFault(f"{found.path} was swapped: inside is {_told(segment.mark, device)}.")
    if generations != {segment.mark.generation}:
        raise SegmentFault(
            f"{found.path} was exchanged: inside it says generation {segment.mark.generation}, and it was "
            "sealed to another."
        )
    return segment if segment.fragments else None


def _plaintext(found: Found, identities: GroupIdentities) -> bytes:
    with ExitStack() as files:
        file = files.enter_context(found.path.open("rb", buffering=_READ_AHEAD_BYTES))
        if found.duration_ms is None:
            tail = files.enter_context(found.path.with_name(PartName.parse(found.path.name).tail).open("rb"))
            return b"".join(growing_plaintext(file, tail, [identities]))
        if found.unfinished:
            return b"".join(unfinished_plaintext(file, [identities]))
        return b"".join(open_stream(file, [identities]))


def _renamed_meanwhile(found: Found) -> Found | None:
    """The segment that a part became while we looked, or that got a deadline; None when it is gone."""
    for entry in walk.entries(found.path.parent):
        try:
            name = SegmentName.parse(entry.name)
        except NotAName:
            continue
        is_same = (name.sequence, name.start_ms) == (found.sequence, found.start_ms)
        if is_same and found.duration_ms in (None, name.duration_ms):
            return _found(Path(entry.path), found.stream, name, found.size_bytes)
    return None


def _belongs(mark: SegmentMark, found: Found, device: bytes) -> bool:
    inside = (mark.device, mark.name, mark.sequence, mark.start_ns // _MS, mark.clock_unsure)
    return inside == (device, found.stream, found.sequence, found.start_ms, found.clock_unsure)


def _told(mark: SegmentMark, device: bytes) -> str:
    where = "" if mark.device == device else " of another recorder"
    return f"segment {mark.sequence} of {mark.name}{where}, from another place or time than its name says"


def _clause(fault: Exception) -> str:
    text = str(fault).rstrip(".")
    return text[:1].lower() + text[1:]
