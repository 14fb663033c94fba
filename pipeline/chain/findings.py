"""What verification can find, and what it counts. Frozen nouns, no I/O."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from pipeline.chain.records import Reason
from pipeline.model import StreamName
from pipeline.names import StoredSegment


class Fault(StrEnum):
    """What is wrong, as a person reads it."""

    ALTERED = "altered: its content is not what was recorded"
    MISSING = "missing: it was recorded, and nothing says that it expired"
    SWAPPED = "swapped: it holds another recording"
    TRUNCATED = "truncated: its end is missing"
    RENAMED = "renamed: its name says something else than what was recorded"
    UNCHAINED = "not in the chain: nothing says that it was recorded"
    CHAINED_TWICE = "in the chain twice, with different content"
    CHAIN_CUT = "the chain was cut"
    CHAIN_FORKED = "the chain was rewritten"
    CHAIN_REMOVED = "a whole chain was removed"
    CHAIN_DAMAGED = "the chain is damaged"
    RE_SIGNED = "not signed by the key of its time"
    CERTIFICATE = "the certificates of the day keys do not hold together"
    UNCONFIRMED = "no owner has confirmed these day keys"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `path` is relative to the store; what does not apply is None or empty. `note`
    is a clause for a person.
    """

    fault: Fault
    note: str = ""
    camera: str = ""
    stream: str = ""
    sequence: int | None = None
    start_ms: int | None = None
    path: str = ""

    @classmethod
    def of(cls, fault: Fault, segment: StoredSegment, note: str = "") -> Finding:
        """About one segment's file."""
        name, stream = segment.name, segment.stream
        return cls(fault, note, stream.camera, stream.stream, name.sequence, name.start_ms, segment.path)


@dataclass(slots=True)
class CameraReport:
    """What was counted of one camera while it was verified."""

    camera: str
    records: int = 0
    verified: int = 0
    """Segments of footage; events and their thumbnails are counted apart, and their bytes with all others."""
    verified_events: int = 0
    verified_thumbs: int = 0
    verified_bytes: int = 0
    not_asked: int = 0
    found: int = 0
    before_chain: int = 0
    unsigned: int = 0
    last_signed_ms: int = 0
    collapsed: int = 0
    begins_ms: int = 0
    """When the day key of its oldest file was certified; 0 if that is not known."""
    expired: Counter[Reason] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `notes` are no faults, but a person should know them."""

    cameras: tuple[CameraReport, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Which recording."""

    stream: StreamName
    sequence: int
    start_ms: int

    def __str__(self) -> str:
        return f"{self.stream} number {self.sequence}"
