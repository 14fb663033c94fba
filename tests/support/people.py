"""Households with several people, made and changed as the commands do it, at any time that a test says.

people = People.found(tmp_path)
bob = people.join("bob", groups=["outdoor"])
people.change("anna", partial(removed, name="bob"))
assert not people.opens(bob, people.record("front", at_ms=NOW_MS + DAY_MS))
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from crypto.errors import WrongIdentity
from crypto.recipient import parse_recipient
from crypto.unseal import unseal_bytes
from nvr.errors import NothingOpened
from nvr.keyholder.changes import Plan, approved
from nvr.keyholder.changing import Changed, change_household
from nvr.keyholder.household import HouseholdPlan, make_household
from nvr.keyholder.joining import Invitation, newcomer
from nvr.keyholder.membership import Membership, open_membership
from nvr.keyholder.newcomer_key import JoinPlan, join
from pipeline.household.choosing import choose
from pipeline.household.files import Household, read_household
from pipeline.household.model import Role
from pipeline.model import SegmentMark, StreamName
from pipeline.store import Store, open_segment

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
DAY_MS = 86_400_000


@dataclass
class People:
    """A household, the key files of its people, and a clock that only tests move."""

    plan: HouseholdPlan
    now_ms: int = NOW_MS
    files: dict[str, Path] = field(default_factory=dict)
    sequence: int = 0

    @classmethod
    def found(cls, place: Path, *, post_quantum: bool = False) -> People:
        """By `anna`, with a recovery sheet."""
        plan = HouseholdPlan(
            place / "cabin", place / "keys", "anna", os.urandom(16), NOW, post_quantum=post_quantum
        )
        make_household(plan)
        return cls(plan, files={"anna": plan.key_file, "recovery-sheet": plan.sheet_file})

    @property
    def root(self) -> Path:
        """The store."""
        return self.plan.store_root

    @property
    def household(self) -> Household:
        """As it lies in the store."""
        return read_household(self.root)

    def membership(self, who: str, store: Path | None = None) -> Membership:
        """What their key opens, of the store or of a copy."""
        root = self.household.root.hex() if store else None
        return open_membership(store or self.root, str(self.files[who]), [], root)

    def change(self, who: str, plan: Plan) -> Changed:
        """Done with their key."""
        return change_household(self.membership(who), plan, self.now_ms)

    def request(self, name: str, *, post_quantum: bool | None = None) -> str:
        """Makes their key file; what they hand to an owner."""
        kind = self.plan.post_quantum if post_quantum is None else post_quantum
        asked = Invitation(self.household.root, kind)
        plan = JoinPlan(asked, self.plan.keys_directory.with_name(f"keys-{name}"), name, NOW)
        self.files[name] = plan.key_file
        return str(join(plan))

    def join(self, name: str, role: Role = Role.VIEWER, groups: Sequence[str] = ()) -> str:
        """They join, approved by anna."""
        asked = newcomer(self.request(name))
        self.change("anna", partial(approved, newcomer=asked, name=name, role=role, groups=groups))
        return name

    def record(self, camera: str, at_ms: int | None = None, content: bytes = b"moof") -> Path:
        """A sealed file as the recorder would make it then; its plaintext is `content`."""
        at_ms = self.now_ms if at_ms is None else at_ms
        choice = choose(self.household.manifest, camera, at_ms)
        self.sequence += 1
        store = Store(self.root)
        store.open_check()
        name = StreamName(camera, "main")
        mark = SegmentMark(store.device, name, self.sequence, at_ms * 1_000_000, choice.generation)
        segment = open_segment(store, mark, [parse_recipient(choice.recipient)])
        segment.append(content, 1_000_000_000)
        return self.root / segment.finish(1_000_000_000).path

    def opens(self, who: str, sealed: Path, store: Path | None = None) -> bool:
        """Whether their key opens the file, with what lies in the store (or in a copy of it)."""
        try:
            groups = self.membership(who, store).opening.groups
            return unseal_bytes(sealed.read_bytes(), [one.identity for one in groups]) == b"moof"
        except (NothingOpened, WrongIdentity):
            return False


def at(people: People, now_ms: int) -> People:
    """The same people at another time."""
    return replace(people, now_ms=now_ms)
