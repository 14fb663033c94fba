"""A household is made: its store and configuration, its group, its first member, its recovery sheet.

- Nothing is ever overwritten: what exists stops it before anything is written, and a failure half-way takes
  back what this call made.
- The group's identity is never written unsealed. The member's and the sheet's are secrets that belong
  elsewhere than on the recorder's disk.
- Both are read back and opened with before the household counts as made: a key that was never tried is a
  hope.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from crypto.armor import armor
from crypto.identity import HybridIdentity, X25519Identity
from crypto.recipient import Recipient, ScryptRecipient
from crypto.seal import seal_bytes
from nvr.config_edit import new_config
from nvr.config_file import FILE_NAME
from nvr.errors import NvrError, StoreTrouble, UsageFault
from nvr.keyholder.opening import member_identities, open_groups
from nvr.keyholder.recovery_sheet import SheetFacts, sheet_html
from pipeline.names import HOLDS, KEYS, STORE_FILE
from pipeline.store.layout import create

GROUP = "home"
STORE = "store"
SHEET_MEMBER = "recovery-sheet"
SHEET_FILE = "recovery-sheet.html"
WORK_FACTOR = 16

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class HouseholdPlan:
    """What to make in `directory`, and what in `keys_directory`, which should be elsewhere.

    An empty `passphrase` leaves the member's key file unwrapped. `now` is local time.
    """

    directory: Path
    keys_directory: Path
    member: str
    device: bytes
    now: datetime
    passphrase: str = field(default="", repr=False)
    post_quantum: bool = False

    @property
    def name(self) -> str:
        """What the household is called on the sheet."""
        return self.directory.name or "home"

    @property
    def config_file(self) -> Path:
        """The configuration."""
        return self.directory / FILE_NAME

    @property
    def store_root(self) -> Path:
        """Where sealed footage will lie."""
        return self.directory / STORE

    @property
    def key_file(self) -> Path:
        """The member's key file."""
        return self.keys_directory / f"{self.member}.key"

    @property
    def sheet_file(self) -> Path:
        """The recovery sheet."""
        return self.keys_directory / SHEET_FILE

    @property
    def generation_directory(self) -> Path:
        """Where the first generation's recipient and wrapped identities lie."""
        return self.store_root / KEYS / GROUP / "1"


def refuse_existing(plan: HouseholdPlan) -> None:
    """Raises `UsageFault` when something that would be written is there already."""
    for path in (plan.config_file, plan.store_root / STORE_FILE, plan.store_root / KEYS / GROUP):
        if path.exists():
            raise UsageFault(
                f"There is a household in {plan.directory} already ({path} exists). Choose another folder."
            )
    for path in (plan.key_file, plan.sheet_file):
        if path.exists():
            raise UsageFault(
                f"{path} exists already, and keys are never overwritten. Say --keys-to another folder."
            )


def make_household(plan: HouseholdPlan, random: RandomBytes = os.urandom) -> None:
    """Writes it all, the configuration last. Raises `UsageFault`, `StoreTrouble`."""
    refuse_existing(plan)
    make = HybridIdentity.generate if plan.post_quantum else X25519Identity.generate
    group, member, sheet = make(random), make(random), make(random)
    page = sheet_html(SheetFacts(str(sheet), str(sheet.recipient), plan.name, plan.device.hex(), plan.now))
    with _taken_back_on_failure() as made:
        made.folder(plan.keys_directory)
        made.file(plan.key_file, _key_file_text(member, plan, random))
        made.file(plan.sheet_file, page)
        _make_store(plan, made)
        folder = plan.generation_directory
        made.folder(folder, mode=0o755)
        made.file(folder / "recipient.txt", f"{group.recipient}\n", mode=0o644)
        for name, holder in ((plan.member, member), (SHEET_MEMBER, sheet)):
            made.file(folder / f"{name}.age", _sealed_to(holder.recipient, group, random), mode=0o644)
        _prove(plan, str(group))
        made.file(plan.config_file, new_config(STORE))


def _make_store(plan: HouseholdPlan, made: _Made) -> None:
    made.folder(plan.store_root)
    made.paths += [plan.store_root / name for name in (KEYS, HOLDS, STORE_FILE)]
    create(plan.store_root, plan.device, plan.now.astimezone(UTC))


def _sealed_to(recipient: Recipient, group: X25519Identity | HybridIdentity, random: RandomBytes) -> bytes:
    return seal_bytes(f"{group}\n".encode(), [recipient], random)


def _key_file_text(member: X25519Identity | HybridIdentity, plan: HouseholdPlan, random: RandomBytes) -> str:
    """An age identity file, wrapped if there is a passphrase; `age -d -i` takes either."""
    lines = f"# Sealed NVR: {plan.member}, household {plan.name}, {plan.now:%Y-%m-%d}\n{member}\n"
    if not plan.passphrase:
        return lines
    return armor(seal_bytes(lines.encode(), [ScryptRecipient(plan.passphrase, WORK_FACTOR)], random))


def _prove(plan: HouseholdPlan, group: str) -> None:
    """Opens the group from the files as they lie on the disk, once by each way in."""
    for file in (plan.key_file, plan.sheet_file):
        opened = open_groups(plan.store_root, member_identities(str(file), [plan.passphrase]))
        if [str(found.identity) for found in opened] != [group]:
            raise NvrError(f"{file} does not open what it should; the disk may be failing. Nothing was kept.")


class _Made:
    """What was created so far, newest last."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def folder(self, path: Path, mode: int = 0o700) -> None:
        missing = [parent for parent in (path, *path.parents) if not parent.exists()]
        for directory in reversed(missing):
            directory.mkdir(mode=mode)
            self.paths.append(directory)

    def file(self, path: Path, content: str | bytes, mode: int = 0o600) -> None:
        data = content.encode() if isinstance(content, str) else content
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        self.paths.append(path)
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())

    def take_back(self) -> None:
        for path in reversed(self.paths):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()

    def sync_folders(self) -> None:
        for folder in {path.parent for path in self.paths}:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


@contextlib.contextmanager
def _taken_back_on_failure() -> Iterator[_Made]:
    made = _Made()
    try:
        yield made
        made.sync_folders()
    except OSError as fault:
        made.take_back()
        raise StoreTrouble(f"Cannot write {fault.filename or 'the keys'}: {fault.strerror}.") from None
    except BaseException:
        made.take_back()
        raise
