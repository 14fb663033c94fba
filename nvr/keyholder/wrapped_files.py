"""The wrapped identities in the store: `keys/<group>/<generation>/<member>.age`. Everything here blocks.

Rules:
- A file is written before the manifest that needs it, and removed after the manifest that needs it no more: a
  crash leaves at most files that nobody is promised, which the next change overwrites or removes.
- All of a change become durable by one syncfs, not one fsync each.
- A generation whose folder is gone was destroyed, since its footage has expired: it is never made again.
- Whatever was sealed to (it has a `.used` mark) keeps its folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from crypto.header import RandomBytes
from crypto.identity import Identity
from crypto.recipient import Recipient, parse_recipient
from crypto.seal import seal_bytes
from nvr.errors import AlreadyRunning
from pipeline.durable import sync_file_system
from pipeline.household.model import Manifest
from pipeline.key_names import generation_directory, wrapped_name
from pipeline.names import KEYS, RESERVED_GROUPS

SUFFIX = ".age"
USED_SUFFIX = ".used"


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A generation's identity, to be sealed to a member."""

    group: str
    number: int
    member: str
    recipient: str
    identity: Identity = field(repr=False)

    def path(self, store_root: Path) -> Path:
        """Where it lies."""
        return wrapped_file(store_root, self.group, self.number, self.member)

    def sealed(self, random: RandomBytes) -> bytes:
        """What lies there: the identity's text and a line feed, as an age file."""
        return seal_bytes(f"{self.identity}\n".encode(), [_recipient(self.recipient)], random)


@functools.lru_cache(maxsize=256)
def _recipient(text: str) -> Recipient:
    """A hybrid recipient takes milliseconds to read, and each member's is needed for every generation."""
    return parse_recipient(text)


def generation_folder(store_root: Path, group: str, number: int) -> Path:
    """The folder of a generation."""
    return store_root / generation_directory(group, number)


def wrapped_file(store_root: Path, group: str, number: int, member: str) -> Path:
    """A member's wrapped identity of a generation."""
    return generation_folder(store_root, group, number) / wrapped_name(member)


def used_generations(store_root: Path, manifest: Manifest) -> dict[str, AbstractSet[int]]:
    """For each group the generations that a recorder has sealed to, by its marks."""
    return {
        group.name: {
            number
            for number, folder in _numbered(store_root / KEYS / group.name)
            if any(entry.name.endswith(USED_SUFFIX) for entry in _entries(folder))
        }
        for group in manifest.groups
    }


def write_wrapped(
    store_root: Path, wrappings: Sequence[Wrapping], made: AbstractSet[tuple[str, int]], random: RandomBytes
) -> None:
    """Writes them durably. Folders are made for the generations in `made` only. Raises OSError."""
    for group, number in sorted(made):
        for folder in (store_root / KEYS / group, generation_folder(store_root, group, number)):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(0o755)
                give_to_owner(store_root, folder)
    for one in wrappings:
        path = one.path(store_root)
        if path.parent.is_dir():
            _write(store_root, path, one.sealed(random))
    sync_keys(store_root)


def _write(store_root: Path, path: Path, content: bytes) -> None:
    """Under another name first: a reader finds all of it or nothing."""
    fresh = path.with_name(f".{path.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    with os.fdopen(handle, "wb") as opened:
        opened.write(content)
    give_to_owner(store_root, fresh)
    fresh.replace(path)


def sweep(store_root: Path, manifest: Manifest) -> None:
    """Removes what the manifest has no place for: a leaver's files, generations that were dropped.

    What cannot be removed now is left for the next change.
    """
    folders = [one for one in _folders(store_root / KEYS) if one.name not in RESERVED_GROUPS]
    for group_folder in folders:
        group = manifest.group(group_folder.name)
        members = {one.name for one in manifest.members_of(group_folder.name)}
        for number, folder in _numbered(group_folder):
            known = group is not None and group.generation(number) is not None
            _sweep_folder(folder, members if known else set(), known=known)
        if group is None:
            with contextlib.suppress(OSError):  # most often because it is not empty: it is no group's
                group_folder.rmdir()
    with contextlib.suppress(OSError):
        sync_keys(store_root)


def _sweep_folder(folder: Path, members: AbstractSet[str], *, known: bool) -> None:
    with contextlib.suppress(OSError):
        entries = _entries(folder)
        used = any(entry.name.endswith(USED_SUFFIX) for entry in entries)
        for entry in entries:
            is_leftover = entry.name.endswith(f"{SUFFIX}.new")
            is_stranger = entry.name.endswith(SUFFIX) and entry.name.removesuffix(SUFFIX) not in members
            if is_leftover or (is_stranger and (known or not used)):
                Path(entry.path).unlink()
        if not known and not used:
            folder.rmdir()


def sync_keys(store_root: Path) -> None:
    """Makes everything in the store's folder for keys durable. Raises OSError."""
    descriptor = os.open(store_root / KEYS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_file_system(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def changing_alone(store_root: Path) -> Iterator[None]:
    """Only one change at a time. Raises AlreadyRunning, OSError.

    Where a folder cannot be locked (some network file systems), the version's name decides alone.
    """
    descriptor = os.open(store_root / KEYS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                "Somebody else is changing the household just now; run it again in a moment."
            ) from None
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)


def give_to_owner(store_root: Path, path: Path) -> None:
    """What root makes in somebody's store is to be theirs: the supervisor destroys it one day."""
    if os.geteuid() == 0:
        owner = (store_root / KEYS).stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _numbered(folder: Path) -> Iterable[tuple[int, Path]]:
    return [(int(one.name), one) for one in _folders(folder) if one.name.isdecimal()]


def _folders(folder: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(folder) if entry.is_dir(follow_symlinks=False)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []
