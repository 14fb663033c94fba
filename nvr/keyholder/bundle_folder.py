"""The folder of a bundle while it is made, and the one-time identity beside it. Readable by their owner only.

Rules:
- Nothing that exists is overwritten without `force`, and with it only what is a bundle.
- Either both get their names or, when anything fails, nothing stays behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from nvr.bundle.layout import DOCUMENT, IDENTITY_SUFFIX
from nvr.errors import UsageFault


class BundleOutput:
    """A context: what was not committed when it ends is removed.

    An OSError without a file name that ends it is taken for one of writing here.
    """

    def __init__(self, target: Path, *, force: bool) -> None:
        """Raises UsageFault when the target exists, or has no folder to lie in."""
        self.target = target
        self.identity_file = target.with_name(target.name + IDENTITY_SUFFIX)
        self._force = force
        if not target.name or not target.parent.is_dir():
            raise UsageFault(f"There is no folder {target.parent}; make it first.")
        self._refuse_existing()
        unique = secrets.token_hex(4)
        self.folder = target.with_name(f".{target.name}.{unique}.tmp")
        """Where the files lie until `commit`."""
        self._identity = self.identity_file.with_name(f".{self.identity_file.name}.{unique}.tmp")

    def __enter__(self) -> BundleOutput:
        self.folder.mkdir(0o700)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._identity.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            raise OSError(error.errno, error.strerror, str(self.target)) from None

    def create(self, path: str) -> BinaryIO:
        """A new file in the folder, for writing. Raises OSError."""
        place = self.folder / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _created(place)

    def write(self, path: str, data: bytes) -> None:
        """A whole file in the folder. Raises OSError."""
        with self.create(path) as file:
            file.write(data)

    def remove(self, path: str) -> None:
        """Takes back a file in the folder."""
        (self.folder / path).unlink()

    def write_identity(self, text: str) -> None:
        """The one-time identity. Raises OSError."""
        with _created(self._identity) as file:
            file.write(text.encode())

    def commit(self) -> None:
        """Gives both their names. Raises UsageFault, OSError: then neither has it.

        Nothing is waited for as in the store: a bundle can be made again.
        """
        self._refuse_existing()
        if self.target.exists():
            shutil.rmtree(self.target)
        self._identity.rename(self.identity_file)
        try:
            self.folder.rename(self.target)
        except OSError:
            with suppress(OSError):
                self.identity_file.unlink()
            raise

    def _refuse_existing(self) -> None:
        for path in (self.target, self.identity_file):
            if not self._force and (path.exists() or path.is_symlink()):
                raise UsageFault(f"{path} exists already; choose another name, or overwrite it with --force.")
        if self.target.exists() and not (self.target / DOCUMENT).is_file():
            raise UsageFault(
                f"{self.target} exists and is no bundle, so it is not overwritten: name another."
            )


def _created(path: Path) -> BinaryIO:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o600), "w+b")
