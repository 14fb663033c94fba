"""A household's store on a file system of its own, whose mount point a test can take away and bring back.

with tmpfs(tmp_path, 64) as disk, store_on(house, disk) as mounted:
    mounted.away(); mounted.back()           # below the mount point is an empty folder of the root disk
    mounted.read_only(); mounted.writable()  # files that are open stay writable, as the kernel has it
    mounted.fill(); mounted.make_room()      # somebody else takes all the space
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.household import Household
from tests.support.mounts import Mounted

OTHERS = "somebody-elses-file"
TIMEOUT_S = 30


class MountedStore:
    """The store at `point`, which shows the file system at `disk`."""

    def __init__(self, point: Path, disk: Path) -> None:
        self.point, self.disk = point, disk

    def away(self) -> None:
        """Unmounts it, open files or not."""
        _run("umount", "--lazy", str(self.point))

    def back(self) -> None:
        """Mounts it again."""
        _run("mount", "--bind", str(self.disk), str(self.point))

    def read_only(self) -> None:
        """Everything that is opened, made, renamed or removed by its path fails with EROFS from now on.

        A second mount over the first: the system refuses to remount what has files open for writing.
        """
        self.back()
        _run("mount", "-o", "remount,bind,ro", str(self.point))

    def writable(self) -> None:
        """Ends that."""
        self.away()

    def fill(self) -> None:
        """Takes all space that is left, to the last block, whoever else writes meanwhile."""
        with (self.disk / OTHERS).open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(1 << 20)):
                pass

    def make_room(self) -> None:
        """Gives it back."""
        (self.disk / OTHERS).unlink()


@contextlib.contextmanager
def store_on(house: Household, disk: Mounted) -> Iterator[MountedStore]:
    """Moves the store onto `disk` and mounts that in its place, until the block ends."""
    for content in list(house.store.iterdir()):
        shutil.move(content, disk.path / content.name)
    mounted = MountedStore(house.store, disk.path)
    mounted.back()
    try:
        yield mounted
    finally:
        while os.path.ismount(house.store):
            mounted.away()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)
