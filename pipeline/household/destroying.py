"""Destroys the wrapped identities of spent generations: what expired is then gone for everybody, also from
freed blocks of the disk and from whatever copy of a segment somebody kept.

Rules:
- Nothing is destroyed by the index alone: it tells quickly that something is left, and the names in the store
  have the last word, those of unfinished segments included.
- A folder with anything in it that is not ours stays as it is.
- What is linked elsewhere, or is a link, is not overwritten: it may be a key that is in use.
- Overwrite, fsync, unlink, fsync the folder; marks of use go last, so that after a crash the rest is done.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline import walk
from pipeline.durable import fsync_directory
from pipeline.event_names import parse_under_way
from pipeline.household.model import Manifest
from pipeline.household.spending import Candidate, Span, candidates
from pipeline.household.used_marks import generations_in, used_marks
from pipeline.key_names import UsedName, generation_directory, wrapped_member
from pipeline.model import StreamName
from pipeline.names import KEYS, NotAName, PartName, SegmentName
from pipeline.plain_file import PLAIN

RandomBytes = Callable[[int], bytes]
_PARSERS: tuple[Callable[[str], SegmentName | PartName], ...] = (
    SegmentName.parse,
    PartName.parse,
    parse_under_way,
)


class KnownSegments(Protocol):
    """What is asked of the index."""

    def has_sequences(self, stream: StreamName, first: int, before: int | None) -> bool:
        """Whether the stream has a segment numbered so."""

    def oldest_start_ms(self) -> int | None:
        """The earliest start of all segments."""


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What was done: the generations that are gone, and clauses about what could not be done.

    `index_is_behind`: the store has segments of a generation that the index knows none of.
    """

    generations: tuple[tuple[str, int], ...] = ()
    faults: tuple[str, ...] = ()
    index_is_behind: bool = False


def destroy_spent(
    root: Path, manifest: Manifest, index: KnownSegments, now_ms: int, random: RandomBytes = os.urandom
) -> Destroyed:
    """Destroys what is spent at `now_ms`, which must be sure. Raises OSError if the store cannot be read, and
    IndexFault.
    """
    gone, faults, index_is_behind = [], [], False
    for candidate in candidates(manifest, generations_in(root), used_marks(root), now_ms):
        folder = root / generation_directory(candidate.group, candidate.number)
        if not _is_spent(candidate, index):
            continue
        if any(_lies_in_store(root, span) for span in candidate.spans):
            index_is_behind = True
        elif stranger := _stranger(folder):
            faults.append(f"{folder} is not destroyed, for {stranger} in it is not the store's: remove that")
        elif why := _destroyed(root, folder, random):
            faults.append(f"{folder} cannot be destroyed: {why}")
        else:
            gone.append((candidate.group, candidate.number))
    return Destroyed(tuple(gone), tuple(faults), index_is_behind)


def _is_spent(candidate: Candidate, index: KnownSegments) -> bool:
    if not candidate.spans:
        oldest_ms = index.oldest_start_ms()
        return oldest_ms is None or oldest_ms >= candidate.footage_from_ms
    return not any(index.has_sequences(span.stream, span.first, span.before) for span in candidate.spans)


def _lies_in_store(root: Path, span: Span) -> bool:
    return any(
        span.covers(sequence)
        for hour in walk.hours(root, span.stream)
        for entry in walk.entries(root / hour.path)
        if (sequence := _sequence(entry.name)) is not None
    )


def _sequence(file_name: str) -> int | None:
    """Of a segment or event, published or being written; None for other names."""
    for parse in _PARSERS:
        with contextlib.suppress(NotAName):
            return parse(file_name).sequence
    return None


def _stranger(folder: Path) -> str:
    for entry in walk.entries(folder):
        try:
            UsedName.parse(entry.name) if entry.name.endswith(".used") else wrapped_member(entry.name)
        except NotAName:
            return entry.name
        if not entry.is_file(follow_symlinks=False):
            return entry.name
    return ""


def _destroyed(root: Path, folder: Path, random: RandomBytes) -> str:
    """Why not, empty if it is."""
    try:
        with _while_nobody_changes_the_household(root):
            _destroy(folder, random)
    except BlockingIOError:
        return "somebody is changing the household just now; tried again"
    except OSError as error:
        return (error.strerror or "input/output error").lower()
    return ""


@contextlib.contextmanager
def _while_nobody_changes_the_household(root: Path) -> Iterator[None]:
    """Owners' commands write wrapped files under this lock. Raises BlockingIOError when one is at it."""
    descriptor = os.open(root / KEYS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # some file systems cannot lock a folder
            pass
        yield
    finally:
        os.close(descriptor)


def _destroy(folder: Path, random: RandomBytes) -> None:
    wrapped = [Path(entry.path) for entry in walk.entries(folder) if not entry.name.endswith(".used")]
    for path in wrapped:
        _overwrite(path, random)
    for path in wrapped:
        path.unlink()
    fsync_directory(folder)
    for entry in walk.entries(folder):
        Path(entry.path).unlink()
    folder.rmdir()
    fsync_directory(folder.parent)


def _overwrite(path: Path, random: RandomBytes) -> None:
    with os.fdopen(os.open(path, os.O_RDWR | PLAIN), "r+b", buffering=0) as file:
        found = os.fstat(file.fileno())
        if found.st_nlink == 1:
            file.write(random(found.st_size))
            os.fsync(file.fileno())
