"""A household is founded: its store and configuration, its group, its first member, its recovery sheet.

- Nothing is ever overwritten: what exists stops it before anything is written, and a failure half-way takes
  back what this call made.
- The generations' identities are never written unsealed. The member's and the sheet's are secrets that belong
  elsewhere than on the recorder's disk.
- Both are read back and opened with before the household counts as made: a key that was never tried is a
  hope.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from crypto.identity import Identity
from nvr.config_edit import new_config
from nvr.config_file import FILE_NAME
from nvr.errors import NvrError, UsageFault
from nvr.keyholder.founding import GROUP, SHEET_MEMBER, Founded, Founders, found
from nvr.keyholder.key_file import key_file_lines, make_identity, wrapped
from nvr.keyholder.new_files import NewFiles, taken_back_on_failure
from nvr.keyholder.opening import holder_of, open_generations
from nvr.keyholder.recovery_sheet import SHEET_FILE, SheetFacts, sheet_html
from nvr.keyholder.wrapped_files import generation_folder
from pipeline.chain.day_key import first_day_key
from pipeline.household.fingerprint import fingerprint
from pipeline.household.remembered import Remembered, remember
from pipeline.key_names import manifest_path
from pipeline.names import HOLDS, KEYS, MANIFEST, STORE_FILE
from pipeline.store.layout import create

STORE = "store"
STATE = "state"
STATE_FILES = ("day.key", "day.lock", "household.json", "household.lock")

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
    def state_directory(self) -> Path:
        """What this recorder alone keeps: not in the store, which gets copied."""
        return self.directory / STATE

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
        """Where the first generation's wrapped identities lie."""
        return generation_folder(self.store_root, GROUP, 1)


def refuse_existing(plan: HouseholdPlan) -> None:
    """Raises `UsageFault` when something that would be written is there already."""
    keys = plan.store_root / KEYS
    for path in (plan.config_file, plan.store_root / STORE_FILE, keys / MANIFEST, plan.state_directory):
        if path.exists():
            raise UsageFault(
                f"There is a household in {plan.directory} already ({path} exists). Choose another folder."
            )
    for path in (plan.key_file, plan.sheet_file):
        if path.exists():
            raise UsageFault(
                f"{path} exists already, and keys are never overwritten. Say --keys-to another folder."
            )


def make_household(plan: HouseholdPlan, random: RandomBytes = os.urandom) -> str:
    """Writes it all, the configuration last; its fingerprint. Raises `UsageFault`, `StoreTrouble`."""
    refuse_existing(plan)
    founders = Founders(
        plan.member,
        make_identity(random, post_quantum=plan.post_quantum),
        make_identity(random, post_quantum=plan.post_quantum),
    )
    with taken_back_on_failure() as made:
        _make_store(plan, made)
        made.folder(plan.state_directory)
        made.paths += [plan.state_directory / name for name in STATE_FILES]
        founded = found(
            founders,
            plan.device,
            first_day_key(plan.state_directory, round(plan.now.timestamp() * 1000)),
            plan.now,
            lambda: make_identity(random, post_quantum=plan.post_quantum),
        )
        _write_keys(plan, founders, founded, made, random)
        _write_manifest(plan, founded, made, random)
        _prove(plan, founded)
        made.file(plan.config_file, new_config(STORE))
    return fingerprint(founded.root)


def _make_store(plan: HouseholdPlan, made: NewFiles) -> None:
    made.folder(plan.store_root)
    made.paths += [plan.store_root / name for name in (KEYS, HOLDS, STORE_FILE)]
    create(plan.store_root, plan.device, plan.now.astimezone(UTC))


def _write_keys(
    plan: HouseholdPlan, founders: Founders, founded: Founded, made: NewFiles, random: RandomBytes
) -> None:
    lines = key_file_lines(founders.identity, plan.member, founded.root, plan.now)
    made.folder(plan.keys_directory)
    made.file(plan.key_file, wrapped(lines, plan.passphrase, random))
    made.file(plan.sheet_file, sheet_html(_sheet_facts(plan, founders.sheet, founded)))


def _sheet_facts(plan: HouseholdPlan, sheet: Identity, founded: Founded) -> SheetFacts:
    return SheetFacts(
        identity_text=str(sheet),
        recipient_text=str(sheet.recipient),
        household=plan.name,
        device=plan.device.hex(),
        made=plan.now,
        member=SHEET_MEMBER,
        root=founded.root,
    )


def _write_manifest(plan: HouseholdPlan, founded: Founded, made: NewFiles, random: RandomBytes) -> None:
    for one in founded.wrappings:
        made.folder(one.path(plan.store_root).parent, mode=0o755)
        made.file(one.path(plan.store_root), one.sealed(random), mode=0o644)
    path = plan.store_root / manifest_path(1)
    made.folder(path.parent, mode=0o755)
    made.file(path, bytes(founded.signed), mode=0o644)
    remember(plan.state_directory, Remembered(founded.root, founded.signed))


def _prove(plan: HouseholdPlan, founded: Founded) -> None:
    """Opens every generation from the files as they lie on the disk, once by each way in."""
    expected = [str(one.identity) for one in founded.made]
    for file in (plan.key_file, plan.sheet_file):
        holder = holder_of(str(file), [plan.passphrase])
        opened = open_generations(plan.store_root, founded.signed.manifest, holder.identities)
        if [str(one.identity) for one in opened.groups] != expected or holder.root != founded.root:
            raise NvrError(f"{file} does not open what it should; the disk may be failing. Nothing was kept.")
