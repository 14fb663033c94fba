"""The nouns of a household: frozen values. Who its members are, and to whom each camera's footage is sealed.

Rules:
- All lists stand in order: members and groups by name, generations by number, devices by device and time.
- Nothing here is secret. Recipients are texts as age spells them; digests and public keys are bytes.
- Times are UTC milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member may do. Only owners change the household; they are in every group."""

    OWNER = "owner"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Member:
    """A person or a device. `member_key` (32 bytes, public) is empty for one who can only open footage."""

    name: str
    role: Role
    recipient: str
    member_key: bytes
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generation:
    """One recipient of a group, for footage from `from_ms` until the next generation's."""

    number: int
    recipient: str
    from_ms: int


@dataclass(frozen=True, slots=True)
class Group:
    """Cameras that are sealed alike. Which members open them stands with the members."""

    name: str
    cameras: tuple[str, ...]
    generations: tuple[Generation, ...]

    @property
    def newest(self) -> Generation:
        """The generation with the highest number, which may begin in a year only."""
        return self.generations[-1]

    def generation(self, number: int) -> Generation | None:
        """The generation with this number, None when the group has none such (any more)."""
        return next((one for one in self.generations if one.number == number), None)


@dataclass(frozen=True, slots=True)
class Device:
    """A series of day keys of the store `device` (16 bytes): the public `day_key` it began with."""

    device: bytes
    day_key: bytes
    from_ms: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a household. `previous` is the digest of the version before, empty for version 1."""

    version: int
    previous: bytes
    made_ms: int
    signed_by: str
    post_quantum: bool
    default_group: str
    members: tuple[Member, ...]
    groups: tuple[Group, ...]
    devices: tuple[Device, ...] = ()

    def member(self, name: str) -> Member | None:
        """The member called so, None when there is none."""
        return next((one for one in self.members if one.name == name), None)

    def group(self, name: str) -> Group | None:
        """The group called so, None when there is none."""
        return next((one for one in self.groups if one.name == name), None)

    def group_of(self, camera: str) -> Group:
        """The group that a camera belongs to: the one that names it, else the default group."""
        for group in self.groups:
            if camera in group.cameras:
                return group
        return next(one for one in self.groups if one.name == self.default_group)

    def owners(self) -> tuple[Member, ...]:
        """Who may change the household."""
        return tuple(one for one in self.members if one.role is Role.OWNER)

    def members_of(self, group: str) -> tuple[Member, ...]:
        """Who opens what the group's cameras record."""
        return tuple(one for one in self.members if group in one.groups)


@dataclass(frozen=True, slots=True)
class Pin:
    """What somebody remembers of a household: its first version's digest, and the newest they have seen.

    `version` 0 with an empty `digest` says that only the root is known.
    """

    root: bytes
    version: int = 0
    digest: bytes = b""
