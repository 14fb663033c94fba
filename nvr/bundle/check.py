"""The check of a bundle, from a folder to a verdict. Needs the folder alone: no identity, store or network.

Rules:
- Each fault is named by the file that it is in, one sentence a file, and looking goes on behind it.
- What the exporter says is believed once a member of the household signed it; what the recorder says, once
  day keys that the household's owners listed signed it. One's word is never taken for the other's.
- A bundle of another household than the one named is refused, whatever else is right with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from nvr.bundle.completeness import expired_in, last_signed_ms, recorded, stream_proof
from nvr.bundle.day_keys import day_keys_of
from nvr.bundle.document import BadDocument, Document, parse_document
from nvr.bundle.files import BundleFolder
from nvr.bundle.layout import CERTIFICATES, DOCUMENT, SUMS, manifest_path, slice_place
from nvr.bundle.members import is_signed_by_member, read_versions
from nvr.bundle.runs import Run, check_slices
from nvr.bundle.segments import compare_segments, left_out
from nvr.bundle.sums import parse_sums, sums_text
from nvr.bundle.verdict import Finding, Verdict
from nvr.errors import NvrError, UsageFault
from pipeline.household.errors import HouseholdError
from pipeline.household.files import Household
from pipeline.household.fingerprint import fingerprint, given_fingerprint

CHANGED = "It was changed: it is not the file that the exporter signed."
MISSING = "It is missing."
UNSIGNED = "It was changed, or a stranger made it: no member of the household that is here signed it."
ADDED = "It does not belong to the bundle: it was added, or renamed."


class OtherHousehold(NvrError):
    """The bundle is of another household than the one that was named."""


def check_bundle(folder: Path, root: str | None = None) -> Verdict:
    """What there is to say of the bundle in `folder`; `root` is the household's fingerprint, if known.

    Raises UsageFault where there is no bundle or `root` is no fingerprint, OtherHousehold, OSError.
    """
    wanted = _wanted(root)
    place = BundleFolder(folder)
    try:
        document, line = parse_document(place.read(DOCUMENT))
    except FileNotFoundError:
        return _without_document(place, Finding(DOCUMENT, MISSING))
    except BadDocument as fault:
        return _without_document(place, Finding(DOCUMENT, str(fault)))
    household, broken = read_versions(place)
    _refuse_other(household.root if household else document.root, wanted)
    if household and not is_signed_by_member(household, document, line) and broken is None:
        return _without_document(place, Finding(DOCUMENT, UNSIGNED))
    return _Check(place, document, household, broken).verdict(root_given=bool(wanted))


def _refuse_other(root: bytes, wanted: str) -> None:
    if not root.hex().startswith(wanted):
        raise OtherHousehold(
            f"This bundle is of another household: its fingerprint is {fingerprint(root)}. "
            "Do not take it for the one that you were told of."
        )


def _wanted(root: str | None) -> str:
    try:
        return given_fingerprint(root) if root is not None else ""
    except HouseholdError as fault:
        text = str(fault)
        raise UsageFault(f"{text[:1].upper()}{text[1:]}.") from None


def _without_document(place: BundleFolder, fault: Finding) -> Verdict:
    """Says at least which files are not as SHA256SUMS has them, which anybody could have written."""
    sums = parse_sums(place.read(SUMS)) if (place.root / SUMS).is_file() else {}
    return Verdict(None, "", False, (fault, *(_compare(place, sums) if sums else ())))


def _compare(place: BundleFolder, files: Mapping[str, str]) -> list[Finding]:
    """Every file against its digest, and whether there are others. Raises OSError."""
    found = {entry.path: entry for entry in place.entries() if entry.path not in (SUMS, DOCUMENT)}
    findings = [Finding(path, MISSING) for path in files if path not in found]
    for path, entry in found.items():
        if path not in files or not entry.is_regular:
            findings.append(Finding(path, ADDED))
        elif place.digest(path) != files[path]:
            findings.append(Finding(path, CHANGED))
    return findings


class _Check:
    """One check on its way, and what was found so far."""

    def __init__(
        self, place: BundleFolder, document: Document, household: Household | None, broken: Finding | None
    ) -> None:
        self._place = place
        self._document = document
        self._household = household
        self._findings: dict[str, Finding] = {}
        self._note([broken] if broken else [])
        if household is None and broken is None:
            self._note([Finding(manifest_path(1), MISSING)])

    def verdict(self, *, root_given: bool) -> Verdict:
        """All of it, in the order in which one thing is needed to believe the next."""
        document = self._document
        self._note(self._sums())
        self._note(_compare(self._place, document.files))
        household = self._household
        runs = self._chain(household) if household else []
        found = recorded(runs, document.streams)
        present, faults = compare_segments(
            self._place, document, found, self._is_sound, whole_chain=self._has_whole_chain()
        )
        self._note(faults)
        tombstones = {stream: expired_in(runs, stream) for stream in document.streams}
        self._note(left_out(document, found, tombstones))
        return Verdict(
            document,
            fingerprint(document.root),
            root_given,
            tuple(self._findings[path] for path in sorted(self._findings)),
            tuple(stream_proof(document, one, runs, found, present) for one in document.streams),
            last_signed_ms(runs),
            tuple(one.name for one in household.manifest.members) if household else (),
        )

    def _note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._findings.setdefault(finding.path, finding)

    def _is_sound(self, path: str) -> bool:
        return path not in self._findings

    def _has_whole_chain(self) -> bool:
        """Whether what no record speaks of has none: not if the fault lies with the chain's own files."""
        proof = [CERTIFICATES, *filter(slice_place, self._document.files)]
        return self._household is not None and all(map(self._is_sound, proof))

    def _sums(self) -> list[Finding]:
        try:
            text = self._place.read(SUMS)
        except FileNotFoundError:
            return [Finding(SUMS, MISSING)]
        return [] if text == sums_text(self._document.files) else [Finding(SUMS, CHANGED)]

    def _chain(self, household: Household) -> list[Run]:
        document = self._document
        if CERTIFICATES not in document.files:
            self._note([Finding(CERTIFICATES, MISSING)])
        if not self._is_sound(CERTIFICATES):
            return []
        certificates = self._place.read(CERTIFICATES)
        day_keys, faults = day_keys_of(certificates, household.manifest, document.device)
        self._note(faults)
        paths = [path for path in document.files if slice_place(path) and self._is_sound(path)]
        slices = {path: self._place.read(path) for path in paths}
        runs, faults = check_slices(slices, document, day_keys)
        self._note(faults)
        return runs
