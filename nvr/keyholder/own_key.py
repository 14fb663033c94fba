"""A member's own key file: what it is, and a new passphrase for it.

Rules:
- The file is replaced whole, after the new one was read back and opened; until then the old one stays.
- Nothing secret is ever shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from crypto.errors import BadIdentity
from crypto.header import RandomBytes
from crypto.member_key import member_public
from nvr.errors import NvrError, StoreTrouble, UsageFault
from nvr.keyholder.given import check_identity, holder_of, is_sheet, unwrapped_text
from nvr.keyholder.key_file import wrapped
from pipeline.durable import fsync_directory


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """What others may know of a key. `root` is None when the file names no household."""

    recipient: str
    member_key: bytes
    root: bytes | None


def public_half(given: str, passphrases: Iterable[str]) -> PublicHalf:
    """What a key file or a sheet is, without what is secret. Raises as `holder_of`."""
    holder = holder_of(given, passphrases)
    identity = holder.identities[0]
    try:
        return PublicHalf(str(identity.recipient), member_public(identity), holder.root)
    except BadIdentity as fault:
        raise UsageFault(str(fault)) from None


def rewrap(
    file: Path, passphrases: Iterable[str], choose: Callable[[], str], random: RandomBytes = os.urandom
) -> str:
    """Seals the key file with another passphrase, chosen only once the file is open, and gives it.

    Raises `UsageFault`, `NothingOpened`, `StoreTrouble`.
    """
    file = file.expanduser().resolve()
    text, _ = unwrapped_text(file, passphrases)
    if is_sheet(file):
        raise UsageFault(f"{file} is a recovery sheet, which has no passphrase.")
    check_identity(text, str(file))
    fresh = choose()
    beside = file.with_name(f".{file.name}.new")
    try:
        _replace(file, beside, wrapped(text, fresh, random), text, fresh)
    except OSError as fault:
        raise StoreTrouble(f"Cannot write {fault.filename or file}: {fault.strerror}.") from None
    finally:
        beside.unlink(missing_ok=True)
    return fresh


def _replace(file: Path, beside: Path, content: str, text: str, fresh: str) -> None:
    beside.unlink(missing_ok=True)  # what a crash left
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    if unwrapped_text(beside, [fresh])[0] != text:
        raise NvrError(f"{beside} does not read back; the disk may be failing. {file} is as it was.")
    beside.replace(file)
    fsync_directory(file.parent)
