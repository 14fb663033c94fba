"""What makes a change to a file system last, as thin calls on Linux. Everything here blocks.

Rules:
- A name is durable only when its folder has been fsynced after it appeared, changed or went.
- A failed fsync says that bytes are lost: it raises, and whoever called gives the file up. Trying again would
  succeed and mean nothing, since the kernel has forgotten the dirty pages by then.
- Nothing here replaces an existing file, except `write_replacing`, which is for whole small files.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_RENAME_NOREPLACE = 1
_AT_FDCWD = -100
_NOT_HERE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


@dataclass(frozen=True, slots=True)
class DiskCalls:
    """The calls that can meet a full or failing disk. Tests put failing ones in their place."""

    pwrite: Callable[[int, bytearray, int], int] = os.pwrite
    fdatasync: Callable[[int], None] = os.fdatasync
    fsync: Callable[[int], None] = os.fsync


DISK = DiskCalls()


@functools.lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def fsync_directory(directory: Path, disk: DiskCalls = DISK) -> None:
    """Makes the names in `directory` durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directories(root: Path, relative: str, disk: DiskCalls = DISK) -> Path:
    """The folder `root/relative`, made durably where it was missing; `root` itself is never made. Raises
    OSError.
    """
    directory = root
    for component in relative.split("/"):
        parent, directory = directory, directory / component
        try:
            directory.mkdir(0o700)
        except FileExistsError:
            continue
        fsync_directory(parent, disk)
    return directory


def rename_without_replacing(old: Path, new: Path) -> None:
    """Gives `old` the name `new` in the same folder. Raises FileExistsError if that name is taken, or
    OSError.

    Where the file system cannot rename so, a hard link and an unlink do the same; where it has no hard links
    either (some FUSE ones), a look before the rename must do: each camera has one writer, which holds its
    lock.
    """
    result = _libc().renameat2(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), _RENAME_NOREPLACE)
    if result == 0:
        return
    code = ctypes.get_errno()
    if code not in _NOT_HERE:
        raise OSError(code, os.strerror(code), str(new))
    _link_and_unlink(old, new)


def _link_and_unlink(old: Path, new: Path) -> None:
    try:
        os.link(old, new)
    except FileExistsError:
        raise
    except OSError:
        if new.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new)) from None
        old.rename(new)
    else:
        old.unlink()


def sync_file_system(descriptor: int) -> None:
    """Writes out everything of the file system that `descriptor` lies on. Raises OSError, also for older
    losses.

    Linux reports a failed write-back here since 5.8, once for each open descriptor.
    """
    if _libc().syncfs(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def write_replacing(path: Path, content: bytes) -> None:
    """Makes `path` hold `content`, wholly or not at all, even across a power cut. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    fsync_directory(path.parent)
