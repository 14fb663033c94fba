"""Files that are made together or not at all, and never over something that exists.

Rules:
- Made with the mode they are to have, and durable when the context ends.
- Whatever ends the context early takes back what was made in it, newest first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from nvr.errors import StoreTrouble


class NewFiles:
    """What was created so far, newest last."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def folder(self, path: Path, mode: int = 0o700) -> None:
        """Makes a folder and those above it, where they are missing. Raises OSError."""
        missing = [parent for parent in (path, *path.parents) if not parent.exists()]
        for directory in reversed(missing):
            directory.mkdir(mode=mode)
            self.paths.append(directory)

    def file(self, path: Path, content: str | bytes, mode: int = 0o600) -> None:
        """Writes a new file, durably but for its name. Raises OSError, FileExistsError among them."""
        data = content.encode() if isinstance(content, str) else content
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        self.paths.append(path)
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())

    def take_back(self) -> None:
        """Removes it all again, as far as it goes."""
        for path in reversed(self.paths):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()

    def sync_folders(self) -> None:
        """Makes the names durable. Raises OSError."""
        for folder in {path.parent for path in self.paths if path.parent.is_dir()}:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


@contextlib.contextmanager
def taken_back_on_failure() -> Iterator[NewFiles]:
    """All of it, or nothing. Raises StoreTrouble where the disk refuses."""
    made = NewFiles()
    try:
        yield made
        made.sync_folders()
    except OSError as fault:
        made.take_back()
        raise StoreTrouble(f"Cannot write {fault.filename or 'the keys'}: {fault.strerror}.") from None
    except BaseException:
        made.take_back()
        raise
