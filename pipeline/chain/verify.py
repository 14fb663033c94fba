"""The store against its chains, without index, network or identity. It changes nothing.

Rules:
- Every file of footage that is asked for is hashed; the chains are checked whole whatever is asked.
- It may run while recorders and retention do.
- What expired is told by its tombstone, under a signature; nothing else excuses a missing file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipeline import walk
from pipeline.chain.certificates import Judged, judge
from pipeline.chain.findings import CameraReport, Fault, Finding, Place, Report
from pipeline.chain.footage_check import ALL, Asked, FootageCheck, Suspect, recorded_name
from pipeline.chain.heads import Heads
from pipeline.chain.log import Head
from pipeline.chain.reading import chain_numbers, read_chain_file, readable_files
from pipeline.chain.records import DamagedRecord, Segment, Start
from pipeline.chain.rotation import certificate_lines
from pipeline.chain.structure import CheckedChain, check_chain
from pipeline.model import StreamName
from pipeline.names import DAYS_FILE, HOUR_MS, KEYS, hour_directory

_UNCHAINED = (
    "it may have been put there, or its record was removed; the newest ones of a copy that was made while it "
    "was recorded look so, too"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What to verify. `cameras` empty: all. `owners_keys`: the day keys that owners listed for this device;
    None: nobody can say. `heads`: by the name of who remembers.
    """

    device: bytes
    cameras: frozenset[str] = frozenset()
    asked: Asked = ALL
    owners_keys: Collection[bytes] | None = None
    heads: Mapping[str, Heads] = field(default_factory=dict)


def _nothing(_: int) -> None:
    return None


def verify(
    root: Path, question: Question, now_s: float, hashed: Callable[[int], object] = _nothing
) -> Report:
    """Everything that is wrong, and what was counted. `now_s` is the wall clock; `hashed` is told the bytes
    of each file read. Raises OSError.
    """
    judged = judge(certificate_lines(root), question.device, question.owners_keys)
    findings = [*_certificate_findings(judged), *_removed_chains(root, judged)]
    reports: list[CameraReport] = []
    notes = list(_set_back(judged))
    checks = []
    for camera in _cameras(root, question):
        chain = check_chain(root, camera, question.device, judged, _remembered(question.heads, camera))
        check = FootageCheck(root, chain, question.asked, now_s, hashed)
        check.run()
        checks.append(check)
        reports.append(chain.report)
        findings += chain.findings
        notes += chain.notes
        chain.segments.clear()
    findings += _judge_suspects(root, checks)
    return Report(tuple(reports), tuple(findings), tuple(notes))


def _cameras(root: Path, question: Question) -> list[str]:
    remembered = {camera for heads in question.heads.values() for camera in heads.cameras}
    known = {*walk.cameras(root), *remembered}
    return sorted(known & question.cameras if question.cameras else known)


def _remembered(heads: Mapping[str, Heads], camera: str) -> dict[str, list[Head]]:
    return {name: [one.cameras[camera]] for name, one in heads.items() if camera in one.cameras}


def _certificate_findings(judged: Judged) -> Iterable[Finding]:
    path = f"{KEYS}/{DAYS_FILE}"
    for fault in judged.faults:
        yield Finding(Fault.CERTIFICATE, fault, path=path)
    for number in judged.unconfirmed:
        note = (
            f"the series that begins with day key {number}: if the box was new or its state was lost then, "
            "an owner confirms it with nvr head --accept-device; else somebody began it"
        )
        yield Finding(Fault.UNCONFIRMED, note, path=path)


def _set_back(judged: Judged) -> Iterable[str]:
    """Clocks are set back for good reasons too, so this is no fault; but it makes the past look recorded."""
    for number, back_ms in judged.set_back:
        yield (
            f"the clock was set back by {back_ms / HOUR_MS:.0f} hours before day key {number} was made: what "
            "was recorded under it may be from later than it says"
        )


def _removed_chains(root: Path, judged: Judged) -> Iterable[Finding]:
    """Every certificate names the chains that went on, without saying whose: none of them may be gone, but by
    collapsing.
    """
    starts: set[bytes] = set()
    collapsed: list[int] = []
    for camera in walk.cameras(root):
        found = list(_starts(root, camera))
        starts |= {start.digest for start in found}
        collapsed.append(found[0].number - 1 if found and found[0].count else 0)
    lacking = {
        number: missing
        for number, one in judged.known.items()
        if (missing := len(set(one.certificate.commitments) - starts))
        > sum(number <= last for last in collapsed)
    }
    if lacking:
        newest = max(lacking)
        note = (
            f"{lacking[newest]} of the chains that went on under day key {newest} cannot be found: "
            "a camera's chain was removed or rewritten"
        )
        yield Finding(Fault.CHAIN_REMOVED, note, path=f"{KEYS}/{DAYS_FILE}")


def _starts(root: Path, camera: str) -> Iterable[Start]:
    for number in chain_numbers(root, camera):
        try:
            first = next(iter(read_chain_file(root, camera, number)), None)
        except (OSError, DamagedRecord):
            continue
        if isinstance(first, Start):
            yield first


def _judge_suspects(root: Path, checks: Sequence[FootageCheck]) -> list[Finding]:
    """What suspected files hold decides what is wrong with them."""
    wanted = {content for check in checks for suspect in check.suspects for content in suspect.contents}
    places = _places(root, wanted) if wanted else {}
    findings: list[Finding] = []
    moved: set[Place] = set()
    for check in checks:
        findings += check.findings
        for suspect in check.suspects:
            place = next((places[one] for one in suspect.contents if one in places), None)
            findings.append(_judge_suspect(suspect, place))
            if place is not None:
                moved.add(place)
    for check in checks:
        findings += [_missing(check.chain, stream, record, moved) for stream, record in check.missing]
    return findings


def _places(root: Path, wanted: set[bytes]) -> dict[bytes, Place]:
    """Where in all chains these contents stand."""
    found = {}
    for camera in walk.cameras(root):
        for file in readable_files(root, camera):
            for record in file:
                if isinstance(record, Segment) and record.content in wanted:
                    stream = StreamName(camera, record.stream)
                    found[record.content] = Place(stream, record.sequence, record.start_ms)
    return found


def _judge_suspect(suspect: Suspect, place: Place | None) -> Finding:
    segment, record = suspect.segment, suspect.record
    if place is not None:
        is_same_stream = place.stream == segment.stream
        fault = Fault.RENAMED if record is None and is_same_stream else Fault.SWAPPED
        return Finding.of(fault, segment, f"it holds {place}, of {_shown(place.start_ms)}")
    if record is None:
        return Finding.of(Fault.UNCHAINED, segment, _UNCHAINED)
    if segment.size_bytes < record.size_bytes:
        note = f"{segment.size_bytes} of {record.size_bytes} bytes are left"
        return Finding.of(Fault.TRUNCATED, segment, note)
    note = "" if segment.size_bytes == record.size_bytes else "it has become longer"
    return Finding.of(Fault.ALTERED, segment, note)


def _shown(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _missing(chain: CheckedChain, stream: str, record: Segment, moved: set[Place]) -> Finding:
    name = StreamName(chain.camera, stream)
    place = Place(name, record.sequence, record.start_ms)
    note = "it lies elsewhere in the store, see there" if place in moved else ""
    path = f"{hour_directory(name, record.start_ms)}/{recorded_name(record)}"
    return Finding(Fault.MISSING, note, chain.camera, stream, record.sequence, record.start_ms, path)
