"""An event's files on their way to their names.

Rules:
- What is under way is replaced whole: the new one is durable under its name before the old one goes.
- A file gets its last name only when it lasts, and replaces nothing; after that its name changes only for a
  later deadline.
- Every step can be interrupted: `recovery` goes on with what is there.
"""

from __future__ import annotations

import contextlib
import os
from io import BytesIO
from pathlib import Path

from crypto.recipient import Recipient
from crypto.seal import seal_bytes
from pipeline.chain.content import content_of
from pipeline.content import Content
from pipeline.durable import DISK, DiskCalls, fsync_directory, make_directories, rename_without_replacing
from pipeline.event_names import new_name, part_name
from pipeline.model import StreamName
from pipeline.names import SegmentName, StoredSegment, hour_directory

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class FileUnderWay:
    """One of an event's two files, of the stream `name`; `directory` is its hour's. For one thread."""

    def __init__(self, root: Path, stream: StreamName, start_ms: int, disk: DiskCalls = DISK) -> None:
        """Does nothing yet."""
        self._root = root
        self._stream = stream
        self._directory = root / hour_directory(stream, start_ms)
        self._disk = disk
        self._name: SegmentName | None = None
        self._published: StoredSegment | None = None
        self._plaintext = b""
        self.content: Content | None = None
        """What the file holds, for the chain; None before the first `save`."""

    @property
    def published(self) -> StoredSegment | None:
        """The file, when it has its last name."""
        return self._published

    def save(self, plaintext: bytes, name: SegmentName, recipient: Recipient) -> None:
        """Seals and keeps what there is, under the name that it would get now. Raises OSError.

        1. write it aside, and fsync
        2. give it its `.part` name, and fsync the folder
        3. remove the `.part` of before, if its name was another
        """
        if self._published is not None or (plaintext == self._plaintext and name == self._name):
            return
        make_directories(self._root, self._directory.relative_to(self._root).as_posix(), self._disk)
        before = self._name
        if before is not None and plaintext == self._plaintext:
            self._rename(part_name(before), part_name(name))
        else:
            sealed = seal_bytes(plaintext, [recipient])
            self._write(self._directory / new_name(name), sealed)
            self._rename(new_name(name), part_name(name))
            self.content = content_of(BytesIO(sealed), unfinished=False)
        self._name, self._plaintext = name, plaintext
        fsync_directory(self._directory, self._disk)
        if before not in (None, name):
            self._forget(before)

    def _rename(self, old: str, new: str) -> None:
        try:
            (self._directory / old).rename(self._directory / new)
        except FileNotFoundError:
            self._name = None  # somebody deleted it: the next try writes it anew
            raise

    def publish(self) -> StoredSegment:
        """Gives what was saved its last name. Raises OSError; call it again then.

        1. rename it without replacing
        2. fsync the folder
        """
        if self._name is None or self.content is None:
            raise ValueError("nothing was saved")
        if self._published is None:
            name, part = self._name, self._directory / part_name(self._name)
            try:
                rename_without_replacing(part, self._directory / str(name))
            except FileNotFoundError:
                self._name = None
                raise
            self._published = StoredSegment(self._stream, name, self.content.size_bytes)
        fsync_directory(self._directory, self._disk)
        return self._published

    def _write(self, path: Path, sealed: bytes) -> None:
        descriptor = os.open(path, _CREATE, 0o600)
        try:
            rest = bytearray(sealed)
            while rest:
                count = self._disk.pwrite(descriptor, rest, len(sealed) - len(rest))
                del rest[: max(count, 0)]
            self._disk.fsync(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        finally:
            os.close(descriptor)

    def _forget(self, name: SegmentName | None) -> None:
        if name is not None:
            with contextlib.suppress(OSError):  # a later `.part` counts for more: recovery removes this one
                (self._directory / part_name(name)).unlink()
