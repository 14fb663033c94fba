"""Small file systems of their own: ext4 on a loop device, tmpfs, read-only remounts, and power cuts.

    with ext4(tmp_path, size_mb=64) as disk:
        (disk.path / "a").write_bytes(b"…")
        disk.power_cut()                 # what was not synced is gone; every later access fails with EIO
        disk.remount()                   # the journal is replayed; look at what survived

Needs root, for mounting. Others can run a program by `in_own_namespace` (`unshare -Urm`), where tmpfs
can be mounted; ext4 on a loop device cannot, and the error says so. Nothing here skips.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# _IOR('X', 125, __u32) of Linux's fs/ext4/ext4.h; XFS and F2FS know the same number.
EXT4_IOC_SHUTDOWN = 2 << 30 | 4 << 16 | ord("X") << 8 | 125
NOLOGFLUSH = 2  # neither data nor journal is written out any more: what a power cut does
TIMEOUT_S = 30
# Inode tables and journal are made at once: a lazy initialisation would write in the background of the test.
_NOT_LAZY = "lazy_itable_init=0,lazy_journal_init=0"


class MountError(Exception):
    """A file system could not be made or mounted. The message says why and what is needed."""


class Mounted:
    """A mounted file system. It is unmounted at the end of its block, even after a power cut."""

    def __init__(self, path: Path, image: Path | None) -> None:
        self.path, self._image = path, image

    def read_only(self) -> None:
        """Remounts it read-only: every write then fails with EROFS, also for root.

        A MountError while a file is open for writing: the system refuses then.
        """
        _run("mount", "-o", "remount,ro", str(self.path))

    def writable(self) -> None:
        """Remounts it writable."""
        _run("mount", "-o", "remount,rw", str(self.path))

    def power_cut(self) -> None:
        """Drops what was not synced, at once (ext4 only). Until `remount`, access fails with EIO."""
        if self._image is None:
            raise MountError("Only ext4 can be cut off: tmpfs has no disk to survive on.")
        cut_power(self.path)

    def remount(self) -> None:
        """Unmounts it and mounts it again, replaying the journal. Close open files first, else it is busy."""
        if self._image is None:
            raise MountError("A tmpfs forgets everything when it is unmounted.")
        self.unmount()
        self.mount()

    def mount(self) -> None:
        """Mounts the image, with barriers, so that a sync is a sync."""
        assert self._image is not None
        _run("mount", "-t", "ext4", "-o", "loop,barrier=1", str(self._image), str(self.path))

    def unmount(self) -> None:
        """Unmounts it; the loop device goes with it."""
        _run("umount", str(self.path))


def cut_power(mount_point: Path) -> None:
    """Shuts an ext4 file system down without writing anything more, as xfstests' `godown -n` does."""
    directory = os.open(mount_point, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
    except OSError as error:
        raise MountError(f"The file system at {mount_point} cannot be cut off: {error.strerror}.") from error
    finally:
        os.close(directory)


@contextmanager
def ext4(directory: Path, size_mb: int = 64) -> Iterator[Mounted]:
    """An empty ext4 with a journal, on a loop device over a file in `directory`; without `lost+found`."""
    image = directory / "disk.img"
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    _run("mkfs.ext4", "-q", "-m", "0", "-O", "has_journal", "-E", _NOT_LAZY, str(image))
    path = Path(tempfile.mkdtemp(prefix="ext4-", dir=directory))
    mounted = Mounted(path, image)
    mounted.mount()
    try:
        (path / "lost+found").rmdir()
        yield mounted
    finally:
        _run("umount", "--lazy", str(path))
        path.rmdir()


class LossyMounted(Mounted):
    """An ext4 on a disk of `tests.support.lossy_disk`: it loses also what reached the disk, but no flush."""

    def __init__(self, path: Path, image: Path, disk: subprocess.Popen[str]) -> None:
        super().__init__(path, image)
        self._disk = disk
        self.lost_writes = 0

    def power_cut(self) -> None:
        """The disk forgets, then the file system learns of it. Until `remount`, access fails with EIO."""
        self.lost_writes = self._say("cut")
        cut_power(self.path)

    def remount(self) -> None:
        """The power is back: the journal is replayed from what the disk still has."""
        self.unmount()
        self._say("mend")
        self.mount()

    def _say(self, word: str) -> int:
        assert self._disk.stdin is not None and self._disk.stdout is not None
        self._disk.stdin.write(f"{word}\n")
        self._disk.stdin.flush()
        return int(self._disk.stdout.readline())


@contextmanager
def lossy_ext4(directory: Path, size_mb: int = 64) -> Iterator[LossyMounted]:
    """As `ext4`, on a disk that at a power cut forgets a random half of what it was not told to flush."""
    place = Path(tempfile.mkdtemp(prefix="lossy-", dir=directory))
    path = Path(tempfile.mkdtemp(prefix="ext4-", dir=directory))
    program = (sys.executable, "-m", "tests.support.lossy_disk", str(place), str(size_mb))
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as disk:
        assert disk.stdout is not None
        if disk.stdout.readline().strip() != "ready":
            raise MountError("The lossy disk cannot be served: it needs root and /dev/fuse.")
        image = place / "disk"
        _run("mkfs.ext4", "-q", "-m", "0", "-O", "has_journal", "-E", _NOT_LAZY, str(image))
        mounted = LossyMounted(path, image, disk)
        mounted.mount()
        try:
            (path / "lost+found").rmdir()
            mounted.unmount()  # also syncs
            mounted.mount()
            yield mounted
        finally:
            _run("umount", str(path))
            disk.communicate()
    path.rmdir()
    place.rmdir()


@contextmanager
def tmpfs(directory: Path, size_mb: int = 16) -> Iterator[Mounted]:
    """An empty tmpfs of a size, in a new directory within `directory`."""
    path = Path(tempfile.mkdtemp(prefix="tmpfs-", dir=directory))
    _run("mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=0700", "tmpfs", str(path))
    try:
        yield Mounted(path, None)
    finally:
        _run("umount", "--lazy", str(path))
        path.rmdir()


def in_own_namespace(*command: str) -> tuple[str, ...]:
    """The command in a mount namespace of its own: its mounts end with it, and need no real root."""
    if os.geteuid() == 0:
        # In a chroot the kernel refuses user namespaces and a change of propagation; root needs neither.
        return ("unshare", "--mount", "--propagation", "unchanged", *command)
    return ("unshare", "--user", "--map-root-user", "--mount", *command)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=_environment()
        )
    except FileNotFoundError as error:
        raise MountError(f"{command[0]} is missing: install it with tests/debian-packages.") from error
    if done.returncode != 0:
        why = done.stderr.strip() or f"exit code {done.returncode}"
        raise MountError(
            f"`{' '.join(command)}` failed: {why}. These tests need root and, for ext4, /dev/loop*."
        )


def _environment() -> dict[str, str]:
    """With the administrator's programs, which an ordinary user's PATH lacks on Debian."""
    return os.environ | {"PATH": f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin", "LC_ALL": "C"}
