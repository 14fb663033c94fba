"""Whether one camera's chain holds together: file to file, with the certificates, with what is remembered.

Rules:
- A file counts from its START on. What one file says of the end of the one before must be so.
- A START that goes on from another file must stand in the certificate of its number: it was signed by a key
  that is erased since.
- Behind damage nothing counts; what comes before it does.
- What a recorder vouches for enters the chain soon after it was recorded: a segment that is older than the
  key it stands under was put there afterwards, unless it says itself that it was only found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from crypto.errors import BadSignature
from crypto.signing import verify as verify_signature
from pipeline.chain.certificates import Judged
from pipeline.chain.collapse import ExpiredSets
from pipeline.chain.findings import CameraReport, Fault, Finding
from pipeline.chain.folding import Fold
from pipeline.chain.log import Head
from pipeline.chain.reading import ChainFile, chain_numbers, read_chain_file
from pipeline.chain.records import (
    Collapsed,
    Expired,
    Gap,
    Record,
    Segment,
    Signed,
    Start,
    parse_body,
    signed_message,
)
from pipeline.names import chain_path

_TRIES = 3
AHEAD = 1000  # tombstones of what waits for the chain yet: half an hour of it
LATE_MS = 3_600_000  # a recorder marks what waited half as long for the chain as found


@dataclass
class CheckedChain:
    """A camera's chain, read and judged. `segments`: by stream and sequence the body of each record."""

    camera: str
    report: CameraReport
    segments: dict[str, dict[int, bytes]] = field(default_factory=dict)
    expired: ExpiredSets = field(default_factory=ExpiredSets)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    first: Start | None = None
    fold: Fold | None = None

    def segment(self, stream: str, sequence: int) -> Segment | None:
        """The record of a segment; None when the chain has none."""
        body = self.segments.get(stream, {}).get(sequence)
        return _segment(body) if body is not None else None

    def find(self, fault: Fault, note: str, number: int | None = None) -> None:
        """Notes a fault of the chain itself, in the file of that number."""
        path = chain_path(self.camera, number) if number is not None else ""
        self.findings.append(Finding(fault, note, self.camera, path=path))


def _segment(body: bytes) -> Segment:
    record = parse_body(Segment.kind, body)
    if not isinstance(record, Segment):
        raise AssertionError("a segment's body was kept, and is another's")
    return record


def what_counts(expired: Expired, fold: Fold | None) -> Expired | None:
    """What a tombstone excuses, which stands where the chain had that fold: nothing that is recorded long
    after it.
    """
    following = fold.next_sequence(expired.stream) if fold else 0
    count = min(expired.count, following + AHEAD - expired.first)
    return replace(expired, count=count) if count > 0 else None


def check_chain(
    root: Path, camera: str, device: bytes, judged: Judged, remembered: Mapping[str, Sequence[Head]]
) -> CheckedChain:
    """Reads and judges the camera's chain. `remembered`: by the name of who remembers, its heads. Raises
    OSError. A file that collapses meanwhile makes it begin anew.
    """
    for _ in range(_TRIES - 1):
        try:
            return _Check(root, camera, device, judged, remembered).run()
        except FileNotFoundError:
            continue
    return _Check(root, camera, device, judged, remembered).run()


class _Check:
    def __init__(
        self,
        root: Path,
        camera: str,
        device: bytes,
        judged: Judged,
        remembered: Mapping[str, Sequence[Head]],
    ) -> None:
        self._root = root
        self._device = device
        self._judged = judged
        self._remembered = [(name, head) for name, heads in remembered.items() for head in heads]
        self._wanted: dict[int, list[tuple[str, Head]]] = {}
        for name, head in self._remembered:
            self._wanted.setdefault(head.count, []).append((name, head))
        self._seen: set[int] = set()
        self.chain = CheckedChain(camera, CameraReport(camera))
        self._before: Fold | None = None
        self._certified_ms = 0

    def run(self) -> CheckedChain:
        chain = self.chain
        numbers = chain_numbers(self._root, chain.camera)
        for number in numbers:
            self._check_file(number, is_newest=number == numbers[-1])
        self._check_beginning()
        self._check_remembered()
        if chain.fold is not None:
            chain.report.unsigned = chain.fold.unsigned
        return chain

    def _check_file(self, number: int, *, is_newest: bool) -> None:
        file = self._read(number)
        if file is None:
            return
        if number > self._judged.newest and self._is_only_begun(file):
            return  # the key is being exchanged, or a crash kept it from being
        file, known = ChainFile(file.data), self._judged.known.get(number)
        self._certified_ms = known.certificate.at_ms if known else 0
        signed: tuple[bytes, Signed] | None = None
        head = b""
        for record in file:
            if isinstance(record, Start):
                self._check_start(record, number)
            elif isinstance(record, Signed):
                signed = head, record
            self._take(record, file.fold)
            if file.fold is not None:
                head = file.fold.head
                self._compare(file.fold)
        if file.fault is not None and not (file.is_torn and is_newest):
            note = f"{file.fault}, at byte {file.at}: what was recorded behind it is proven by nothing"
            self.chain.find(Fault.CHAIN_DAMAGED, note, number)
        if file.fold is not None:
            self._check_signature(file.fold, number, signed)
            self._before = self.chain.fold = file.fold

    def _read(self, number: int) -> ChainFile | None:
        try:
            return read_chain_file(self._root, self.chain.camera, number)
        except FileNotFoundError:
            raise
        except OSError as fault:
            self.chain.find(Fault.CHAIN_DAMAGED, (fault.strerror or "it cannot be read").lower(), number)
            return None

    def _is_only_begun(self, file: ChainFile) -> bool:
        fold = file.read_out()
        return fold is None or fold.count <= fold.start.count + 1

    def _check_start(self, start: Start, number: int) -> None:
        chain = self.chain
        if (start.number, start.camera, start.device) != (number, chain.camera, self._device):
            place = f"file {start.number} of {start.camera}"
            chain.find(Fault.CHAIN_FORKED, f"this is {place}, put in another's place", number)
            return
        if chain.first is None:
            chain.first, chain.report.begins_ms = start, self._certified_ms
        elif self._before is not None:
            self._check_joint(self._before, start, number)
        known = self._judged.known.get(number)
        if known is None:
            chain.find(Fault.RE_SIGNED, f"day key {number} has no certificate that holds", number)
        elif start.count and start.digest not in known.certificate.commitments:
            note = f"the certificate of day key {number} knows another beginning of this file, or none"
            chain.find(Fault.CHAIN_FORKED, note, number)

    def _check_joint(self, before: Fold, start: Start, number: int) -> None:
        if (start.count, start.head) == (before.count, before.head):
            return
        if start.count > before.count:
            lacking = start.count - before.count
            note = f"{lacking} records are missing at the end of file {before.number}"
            self.chain.find(Fault.CHAIN_CUT, note, before.number)
        else:
            note = f"file {number} does not go on from where file {before.number} ends"
            self.chain.find(Fault.CHAIN_FORKED, note, before.number)

    def _check_signature(self, fold: Fold, number: int, signed: tuple[bytes, Signed] | None) -> None:
        """The last one of a file: all before it stand under it, by their hashes."""
        known = self._judged.known.get(number)
        if signed is None or known is None:
            return
        head, record = signed
        message = signed_message(fold.start_digest, head, record.at_ms)
        try:
            verify_signature(known.certificate.public, record.signature, message)
        except BadSignature:
            note = f"its last signature is not by day key {number}"
            self.chain.find(Fault.RE_SIGNED, note, number)
            return
        self.chain.report.last_signed_ms = record.at_ms

    def _take(self, record: Record, fold: Fold | None) -> None:
        report = self.chain.report
        report.records += 1
        match record:
            case Segment():
                self._take_segment(record)
            case Expired():
                self._take_expired(record, fold)
            case Gap():
                report.gaps[record.reason] += 1
            case Collapsed():
                report.collapsed = max(report.collapsed, record.number)
            case _:
                pass

    def _take_expired(self, expired: Expired, fold: Fold | None) -> None:
        counting, last = what_counts(expired, fold), expired.first + expired.count - 1
        if counting != expired:
            self.chain.notes.append(
                f"{self.chain.camera}: a tombstone speaks of {expired.stream} numbers up to {last}, which "
                "were not recorded then: it counts for none that came long after it"
            )
        if counting is not None:
            self.chain.expired.add(counting)
            self.chain.report.expired[expired.reason] += counting.count

    def _take_segment(self, segment: Segment) -> None:
        stream = self.chain.segments.setdefault(segment.stream, {})
        known = stream.get(segment.sequence)
        self.chain.report.found += segment.found
        self._check_time(segment)
        if known is not None and _segment(known).content != segment.content:
            fault, name = Fault.CHAINED_TWICE, segment.stream
            self.chain.findings.append(
                Finding(fault, "", self.chain.camera, name, segment.sequence, segment.start_ms)
            )
        stream[segment.sequence] = segment.body

    def _check_time(self, segment: Segment) -> None:
        end_ms = segment.start_ms + segment.duration_ms
        if segment.found or segment.clock_unsure or end_ms >= self._certified_ms - LATE_MS:
            return
        note = "it was chained long after the time that it says, under a later key, or the clock was set back"
        name, start_ms = segment.stream, segment.start_ms
        self.chain.findings.append(
            Finding(Fault.RE_SIGNED, note, self.chain.camera, name, segment.sequence, start_ms)
        )

    def _compare(self, fold: Fold) -> None:
        for name, head in self._wanted.get(fold.count, ()):
            self._seen.add(fold.count)
            if head.head != fold.head:
                note = f"it is not the one that {name} remembers: footage from before that time was exchanged"
                self.chain.find(Fault.CHAIN_FORKED, note, fold.number)

    def _check_beginning(self) -> None:
        """What comes before the oldest file must have collapsed, and been told to have expired."""
        chain, first = self.chain, self.chain.first
        if first is None or not first.count:
            return
        gone = range(chain.report.collapsed + 1, first.number)
        if not chain.report.collapsed or any(number in self._judged.known for number in gone):
            note = f"the files before {first.number} are missing, and nothing says that they collapsed"
            chain.find(Fault.CHAIN_CUT, note, first.number)
            return
        for stream in first.streams:
            told = chain.expired.count_below(stream.name, stream.next_sequence)
            if told < stream.kept:
                lacking = stream.kept - told
                note = f"{lacking} segments of {stream.name} in files that collapsed have no tombstone"
                chain.find(Fault.CHAIN_CUT, note, first.number)

    def _check_remembered(self) -> None:
        chain = self.chain
        for name, head in self._remembered:
            if head.count in self._seen:
                continue
            if chain.fold is None:
                chain.find(Fault.CHAIN_REMOVED, f"{name} remembers {head.count} records of it")
            elif head.count > chain.fold.count:
                lacking = head.count - chain.fold.count
                note = f"{name} remembers {lacking} records more at its end: what they told of was removed"
                chain.find(Fault.CHAIN_CUT, note, chain.fold.number)
            elif chain.first is not None and head.count <= chain.first.count:
                chain.notes.append(
                    f"{chain.camera}: what {name} remembers has expired since and cannot be compared"
                )
            else:
                note = f"it does not have the place that {name} remembers: it was rewritten"
                chain.find(Fault.CHAIN_FORKED, note, head.number)
