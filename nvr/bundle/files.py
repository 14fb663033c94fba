"""The files of a bundle as they lie in a folder: what is there, with its digest. It looks, and changes
nothing.

Rules:
- Nothing is followed, and nothing waited for: a link, a device or a pipe is no file of a bundle.
- Segments are hashed in pieces, never read into memory; small files are, up to a limit.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from io import FileIO
from pathlib import Path

from nvr.bundle.layout import DOCUMENT, SUMS
from nvr.errors import UsageFault

LARGEST_BYTES = 1 << 28
_BUFFER_BYTES = 1 << 18
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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
        found: list[Entry] = []
        folders = [""]
        while folders:
            folder = folders.pop()
            with os.scandir(self.root / folder) as scanned:
                inside = list(scanned)
            if not inside and folder:
                found.append(Entry(folder, False))
            for entry in inside:
                path = f"{folder}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{path}/")
                else:
                    found.append(Entry(path, entry.is_file(follow_symlinks=False)))
        return sorted(found, key=lambda entry: entry.path)

    def read(self, path: str) -> bytes:
        """A small file. Raises FileNotFoundError also for what is no file, OSError; UsageFault for one larger
        than a bundle has.
        """
        with self.open(path) as file:
            if os.fstat(file.fileno()).st_size > LARGEST_BYTES:
                raise UsageFault(f"{self.root / path} is too large for a bundle's file.")
            return file.read()

    def open(self, path: str) -> FileIO:
        """A file, unbuffered. Raises FileNotFoundError also for what is no file, OSError."""
        try:
            descriptor = os.open(self.root / path, _FLAGS)
        except OSError as fault:
            if fault.errno == errno.ELOOP:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None
            raise
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return FileIO(descriptor)
        os.close(descriptor)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def digest(self, path: str) -> str:
        """SHA-256 of a file, hex. Raises OSError."""
        found = sha256()
        view = memoryview(bytearray(_BUFFER_BYTES))
        with self.open(path) as file:
            while count := file.readinto(view):
                found.update(view[:count])
        return found.hexdigest()
