"""From slices to runs: parts of a chain without a hole in them, and how far each is signed. Pure.

Rules:
- A record is signed when a signature of its file's day key stands behind it in the same run, or when the
  next file's START, to which the next day key's certificate is committed, goes on from it.
- Without a signature can be only what is newest in the bundle.
- A slice whose records or signatures do not fit is a finding, and nothing of it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crypto.errors import BadSignature
from crypto.signing import verify
from nvr.bundle.document import Document
from nvr.bundle.slices import Placed, Slice
from nvr.bundle.verdict import Finding
from pipeline.chain.records import DamagedRecord, Record, Signed, Start, signed_message

UNSIGNED_END = (
    "What stands at its end bears no signature, though the recorder has signed later: it was made up, or "
    "what came behind it was left out."
)


@dataclass(frozen=True, slots=True)
class DayKey:
    """A day key whose certificate was verified: its public half, and the STARTs it was certified with."""

    public: bytes
    commitments: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Known:
    """A record of the chain, and whether the recorder's signature covers it."""

    record: Record
    signed: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Records that follow each other, over one file or several; `start` is that of the first file.

    `whole_file`: the first record is the first of its file.
    """

    start: Start
    whole_file: bool
    records: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class _Checked:
    path: str
    piece: Slice
    placed: tuple[Placed, ...]
    signed: int  # so many of the records, from the first

    @property
    def head(self) -> bytes:
        return self.placed[-1].head if self.placed else self.piece.head

    @property
    def count(self) -> int:
        return self.placed[-1].count if self.placed else self.piece.count


def check_slices(
    slices: Mapping[str, bytes], document: Document, day_keys: Mapping[int, DayKey]
) -> tuple[list[Run], list[Finding]]:
    """The runs in the bundle's slices by path, and what is wrong with which slice."""
    checked, findings = [], []
    for path, data in slices.items():
        try:
            checked.append(_check(path, data, document, day_keys))
        except (DamagedRecord, BadSignature, KeyError) as fault:
            findings.append(Finding(path, _sentence(fault)))
    checked.sort(key=lambda one: (one.piece.start.number, one.piece.count))
    runs = _joined(checked)
    findings += _without_end(runs, day_keys)
    return [_run(run) for run in runs], findings


def _without_end(runs: Sequence[Sequence[_Checked]], day_keys: Mapping[int, DayKey]) -> list[Finding]:
    """Only the newest records can be unsigned: where a later day key, or a later part of the same file, is
    here, a run that ends so was made up, or its end was kept back.
    """
    found = []
    for place, run in enumerate(runs):
        last, number = run[-1], run[-1].piece.start.number
        goes_on = place + 1 < len(runs) and runs[place + 1][0].piece.start == last.piece.start
        if last.signed < len(last.placed) and (number + 1 in day_keys or goes_on):
            found.append(Finding(last.path, UNSIGNED_END))
    return found


def _sentence(fault: Exception) -> str:
    if isinstance(fault, BadSignature):
        return (
            "A signature in it is not that of its day key: the chain was changed, or another key signed it."
        )
    if isinstance(fault, KeyError):
        return f"No certificate says whose day key {fault.args[0]} is, so nothing in it is proven."
    text = str(fault)
    return f"It is no part of the chain: {text}."


def _check(path: str, data: bytes, document: Document, day_keys: Mapping[int, DayKey]) -> _Checked:
    piece = Slice.parse(data)
    start = piece.start
    if (start.device, start.camera) != (document.device, document.camera):
        raise DamagedRecord(f"it is of the camera {start.camera}, or of another recorder")
    day_key = day_keys[start.number]
    if start.count and start.digest not in day_key.commitments:
        raise DamagedRecord(f"day key {start.number} was not certified with the START that it begins with")
    placed = tuple(piece.placed())
    signed = 0
    for number, one in enumerate(placed, 1):
        if isinstance(one.record, Signed):
            message = signed_message(start.digest, one.before, one.record.at_ms)
            verify(day_key.public, one.record.signature, message)
            signed = number
    return _Checked(path, piece, placed, signed)


def _joined(checked: Sequence[_Checked]) -> list[list[_Checked]]:
    runs: list[list[_Checked]] = []
    for one in checked:
        if runs and _goes_on(runs[-1][-1], one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _goes_on(before: _Checked, after: _Checked) -> bool:
    if before.piece.start == after.piece.start:
        return (after.piece.count, after.piece.head) == (before.count, before.head)
    start = after.piece.start
    return after.piece.begins_the_file and (start.count, start.head) == (before.count, before.head)


def _run(run: list[_Checked]) -> Run:
    known: list[Known] = []
    for number, one in enumerate(run):
        goes_on = number + 1 < len(run)
        same_file = goes_on and run[number + 1].piece.start == one.piece.start
        # Another file's START was checked against what its certificate, signed by this day's key, commits to.
        covered = len(one.placed) if goes_on and not same_file else one.signed
        if same_file and run[number + 1].signed:
            covered = len(one.placed)
        known += [Known(placed.record, at < covered) for at, placed in enumerate(one.placed)]
    first = run[0].piece
    return Run(first.start, first.begins_the_file, tuple(known))
