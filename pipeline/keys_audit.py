"""Looks through the store's folder for keys, and through the state directory. Changes nothing, opens nothing.

Rules:
- Every name there is one that `pipeline.names` or the state directory knows.
- The household's versions follow from each other, and every member of a group has a file in each generation's
  folder of it that is there. (Those of spent generations are gone, and should be.)
- Nobody but its owner reads the state directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline import walk
from pipeline.household.errors import HouseholdError
from pipeline.household.files import read_household
from pipeline.household.model import Manifest
from pipeline.household.used_marks import generations_in
from pipeline.key_names import (
    UsedName,
    generation_directory,
    generation_number,
    group_name,
    head_file,
    manifest_version,
    wrapped_member,
    wrapped_name,
)
from pipeline.names import DAYS_FILE, HEADS, KEYS, MANIFEST, NotAName, camera_name
from pipeline.watched import FOLDER

STATE_FILES = frozenset({"household.json", "household.lock", "day.key", "day.key.next", "day.lock"})
STATE_FOLDERS = ("feedback", FOLDER)  # with a file for each camera
TLS_FOLDER = "tls"
TLS_FILES = frozenset({"authority.pem", "root.pem", "server.pem"})  # what `web.tls.files` keeps there
_IN_KEYS = frozenset({MANIFEST, HEADS, DAYS_FILE})


def strangers_in_keys(root: Path) -> Iterator[str]:
    """What lies in `keys/` and should not, relative to the store. Raises OSError."""
    yield from _strangers(root, KEYS, _in_keys)
    yield from _strangers(root, f"{KEYS}/{MANIFEST}", manifest_version)
    yield from _strangers(root, f"{KEYS}/{HEADS}", head_file)
    for group in sorted({group for group, _ in generations_in(root)}):
        yield from _strangers(root, f"{KEYS}/{group}", generation_number)
    for group, number in generations_in(root):
        yield from _strangers(root, generation_directory(group, number), _in_generation)


def strangers_in_state(state_dir: Path) -> Iterator[str]:
    """What lies in the state directory and should not, as absolute paths. Raises OSError."""
    for entry in sorted(walk.entries(state_dir), key=lambda entry: entry.name):
        if entry.name in STATE_FOLDERS and entry.is_dir(follow_symlinks=False):
            yield from (str(state_dir / path) for path in _strangers(state_dir, entry.name, _of_camera))
        elif entry.name == TLS_FOLDER and entry.is_dir(follow_symlinks=False):
            yield from (str(state_dir / path) for path in _strangers(state_dir, TLS_FOLDER, _of_tls))
        elif entry.name not in STATE_FILES:
            yield str(state_dir / entry.name)


def open_to_others(state_dir: Path) -> bool:
    """Whether anybody else may enter the state directory, which may hold a day key."""
    return state_dir.exists() and bool(state_dir.stat().st_mode & 0o077)


def is_sound(root: Path) -> bool:
    """Whether the household's versions follow from each other. Raises OSError."""
    try:
        read_household(root)
    except HouseholdError:
        return False
    return True


def missing_files(root: Path) -> Iterator[str]:
    """Wrapped identities that members lack, relative to the store; none while the manifest is not sound."""
    try:
        manifest = read_household(root).manifest
    except HouseholdError:
        return
    for group, number in generations_in(root):
        folder = generation_directory(group, number)
        there = {entry.name for entry in walk.entries(root / folder)}
        for name in _expected(manifest, group, number):
            if name not in there:
                yield f"{folder}/{name}"


def _expected(manifest: Manifest, group_of_folder: str, number: int) -> list[str]:
    group = manifest.group(group_of_folder)
    if group is None or group.generation(number) is None:
        return []
    return [wrapped_name(member.name) for member in manifest.members_of(group.name)]


def _in_keys(name: str) -> None:
    if name not in _IN_KEYS:
        group_name(name)


def _in_generation(name: str) -> None:
    if name.endswith(".used"):
        UsedName.parse(name)
    else:
        wrapped_member(name)


def _of_tls(name: str) -> None:
    if name not in TLS_FILES and not (name.startswith(".") and name.endswith(".new")):
        raise NotAName(name)


def _of_camera(name: str) -> None:
    if not (name.startswith(".") and name.endswith(".new")):  # being replaced just now
        camera_name(name.removesuffix(".json"))


def _strangers(root: Path, folder: str, parse: Callable[[str], object]) -> Iterator[str]:
    for entry in sorted(walk.entries(root / folder), key=lambda entry: entry.name):
        try:
            parse(entry.name)
        except NotAName:
            yield f"{folder}/{entry.name}"
