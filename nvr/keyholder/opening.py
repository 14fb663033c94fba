"""From what a person holds to the identities that open footage.

A person gives a key file (wrapped by a passphrase or plain), a recovery sheet's HTML, a file or a line with
the sheet's text. With `store/keys/` it opens the generations of the groups that person is in; what it opens
stays in memory and is never written.

Rules:
- The manifest says which generations there are, and to which recipient each belongs. A wrapped identity that
  is another's, whoever put it there, is not used.
- A generation whose folder is gone was destroyed when its footage had expired, and is no fault.
- One generation that cannot be opened keeps nobody from the others; it is told of when footage needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crypto.errors import BadIdentity, CryptoError, WrongIdentity
from crypto.identity import Identity, parse_identities
from crypto.unseal import unseal_bytes
from nvr.errors import NothingOpened, NvrError, StoreTrouble
from nvr.keyholder.given import Holder, holder_of
from nvr.keyholder.wrapped_files import wrapped_file
from pipeline.household.files import read_household
from pipeline.household.model import Generation, Manifest, Member, Pin
from pipeline.names import KEYS
from pipeline.plain_file import read_plain

__all__ = ["Holder", "OpenedGroup", "Opening", "footage_identities", "holder_of", "open_generations"]


@dataclass(frozen=True, slots=True)
class OpenedGroup:
    """One generation of a group whose identity a member's identity has opened."""

    group: str
    generation: int
    identity: Identity = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a person's identities open. `member` is None for a group's own identity, unwrapped before.

    `faults` are sentences about generations that should have opened, and did not.
    """

    member: Member | None
    groups: tuple[OpenedGroup, ...]
    faults: tuple[str, ...] = ()

    def identity(self, group: str, number: int) -> Identity | None:
        """The identity of that generation, if it opened."""
        found = (one.identity for one in self.groups if (one.group, one.generation) == (group, number))
        return next(found, None)


def footage_identities(given: str, store_root: Path, passphrases: Iterable[str]) -> list[Identity]:
    """What opens a store's footage, from what a person gave; raises as `holder_of` and `open_generations`."""
    holder = holder_of(given, passphrases)
    pin = Pin(holder.root) if holder.root else None
    opened = open_generations(store_root, read_household(store_root, pin).manifest, holder.identities)
    return [one.identity for one in opened.groups]


def open_generations(store_root: Path, manifest: Manifest, identities: Sequence[Identity]) -> Opening:
    """Every generation that these identities open, in order of groups and numbers.

    Raises `StoreTrouble` when the store's keys are not there, `NothingOpened` when none of them opens.
    """
    if not (store_root / KEYS).is_dir():
        raise StoreTrouble(
            f"{store_root / KEYS} is not there, so nothing here can be opened; is the store mounted?"
        )
    member, identity = member_among(manifest, identities)
    own = tuple(_given_itself(manifest, identities))
    opened: list[OpenedGroup] = []
    faults: list[str] = []
    if member is not None and identity is not None:
        for name, generation in _of_member(manifest, member):
            try:
                opened += _opened(store_root, name, generation, member, identity)
            except _Refused as fault:
                faults.append(str(fault))
    if not opened and not own:
        raise _nothing(manifest, member, faults)
    return Opening(member, (*own, *opened), tuple(faults))


def member_among(
    manifest: Manifest, identities: Sequence[Identity]
) -> tuple[Member, Identity] | tuple[None, None]:
    """The member whose recipient one of these identities has, and that identity."""
    members = {one.recipient: one for one in manifest.members}
    for identity in identities:
        member = members.get(str(identity.recipient))
        if member is not None:
            return member, identity
    return None, None


class _Refused(Exception):
    """A generation that should open, and does not."""


def _of_member(manifest: Manifest, member: Member) -> Iterator[tuple[str, Generation]]:
    for group in manifest.groups:
        if group.name in member.groups:
            for generation in group.generations:
                yield group.name, generation


def _given_itself(manifest: Manifest, identities: Sequence[Identity]) -> Iterator[OpenedGroup]:
    """The generations whose own identity a person gave, unwrapped by hand before."""
    by_recipient = {str(identity.recipient): identity for identity in identities}
    for group in manifest.groups:
        for generation in group.generations:
            if generation.recipient in by_recipient:
                yield OpenedGroup(group.name, generation.number, by_recipient[generation.recipient])


def _opened(
    store_root: Path, group: str, generation: Generation, member: Member, identity: Identity
) -> list[OpenedGroup]:
    """The generation; none when it was destroyed. Raises _Refused."""
    file = wrapped_file(store_root, group, generation.number, member.name)
    what = f"generation {generation.number} of {group}"
    if not file.parent.is_dir():
        return []
    try:
        text = unseal_bytes(read_plain(file), [identity]).decode("ascii")
        found = parse_identities(text)[0]
    except OSError as fault:
        raise _Refused(
            f"{file} is missing or cannot be read ({fault.strerror}), so {what} cannot be opened: "
            "copy it back from a backup, or use another member's key."
        ) from None
    except WrongIdentity:
        raise _Refused(
            f"{file} is sealed to somebody else than {member.name}, so {what} cannot be opened: it was "
            "exchanged. Copy it back from a backup, or use another member's key."
        ) from None
    except (CryptoError, BadIdentity, UnicodeDecodeError):
        raise _Refused(
            f"{file} is damaged, so {what} cannot be opened: copy it back from a backup, or use another "
            "member's key."
        ) from None
    if str(found.recipient) != generation.recipient:
        raise _Refused(
            f"{file} holds another identity than that of {what}: it was exchanged. Copy it back from a "
            "backup, or use another member's key."
        )
    return [OpenedGroup(group, generation.number, found)]


def _nothing(manifest: Manifest, member: Member | None, faults: Sequence[str]) -> NvrError:
    if faults:
        return NothingOpened(faults[-1])
    if member is not None:
        return NothingOpened(f"Nothing of what {member.name} may open is left: its footage has expired.")
    names = ", ".join(one.name for one in manifest.members)
    return NothingOpened(
        "This key opens none of the household's groups; was it made for another store, or removed? "
        f"Members with a key here: {names}."
    )
