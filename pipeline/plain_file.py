"""Reads a small file of the store whole, whatever somebody put in its place while nobody looked.

Nothing is followed, and nothing waited for: a link, a pipe or a device is no file of the store. What is
larger than any of its kind is not read into memory.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

LARGEST_BYTES = 1 << 28  # of a chain's file: four million segments under one day key
PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Flags to open a file of the store with: a link, or a pipe that nobody reads, is refused at once."""


def read_plain(path: Path, largest_bytes: int = LARGEST_BYTES) -> bytes:
    """What the file holds. Raises FileNotFoundError, and OSError for what is no plain file or too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | PLAIN)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _refused(path, "it is a link") from None
        raise
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _refused(path, "it is no plain file")
        if found.st_size > largest_bytes:
            raise _refused(path, "it is larger than such a file can be")
        return file.read(largest_bytes)


def _refused(path: Path, why: str) -> OSError:
    return OSError(errno.EINVAL, why, str(path))
