"""A household founded in a store without `nvr init`: manifest, generations, wrapped identities, state folder.

founded = found(store.root, tmp_path / "state")
founded.change(groups=...)           the next version, signed by the owner and written
founded.rotate(from_ms=...)          a new generation of a group
founded.identity("home", 1)          what opens the footage
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crypto.identity import HybridIdentity, X25519Identity
from crypto.member_key import member_key, member_public
from crypto.seal import seal_bytes
from crypto.signing import sign
from pipeline.household.document import SignedManifest, to_noun
from pipeline.household.files import read_household, write_version
from pipeline.household.model import Generation, Group, Manifest, Member, Role
from pipeline.household.remembered import Remembered, remember
from pipeline.key_names import generation_directory, wrapped_name

AnIdentity = X25519Identity | HybridIdentity
FOUNDED_MS = 1_793_500_000_000  # 2026-11-01
LONG_MS = 4_000_000_000_000  # far enough for generations not to run out


def an_identity(*, post_quantum: bool = False) -> AnIdentity:
    """A new one."""
    return (HybridIdentity if post_quantum else X25519Identity).generate(os.urandom)


def an_owner(name: str, identity: AnIdentity, groups: tuple[str, ...] = ("home",)) -> Member:
    """A member who may change the household."""
    return Member(name, Role.OWNER, str(identity.recipient), member_public(identity), groups)


def a_viewer(name: str, identity: AnIdentity, groups: tuple[str, ...] = ("home",)) -> Member:
    """A member who may look at what `groups` record."""
    return Member(name, Role.VIEWER, str(identity.recipient), member_public(identity), groups)


def signed(manifest: Manifest, signer: AnIdentity) -> SignedManifest:
    """As it would lie in the store."""
    return SignedManifest.parse(bytes(sign("manifest", to_noun(manifest), member_key(signer))))


@dataclass
class Founded:
    """A household with one owner, alice; `people` holds whoever has an identity."""

    store_root: Path
    state_dir: Path
    people: dict[str, AnIdentity]
    post_quantum: bool = False
    generations: dict[tuple[str, int], AnIdentity] = field(default_factory=dict)

    @property
    def manifest(self) -> Manifest:
        """As it lies in the store now, verified."""
        return read_household(self.store_root).manifest

    @property
    def root(self) -> bytes:
        """The digest of version 1."""
        return read_household(self.store_root).root

    def identity(self, group: str = "home", number: int = 1) -> AnIdentity:
        """What opens what is sealed to that generation."""
        return self.generations[group, number]

    def everything(self) -> list[AnIdentity]:
        """Every generation's identity."""
        return list(self.generations.values())

    def next_version(self, signer: str = "alice", **changes: Any) -> SignedManifest:
        """The household with these fields of its manifest changed, signed and not written."""
        household = read_household(self.store_root)
        old, digest = household.manifest, household.newest.digest
        changed = replace(old, version=old.version + 1, previous=digest, signed_by=signer, **changes)
        return signed(changed, self.people[signer])

    def change(self, signer: str = "alice", **changes: Any) -> SignedManifest:
        """As `next_version`, and written."""
        version = self.next_version(signer, **changes)
        write_version(self.store_root, version)
        return version

    def with_generation(self, group: Group, number: int, from_ms: int) -> Group:
        """The group with one generation more, in the place of those that would begin later."""
        identity = self.generations[group.name, number] = an_identity(post_quantum=self.post_quantum)
        fresh = Generation(number, str(identity.recipient), from_ms)
        kept = tuple(one for one in group.generations if one.from_ms <= from_ms)
        return replace(group, generations=(*kept, fresh))

    def rotate(self, group: str = "home", from_ms: int = 0) -> Generation:
        """One generation more for a group."""
        old = self.manifest
        changed = [
            self.with_generation(one, one.newest.number + 1, from_ms) if one.name == group else one
            for one in old.groups
        ]
        newest = next(one.newest for one in changed if one.name == group)
        self.wrap(group, newest.number, [one.name for one in old.members_of(group)])
        self.change(groups=tuple(changed))
        return newest

    def wrap(self, group: str, number: int, members: list[str]) -> None:
        """Seals a generation's identity to these members."""
        folder = self.store_root / generation_directory(group, number)
        folder.mkdir(parents=True, exist_ok=True)
        for name in members:
            text = f"{self.generations[group, number]}\n".encode()
            wrapped = seal_bytes(text, [self.people[name].recipient])
            (folder / wrapped_name(name)).write_bytes(wrapped)


def found(
    store_root: Path,
    state_dir: Path,
    *,
    groups: tuple[str, ...] = ("home",),
    cameras: dict[str, tuple[str, ...]] | None = None,
    post_quantum: bool = False,
    from_ms: int = 0,
    until_ms: int = LONG_MS,
) -> Founded:
    """A household of one owner, alice. Each group has two generations: from `from_ms` and `until_ms` on."""
    alice = an_identity(post_quantum=post_quantum)
    founded = Founded(store_root, state_dir, {"alice": alice}, post_quantum)
    names = tuple(sorted(groups))
    made = [Group(name, (cameras or {}).get(name, ()), ()) for name in names]
    for number, begins_ms in ((1, from_ms), (2, until_ms)):
        made = [founded.with_generation(group, number, begins_ms) for group in made]
        for name in names:
            founded.wrap(name, number, ["alice"])
    owner = an_owner("alice", alice, names)
    first = Manifest(1, b"", FOUNDED_MS, "alice", post_quantum, groups[0], (owner,), tuple(made))
    version = signed(first, alice)
    write_version(store_root, version)
    remember(state_dir, Remembered(version.digest, version))
    return founded
