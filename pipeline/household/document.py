"""Manifests as text: the noun of a signed line, and back. Pure, and strict.

Rules:
- Every key is always there, and no other; every value has the one type and spelling that it can have.
- `from_noun(to_noun(manifest)) == manifest` for every manifest that keeps the rules of `succession`.
- What is refused is refused in one clause that names the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from crypto.errors import BadSignature
from crypto.signing import SignedLine
from pipeline.household.errors import ManifestDamaged
from pipeline.household.model import Device, Generation, Group, Manifest, Member, Role
from pipeline.names import LAST_MS

LAST_NUMBER = 999_999_999

_MANIFEST = {
    "version", "previous", "made_ms", "signed_by", "post_quantum", "default_group", "members", "groups",
    "devices",
}  # fmt: skip
_MEMBER = {"name", "role", "recipient", "member_key", "groups"}
_GROUP = {"name", "cameras", "generations"}
_GENERATION = {"number", "recipient", "from_ms"}
_DEVICE = {"device", "day_key", "from_ms"}
_HEX = re.compile("[0-9a-f]*")

One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest and the line that it was read from, whose signature `succession` checks."""

    manifest: Manifest
    line: SignedLine

    @property
    def digest(self) -> bytes:
        """SHA-256 of the JSON: what the next version refers to; of version 1, the household's root."""
        return self.line.digest

    @classmethod
    def parse(cls, line: bytes) -> SignedManifest:
        """The manifest in a line. Raises ManifestDamaged."""
        try:
            signed = SignedLine.parse(line)
        except BadSignature:
            raise ManifestDamaged("it is not a signed line: its text was changed or cut off") from None
        return cls(from_noun(signed.noun), signed)

    def __bytes__(self) -> bytes:
        return bytes(self.line)


def to_noun(manifest: Manifest) -> dict[str, Any]:
    """What `crypto.signing.sign("manifest", …)` takes."""
    return {
        "version": manifest.version,
        "previous": manifest.previous.hex(),
        "made_ms": manifest.made_ms,
        "signed_by": manifest.signed_by,
        "post_quantum": manifest.post_quantum,
        "default_group": manifest.default_group,
        "members": [_member_noun(member) for member in manifest.members],
        "groups": [_group_noun(group) for group in manifest.groups],
        "devices": [_device_noun(device) for device in manifest.devices],
    }


def _member_noun(member: Member) -> dict[str, Any]:
    return {
        "name": member.name,
        "role": str(member.role),
        "recipient": member.recipient,
        "member_key": member.member_key.hex(),
        "groups": list(member.groups),
    }


def _group_noun(group: Group) -> dict[str, Any]:
    generations = [
        {"number": one.number, "recipient": one.recipient, "from_ms": one.from_ms}
        for one in group.generations
    ]
    return {"name": group.name, "cameras": list(group.cameras), "generations": generations}


def _device_noun(device: Device) -> dict[str, Any]:
    return {"device": device.device.hex(), "day_key": device.day_key.hex(), "from_ms": device.from_ms}


def from_noun(noun: Mapping[str, Any]) -> Manifest:
    """The manifest that a noun spells. Raises ManifestDamaged. Whether it keeps the rules is not asked."""
    fields = _Fields(noun, _MANIFEST, "the manifest")
    return Manifest(
        version=fields.number("version", 1, LAST_NUMBER),
        previous=fields.hexadecimal("previous", (0, 32)),
        made_ms=fields.number("made_ms", 0, LAST_MS),
        signed_by=fields.text("signed_by"),
        post_quantum=fields.yes_or_no("post_quantum"),
        default_group=fields.text("default_group"),
        members=fields.each("members", _member),
        groups=fields.each("groups", _group),
        devices=fields.each("devices", _device),
    )


def _member(noun: object) -> Member:
    fields = _Fields(noun, _MEMBER, "a member")
    try:
        role = Role(fields.text("role"))
    except ValueError:
        raise _damaged("role", "a member", "owner or viewer") from None
    return Member(
        fields.text("name"),
        role,
        fields.text("recipient"),
        fields.hexadecimal("member_key", (0, 32)),
        fields.each("groups", _text_in("groups", "a member")),
    )


def _group(noun: object) -> Group:
    fields = _Fields(noun, _GROUP, "a group")
    return Group(
        fields.text("name"),
        fields.each("cameras", _text_in("cameras", "a group")),
        fields.each("generations", _generation),
    )


def _generation(noun: object) -> Generation:
    fields = _Fields(noun, _GENERATION, "a generation")
    return Generation(
        fields.number("number", 1, LAST_NUMBER),
        fields.text("recipient"),
        fields.number("from_ms", 0, LAST_MS),
    )


def _device(noun: object) -> Device:
    fields = _Fields(noun, _DEVICE, "a device")
    return Device(
        fields.hexadecimal("device", (16,)),
        fields.hexadecimal("day_key", (32,)),
        fields.number("from_ms", 0, LAST_MS),
    )


def _text_in(name: str, where: str) -> Callable[[object], str]:
    def text(value: object) -> str:
        if not isinstance(value, str):
            raise _damaged(name, where, "a list of names")
        return value

    return text


def _damaged(name: str, where: str, wanted: str) -> ManifestDamaged:
    return ManifestDamaged(f'"{name}" of {where} is not {wanted}')


class _Fields:
    """An object of the JSON, asked for its values one by one. Everything raises ManifestDamaged."""

    def __init__(self, noun: object, names: set[str], where: str) -> None:
        if not isinstance(noun, Mapping):
            raise ManifestDamaged(f"what stands for {where} is not an object")
        if wrong := sorted(noun.keys() ^ names):
            known = "lacks" if wrong[0] in names else "has an unknown"
            raise ManifestDamaged(f'what stands for {where} {known} "{wrong[0][:40]}"')
        self._noun = noun
        self._where = where

    def number(self, name: str, first: int, last: int) -> int:
        value = self._noun[name]
        if type(value) is not int or not first <= value <= last:
            raise _damaged(name, self._where, f"a whole number from {first} to {last}")
        return value

    def text(self, name: str) -> str:
        value = self._noun[name]
        if not isinstance(value, str):
            raise _damaged(name, self._where, "a text")
        return value

    def yes_or_no(self, name: str) -> bool:
        value = self._noun[name]
        if not isinstance(value, bool):
            raise _damaged(name, self._where, "true or false")
        return value

    def hexadecimal(self, name: str, sizes: tuple[int, ...]) -> bytes:
        value = self._noun[name]
        if (
            not isinstance(value, str)
            or len(value) not in {2 * n for n in sizes}
            or not _HEX.fullmatch(value)
        ):
            raise _damaged(name, self._where, f"{2 * sizes[-1]} hexadecimal digits")
        return bytes.fromhex(value)

    def each(self, name: str, of: Callable[[object], One]) -> tuple[One, ...]:
        value = self._noun[name]
        if not isinstance(value, list):
            raise _damaged(name, self._where, "a list")
        return tuple(of(one) for one in value)
