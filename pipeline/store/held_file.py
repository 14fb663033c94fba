"""A file that is only appended to, and that keeps in memory what the disk would not take."""

from __future__ import annotations

import errno
import os

from pipeline.durable import DiskCalls


class HeldFile:
    """Appends at an offset of its own, so that a write which failed or was cut short goes on where it
    stopped.
    """

    def __init__(self, descriptor: int, disk: DiskCalls) -> None:
        """Takes over the descriptor of an empty file."""
        self._descriptor = descriptor
        self._disk = disk
        self._held = bytearray()
        self._written = 0

    @property
    def held_bytes(self) -> int:
        """How many bytes wait for the disk."""
        return len(self._held)

    @property
    def size_bytes(self) -> int:
        """How long the file is, or will be when it holds everything."""
        return self._written + len(self._held)

    def hold(self, content: bytes) -> None:
        """Takes the bytes; `drain` writes them."""
        self._held += content

    def drain(self) -> None:
        """Writes what is held. Raises OSError; what was not written stays held, and a later call goes on
        there.
        """
        while self._held:
            count = self._disk.pwrite(self._descriptor, self._held, self._written)
            if count <= 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._written += count
            del self._held[:count]

    def sync_data(self) -> None:
        """fdatasync: the bytes and the size are durable. Raises OSError."""
        self._disk.fdatasync(self._descriptor)

    def sync(self) -> None:
        """fsync. Raises OSError."""
        self._disk.fsync(self._descriptor)

    def close(self) -> None:
        """Lets the file go; what is still held is lost with it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._held = bytearray()
