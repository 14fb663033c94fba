"""The files of a bundle as they lie in a folder: what is there, with its digest. It looks, and changes
nothing.

Rules:
- Nothing is followed: a link, a device or a pipe is no file of a bundle.
- Segments are hashed in pieces, never read into memory; small files are, up to a limit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from nvr.bundle.layout import DOCUMENT, SUMS
from nvr.errors import UsageFault

LARGEST_BYTES = 1 << 30
_BUFFER_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in the folder; `path` is relative to it. Only a regular file can be one of a bundle."""

    path: str
    is_regular: bool


class BundleFolder:
    """A folder that is meant to be a bundle."""

    def __init__(self, root: Path) -> None:
        """Raises UsageFault where there is no bundle."""
        self.root = root
        if not root.is_dir():
            raise UsageFault(f"There is no folder {root}: name the folder that the bundle is in.")
        if not (root / DOCUMENT).is_file() and not (root / SUMS).is_file():
            raise UsageFault(f"{root} is no bundle: it has neither {DOCUMENT} nor {SUMS}.")

    def entries(self) -> list[Entry]:
        """Everything in it that is no folder, and folders that are empty, in the order of their paths."""
        return sorted(self._entries(""), key=lambda entry: entry.path)

    def _entries(self, folder: str) -> Iterator[Entry]:
        empty = True
        with os.scandir(self.root / folder) as found:
            for entry in found:
                empty = False
                path = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    yield from self._entries(f"{path}/")
                else:
                    yield Entry(path, entry.is_file(follow_symlinks=False))
        if empty and folder:
            yield Entry(folder, False)

    def read(self, path: str) -> bytes:
        """A small file. Raises OSError; UsageFault for one that no bundle holds."""
        with (self.root / path).open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            raise UsageFault(f"{self.root / path} is too large for a bundle's file.")
        return data

    def open(self, path: str) -> BinaryIO:
        """A segment, unbuffered. Raises OSError."""
        return (self.root / path).open("rb", buffering=0)

    def digest(self, path: str) -> str:
        """SHA-256 of a file, hex. Raises OSError."""
        found = sha256()
        view = memoryview(bytearray(_BUFFER_BYTES))
        with self.open(path) as file:
            while count := file.readinto(view):  # type: ignore[attr-defined]
                found.update(view[:count])
        return found.hexdigest()
