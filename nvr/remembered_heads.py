"""The heads that members remember: countersigned in the store, or in a file that somebody kept.

A signed head counts only if that member signed it; one without a signature is as good as whoever kept it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crypto.errors import BadSignature
from crypto.signing import SignedLine
from nvr.errors import NvrError, UsageFault
from nvr.local_zone import local_zone
from nvr.times import show
from pipeline import walk
from pipeline.chain.heads import PURPOSE, Heads, NotAHead, parse_heads
from pipeline.household.files import Household
from pipeline.key_names import head_file
from pipeline.names import HEADS, KEYS, NotAName
from pipeline.plain_file import read_plain


@dataclass(frozen=True, slots=True)
class Remembered:
    """Heads by what they are called in findings, and a sentence for each that does not count."""

    heads: dict[str, Heads]
    notes: tuple[str, ...] = ()


def in_store(root: Path, device: bytes, household: Household | None) -> Remembered:
    """The countersigned heads of this device that lie in the store. Raises OSError."""
    heads: dict[str, Heads] = {}
    notes = []
    for entry in sorted(walk.entries(root / KEYS / HEADS), key=lambda entry: entry.name):
        path = root / KEYS / HEADS / entry.name
        try:
            head_file(entry.name)
            found, line = parse_heads(read_plain(path))
            if line is None or household is None or not is_members(found, line, household):
                raise NotAHead("no member signed it.")
        except OSError as fault:
            notes.append(f"{path} is passed over: it cannot be read ({(fault.strerror or '').lower()}).")
            continue
        except (NotAHead, NotAName) as fault:
            notes.append(f"{path} is passed over: {fault}")
            continue
        if found.device == device:
            heads[called(found)] = found
    return Remembered(heads, tuple(notes))


def in_files(files: Iterable[Path], device: bytes, household: Household | None) -> dict[str, Heads]:
    """The heads in these files. Raises UsageFault for one that is none, of another device or cannot be read,
    NvrError for a signature that does not hold.
    """
    heads = {}
    for file in files:
        try:
            found, line = parse_heads(file.read_bytes())
        except NotAHead as fault:
            raise UsageFault(f"{file}: {fault}") from None
        except OSError as fault:
            raise UsageFault(f"Cannot read the head {file}: {fault.strerror}.") from None
        if found.device != device or (household and found.root and found.root != household.root.hex()):
            raise UsageFault(f"{file} is the head of another recorder or household than this store's.")
        if line is not None and (household is None or not is_members(found, line, household)):
            raise NvrError(
                f"{file} was not signed by {found.by or 'anybody'} of this household: it was changed."
            )
        heads[called(found) if line is not None else str(file)] = found
    return heads


def is_members(heads: Heads, line: SignedLine, household: Household) -> bool:
    """Whether a member of that name, in any version of the household, signed it."""
    for version in household.versions:
        member = version.manifest.member(heads.by)
        if member is not None and member.member_key:
            try:
                line.check(PURPOSE, member.member_key)
            except BadSignature:
                continue
            return True
    return False


def called(heads: Heads) -> str:
    """Who remembers, and since when."""
    made = datetime.fromtimestamp(heads.made_ms / 1000, UTC)
    return f"{heads.by or 'whoever made the head'} ({show(made, local_zone())})"
