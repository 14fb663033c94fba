"""Reads chains from a store, or from anywhere their files were copied to. Looks, and changes nothing.

A file's end may be torn: what a power cut leaves is no more than one record's worth of bytes, or zeros.
Anything else that is no record is damage, and what comes behind it proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline import walk
from pipeline.chain.folding import Fold
from pipeline.chain.records import LONGEST_RECORD, DamagedRecord, Record, Start, read_record
from pipeline.names import CHAIN, NotAName, chain_number, chain_path
from pipeline.plain_file import read_plain


def chain_numbers(root: Path, camera: str) -> list[int]:
    """The numbers of the camera's chain files, lowest first."""
    found = []
    for entry in walk.entries(root / camera / CHAIN):
        try:
            number = chain_number(entry.name)
            if entry.is_file(follow_symlinks=False):
                found.append(number)
        except NotAName:
            continue
    return sorted(found)


class ChainFile:
    """The records in a file's bytes. After iterating: `fold` (None without a START), where it stopped (`at`),
    and the `fault` that stopped it, None at the end.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.fold: Fold | None = None
        self.at = 0
        self.fault: DamagedRecord | None = None

    def __iter__(self) -> Iterator[Record]:
        while self.at < len(self.data):
            try:
                record = self._next()
            except DamagedRecord as fault:
                self.fault = fault
                return
            yield record

    def _next(self) -> Record:
        if self.fold is not None:
            record, self.at = self.fold.read(self.data, self.at)
            return record
        found = read_record(self.data, 0, None)
        if not isinstance(found.record, Start):
            raise DamagedRecord("the file does not begin with a START")
        self.fold, self.at = Fold(found.record), found.end
        return found.record

    def read_out(self) -> Fold | None:
        """The standing after all of it."""
        for _ in self:
            pass
        return self.fold

    @property
    def is_torn(self) -> bool:
        """Whether the rest is only what a power cut leaves."""
        rest = self.data[self.at :]
        return len(rest) <= LONGEST_RECORD or not any(rest)


def read_chain_file(root: Path, camera: str, number: int) -> ChainFile:
    """A file of the camera's chain. Raises OSError."""
    return ChainFile(read_plain(root / chain_path(camera, number)))


def readable_files(root: Path, camera: str, first: int = 0) -> Iterator[ChainFile]:
    """Those of the camera's chain from the number `first` on; what cannot be read is passed over."""
    for number in chain_numbers(root, camera):
        if number >= first:
            try:
                file = read_chain_file(root, camera, number)
            except OSError:
                continue
            yield file


def newest_fold(root: Path, camera: str, up_to: int | None = None) -> Fold | None:
    """Where the camera's chain stands, or stood in the file numbered `up_to` or the last before it. None
    without any. Raises OSError.
    """
    for number in reversed(chain_numbers(root, camera)):
        if up_to is None or number <= up_to:
            fold = read_chain_file(root, camera, number).read_out()
            if fold is not None and (fold.number, fold.start.camera) == (number, camera):
                return fold
    return None
