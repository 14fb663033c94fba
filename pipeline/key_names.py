"""The names within the store's folder for keys: made and parsed here, nowhere else. Pure.

Rules: as in `pipeline.names`, which has the names of everything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.model import StreamName
from pipeline.names import (
    COUNT,
    HIGHEST_BEGUN,
    KEYS,
    LAST_MS,
    MANIFEST,
    RESERVED_GROUPS,
    NotAName,
    bounded,
    stored_stream_name,
)

_HOUSEHOLD_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_USED = re.compile(rf"([a-z0-9][a-z0-9_-]{{0,47}})\.([a-z0-9][a-z0-9_-]{{0,47}})\.{COUNT}\.used")
_MANIFEST_FILE = re.compile(r"([1-9][0-9]{0,8})\.json")
_HEAD_FILE = re.compile(rf"([a-z0-9][a-z0-9-]{{0,31}})\.{COUNT}\.json")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def member_name(text: str) -> str:
    """`text`, if a member can be called that. Raises NotAName."""
    if not _HOUSEHOLD_NAME.fullmatch(text):
        raise NotAName(
            f"{text[:40]!r} cannot be a member's name: use a-z, 0-9 and '-', at most 32, beginning with a "
            "letter or digit"
        )
    return text


def group_name(text: str) -> str:
    """`text`, if a group can be called that. Raises NotAName."""
    if not _HOUSEHOLD_NAME.fullmatch(text) or text in RESERVED_GROUPS:
        raise NotAName(
            f"{text[:40]!r} cannot be a group's name: use a-z, 0-9 and '-', at most 32, beginning with a "
            f"letter or digit, and none of {', '.join(sorted(RESERVED_GROUPS))}"
        )
    return text


def manifest_path(version: int) -> str:
    """The file of that version of the household, relative to the store."""
    return f"{KEYS}/{MANIFEST}/{version}.json"


def manifest_version(file_name: str) -> int:
    """The version that a file in the manifest's folder holds, from its name. Raises NotAName."""
    match = _MANIFEST_FILE.fullmatch(file_name)
    if match is None:
        raise NotAName(f"{file_name!r} is not the name of a version of the household")
    return int(match[1])


def generation_directory(group: str, generation: int) -> str:
    """The folder of a generation's wrapped identities and marks, relative to the store."""
    return f"{KEYS}/{group}/{generation}"


def generation_number(text: str) -> int:
    """The generation that a folder of a group is called after. Raises NotAName."""
    if not _NUMBER.fullmatch(text):
        raise NotAName(f"{text!r} is not the number of a generation")
    return int(text)


def wrapped_name(member: str) -> str:
    """The file of a generation's identity sealed to that member."""
    return f"{member}.age"


def wrapped_member(file_name: str) -> str:
    """Whom a wrapped identity is for, from its file name. Raises NotAName."""
    member = file_name.removesuffix(".age")
    if member == file_name:
        raise NotAName(f"{file_name!r} is not the name of a wrapped identity")
    return member_name(member)


def head_file(file_name: str) -> tuple[str, int]:
    """Who countersigned the head that a file of the folder of heads holds, and when. Raises NotAName."""
    match = _HEAD_FILE.fullmatch(file_name)
    if match is None:
        raise NotAName(f"{file_name!r} is not the name of a countersigned head")
    bounded("made", int(match[2]), LAST_MS)
    return match[1], int(match[2])


@dataclass(frozen=True, slots=True, order=True)
class UsedName:
    """A mark in a generation's folder: segments of `stream`, from `first_sequence` on, are sealed to it."""

    stream: StreamName
    first_sequence: int

    def __str__(self) -> str:
        return f"{self.stream.camera}.{self.stream.stream}.{self.first_sequence}.used"

    @classmethod
    def parse(cls, text: str) -> UsedName:
        """The name that is spelled so. Raises NotAName."""
        match = _USED.fullmatch(text)
        if match is None:
            raise NotAName(f"{text!r} is not the mark of a generation's use")
        bounded("first", int(match[3]), HIGHEST_BEGUN)
        return cls(stored_stream_name(match[1], match[2]), int(match[3]))
