"""From what a person holds to the identities that open footage.

A person gives a key file (wrapped by a passphrase or plain), a recovery sheet's HTML, a file or a line with
the sheet's text. With `store/keys/` it opens the household's groups; what it opens stays in memory and is
never written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crypto.armor import dearmor
from crypto.errors import BadIdentity, CryptoError, DamagedArmor, WrongIdentity
from crypto.identity import Identity, ScryptIdentity, parse_identities
from crypto.recipient import Recipient
from crypto.unseal import unseal_bytes
from nvr.errors import NothingOpened, NvrError, StoreTrouble, UsageFault
from nvr.keyholder.recovery_sheet import identity_in_sheet
from pipeline.names import KEYS

_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_AGE = b"age-encryption.org/"
_SECRET_PREFIX = "AGE-SECRET-KEY-"  # noqa: S105 - what every identity's text begins with
_LARGEST_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class OpenedGroup:
    """One generation of a group whose identity a member's identity has opened."""

    group: str
    generation: int
    identity: Identity = field(repr=False)


def footage_identities(given: str, store_root: Path, passphrases: Iterable[str]) -> list[Identity]:
    """What opens a store's footage, from what a person gave; raises as the two functions below."""
    return [opened.identity for opened in open_groups(store_root, member_identities(given, passphrases))]


def member_identities(given: str, passphrases: Iterable[str]) -> list[Identity]:
    """The identities in a file (or in the text itself, when it is one).

    `passphrases` are tried one after the other, and drawn from only when the file is wrapped.
    Raises `UsageFault` for what is no identity, `NothingOpened` when no passphrase fits.
    """
    if given.strip().upper().startswith(_SECRET_PREFIX):
        return _parse(given.strip().upper(), "That text")
    file = Path(given).expanduser()
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_FILE_BYTES)
    except OSError as fault:
        raise UsageFault(f"Cannot read the identity file {file}: {fault.strerror}.") from None
    if data.lstrip().startswith((_ARMOR, _AGE)):
        data = _unwrap(file, data, passphrases)
    return _parse(_text_of(file, data), str(file))


def open_groups(store_root: Path, identities: Sequence[Identity]) -> tuple[OpenedGroup, ...]:
    """Every generation of every group that these identities open, oldest first.

    Raises `StoreTrouble` when the store has no keys, `NothingOpened` when none of them opens.
    """
    generations = sorted(_generations(store_root), key=lambda found: found[:2])
    if not generations:
        raise StoreTrouble(
            f"{store_root / KEYS} holds no keys, so nothing here can be opened; is the store mounted?"
        )
    opened = []
    for group, generation, folder in generations:
        identity = _open_generation(folder, identities)
        if identity is not None:
            opened.append(OpenedGroup(group, generation, identity))
    if not opened:
        raise NothingOpened(
            "This key opens none of the household's groups; was it made for another store? "
            f"Members with a key here: {', '.join(_members(generations)) or 'none'}."
        )
    return tuple(opened)


def _generations(store_root: Path) -> list[tuple[str, int, Path]]:
    folders = (store_root / KEYS).glob("*/*")
    return [(f.parent.name, int(f.name), f) for f in folders if f.name.isdecimal() and f.is_dir()]


def _members(generations: Iterable[tuple[str, int, Path]]) -> list[str]:
    return sorted({file.stem for _, _, folder in generations for file in folder.glob("*.age")})


def _open_generation(folder: Path, identities: Sequence[Identity]) -> Identity | None:
    """The group's identity; it may itself be among those given (unwrapped by hand before)."""
    recipient_file = folder / "recipient.txt"
    recipient = recipient_file.read_text("utf-8").strip() if recipient_file.is_file() else ""
    for identity in identities:
        if recipient and recipient == _recipient_text(identity):
            return identity
    for file in sorted(folder.glob("*.age")):
        try:
            text = unseal_bytes(file.read_bytes(), identities).decode("ascii")
        except WrongIdentity:
            continue
        except (CryptoError, UnicodeDecodeError):
            raise NvrError(
                f"{file} is damaged; copy it back from a backup, or use another member's key."
            ) from None
        return _parse(text, str(file))[0]
    return None


def _recipient_text(identity: Identity) -> str:
    recipient: Recipient | None = getattr(identity, "recipient", None)
    return str(recipient) if recipient is not None else ""


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


def _text_of(file: Path, data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageFault(f"{file} is not an identity file, nor a recovery sheet.") from None
    if text.lstrip()[:15].lower().startswith(("<!doctype", "<html")):
        found = identity_in_sheet(text)
        if found is None:
            raise UsageFault(f"{file} is a web page without an identity in it.")
        return found
    return text


def _parse(text: str, what: str) -> list[Identity]:
    try:
        identities = parse_identities(text)
    except BadIdentity:
        identities = []
    if not identities:
        raise UsageFault(
            f"{what} is not an identity; give a key file, a recovery sheet, or the sheet's text."
        )
    return identities
