"""The files an export writes: under a temporary name until all is well, readable by their owner only.

Rules:
- Nothing that exists is overwritten without `force`, also not what appears while we write.
- Either all files get their names or, when anything fails, nothing stays behind.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from nvr.errors import UsageFault


class ExportFiles:
    """`out.mp4`, `out-2.mp4`, …. A context: what was not committed when it ends is removed.

    An OSError without a file name that ends it is taken for one of writing here.
    """

    def __init__(self, target: Path, *, force: bool, example: str = "clip.mp4") -> None:
        """Raises UsageFault when the target exists, is a folder, or has no folder to lie in."""
        self._target = target
        self._force = force
        self._open: list[tuple[BinaryIO, Path, Path]] = []
        if not target.parent.is_dir():
            raise UsageFault(f"There is no folder {target.parent}; make it first.")
        if target.is_dir():
            raise UsageFault(f"{target} is a folder; name a file, like {target / example}.")
        self._refuse_existing(target)

    def __enter__(self) -> ExportFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file, temporary, _ in self._open:
            with suppress(OSError):  # what a full disk refused once, it refuses again
                file.close()
            temporary.unlink(missing_ok=True)
        if (
            isinstance(error, OSError) and error.filename is None
        ):  # from a write, which does not know its name
            raise OSError(error.errno, error.strerror, str(self._target)) from None

    def path(self, number: int) -> Path:
        """The name of file 1, 2, …."""
        return self._target if number == 1 else self._target.with_stem(f"{self._target.stem}-{number}")

    def open(self, number: int) -> BinaryIO:
        """A new file for writing. Raises UsageFault when its name is taken, OSError."""
        path = self.path(number)
        self._refuse_existing(path)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "w+b")
        self._open.append((file, temporary, path))
        return file

    def commit(self) -> None:
        """Gives every file its name. Raises UsageFault, OSError.

        Nothing is waited for as in the store: an export can be made again.
        """
        for file, _, path in self._open:
            file.close()
            self._refuse_existing(path)
        while self._open:
            _, temporary, path = self._open[0]
            temporary.rename(path)
            self._open.pop(0)

    def _refuse_existing(self, path: Path) -> None:
        if not self._force and path.exists():
            raise UsageFault(f"{path} exists already; choose another name, or overwrite it with --force.")
