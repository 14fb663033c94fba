"""Which streams were sealed to which generation, and from when on: empty files beside the wrapped identities.

    keys/<group>/<generation>/<camera>.<stream>.<first sequence>.used

Rules:
- A mark is durable before the first segment of its stream is sealed to the generation.
- A stream's segments from a mark's sequence until before the stream's next higher mark, of whatever
  generation, may be sealed to the mark's. Two marks at one sequence share them: a crash may come between.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import walk
from pipeline.durable import DISK, DiskCalls, fsync_directory, make_directories
from pipeline.key_names import UsedName, generation_directory, generation_number, group_name
from pipeline.model import StreamName
from pipeline.names import KEYS, NotAName
from pipeline.plain_file import PLAIN


@dataclass(frozen=True, slots=True, order=True)
class UsedMark:
    """Segments of `used.stream` from `used.first_sequence` on may be sealed to this generation."""

    group: str
    generation: int
    used: UsedName


def generations_in(store_root: Path) -> list[tuple[str, int]]:
    """Every generation that has a folder in the store, by group and number. Raises OSError."""
    found = []
    for group in walk.entries(store_root / KEYS):
        with contextlib.suppress(NotAName):
            group_name(group.name)
            found += [(group.name, number) for number in _generations(group)]
    return sorted(found)


def _generations(group: os.DirEntry[str]) -> Iterator[int]:
    """Links are none: whoever made one could mean another generation's folder by it."""
    for folder in walk.entries(group.path) if group.is_dir(follow_symlinks=False) else []:
        with contextlib.suppress(NotAName):
            number = generation_number(folder.name)
            if folder.is_dir(follow_symlinks=False):
                yield number


def used_marks(store_root: Path) -> list[UsedMark]:
    """Every mark in the store. Raises OSError."""
    return sorted(
        UsedMark(group, number, used)
        for group, number in generations_in(store_root)
        for used in _marks_in(store_root / generation_directory(group, number))
    )


def _marks_in(folder: Path) -> Iterator[UsedName]:
    for entry in walk.entries(folder):
        with contextlib.suppress(NotAName):
            yield UsedName.parse(entry.name)


def make_mark(store_root: Path, mark: UsedMark, disk: DiskCalls = DISK) -> None:
    """Makes the mark, durably; one that is there already is made durable. Raises OSError."""
    folder = make_directories(store_root, generation_directory(mark.group, mark.generation), disk)
    descriptor = os.open(folder / str(mark.used), os.O_WRONLY | os.O_CREAT | PLAIN, 0o644)
    os.close(descriptor)
    fsync_directory(folder, disk)


def last_marks(marks: list[UsedMark], stream: StreamName) -> list[UsedMark]:
    """The stream's marks with its highest sequence: those that count for what is recorded next."""
    own = [mark for mark in marks if mark.used.stream == stream]
    highest = max((mark.used.first_sequence for mark in own), default=0)
    return [mark for mark in own if mark.used.first_sequence == highest]
