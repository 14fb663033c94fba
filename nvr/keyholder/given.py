"""What a person holds, as they give it: a key file, a recovery sheet, its text in a file or on the line.

Rules:
- A passphrase is asked for only when the file is wrapped.
- What is no identity is refused in one sentence, which never repeats what was given: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from crypto.armor import dearmor
from crypto.errors import BadIdentity, CryptoError, DamagedArmor, WrongIdentity
from crypto.identity import Identity, ScryptIdentity, parse_identities
from crypto.unseal import unseal_bytes
from nvr.errors import NothingOpened, UsageFault
from nvr.keyholder.key_file import root_in
from nvr.keyholder.recovery_sheet import identity_in_sheet

_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_AGE = b"age-encryption.org/"
_SECRET_PREFIX = "AGE-SECRET-KEY-"  # noqa: S105 - what every identity's text begins with
_LARGEST_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Holder:
    """The identities that a person gave, and the household that stands beside them (None: it says none)."""

    identities: tuple[Identity, ...] = field(repr=False)
    root: bytes | None = None


def holder_of(given: str, passphrases: Iterable[str]) -> Holder:
    """The identities in a file (or in the text itself, when it is one).

    `passphrases` are tried one after the other, and drawn from only when the file is wrapped.
    Raises `UsageFault` for what is no identity, `NothingOpened` when no passphrase fits.
    """
    if given.strip().upper().startswith(_SECRET_PREFIX):
        return Holder(_parse(given.strip().upper(), "That text"))
    file = Path(given).expanduser()
    text, root = unwrapped_text(file, passphrases)
    return Holder(_parse(text, str(file)), root)


def member_identities(given: str, passphrases: Iterable[str]) -> list[Identity]:
    """The identities alone; as `holder_of`."""
    return list(holder_of(given, passphrases).identities)


def unwrapped_text(file: Path, passphrases: Iterable[str]) -> tuple[str, bytes | None]:
    """The lines in a key file or the identity in a sheet, and the root beside it. Raises as `holder_of`."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_FILE_BYTES)
    except OSError as fault:
        raise UsageFault(f"Cannot read the identity file {file}: {fault.strerror}.") from None
    if is_wrapped(data):
        data = _unwrap(file, data, passphrases)
    return _text_of(file, data)


def check_identity(text: str, what: str) -> None:
    """Returns if the text is that of an identity file. Raises `UsageFault`."""
    _parse(text, what)


def is_sheet(file: Path) -> bool:
    """Whether this is a recovery sheet's page. Raises OSError."""
    with file.open("rb") as opened:
        return _is_page(opened.read(400).decode("utf-8", "replace"))


def is_wrapped(data: bytes) -> bool:
    """Whether this looks like a sealed file."""
    return data.lstrip().startswith((_ARMOR, _AGE))


def _unwrap(file: Path, data: bytes, passphrases: Iterable[str]) -> bytes:
    try:
        sealed = dearmor(data.decode("ascii")) if data.lstrip().startswith(_ARMOR) else data
        if b"\n-> scrypt " not in sealed[:80]:
            raise UsageFault(f"{file} is sealed, but not by a passphrase: it is not a member's key file.")
        for passphrase in passphrases:
            try:
                return unseal_bytes(sealed, [ScryptIdentity(passphrase)])
            except WrongIdentity:
                continue
    except (DamagedArmor, UnicodeDecodeError):
        raise UsageFault(f"{file} is damaged: its text was changed or cut off.") from None
    except CryptoError:
        raise UsageFault(f"{file} is damaged: it is not a whole key file any more.") from None
    raise NothingOpened(f"That passphrase does not open {file}.")


def _text_of(file: Path, data: bytes) -> tuple[str, bytes | None]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageFault(f"{file} is not an identity file, nor a recovery sheet.") from None
    if _is_page(text):
        found = identity_in_sheet(text)
        if found is None:
            raise UsageFault(f"{file} is a web page without an identity in it.")
        return found, root_in(text)
    return text, root_in(text)


def _is_page(text: str) -> bool:
    return text.lstrip()[:15].lower().startswith(("<!doctype", "<html"))


def _parse(text: str, what: str) -> tuple[Identity, ...]:
    try:
        identities = parse_identities(text)
    except BadIdentity as fault:
        raise _no_identity(text, what, fault) from None
    return tuple(identities)


def _no_identity(text: str, what: str, fault: BadIdentity) -> UsageFault:
    """A sheet typed with a wrong letter is told from what never was one."""
    if any(line.strip().upper().startswith(_SECRET_PREFIX) for line in text.splitlines()):
        why = str(fault).partition(": ")[2].rstrip(".") or "it is damaged"
        return UsageFault(
            f"{what} is not an identity as it was printed: {why}. Scan it again, or find the wrong letter."
        )
    return UsageFault(f"{what} is not an identity; give a key file, a recovery sheet, or the sheet's text.")
