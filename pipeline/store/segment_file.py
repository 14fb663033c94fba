"""One segment on its way to disk: sealed as it comes, published only when it lasts.

Rules:
- No plaintext reaches the disk, and none stays here but what does not fill a chunk (at most 64 KiB).
- After `append` returned, a crash of this process loses nothing of it; after `flush` returned, a power cut
  neither.
- A write that fails (ENOSPC, EROFS, EIO) keeps its bytes in memory, in order; `retry` goes on at the same
  offset.
- A flush that fails is never tried again: the segment has failed, and can only be abandoned.
- What is abandoned stays as `.part` and `.tail` for `recover`.
Not for several threads at once, but for `sync`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from crypto.errors import CryptoError
from crypto.header import header_end
from crypto.recipient import Recipient
from crypto.seal import SealWriter, seal_bytes
from pipeline.content import Content, ContentHash
from pipeline.durable import DISK, DiskCalls, fsync_directory, make_directories, rename_without_replacing
from pipeline.model import SegmentMark
from pipeline.names import PartName, StoredSegment, hour_directory
from pipeline.store.errors import FlushFailed
from pipeline.store.held_file import HeldFile
from pipeline.store.layout import Store
from pipeline.store.tail import TailRecord

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class _State(Enum):
    OPEN = "open"
    SEALED = "sealed"
    PUBLISHED = "published"
    SETTLED = "settled"
    FAILED = "failed"
    ABANDONED = "abandoned"


def open_segment(
    store: Store, mark: SegmentMark, recipients: Sequence[Recipient], disk: DiskCalls = DISK
) -> SegmentFile:
    """Begins a segment. Raises StoreMissing, BadRecipient, and OSError, after which nothing of it is there.

    1. check that the store is the same as before
    2. make the hour's folder, each new folder fsynced into its parent
    3. create `.part` and `.tail`, neither of which may exist
    """
    store.open_check()
    name = PartName(mark.start_ns // 1_000_000, mark.sequence, mark.clock_unsure)
    directory = _hour_directory(store, mark, disk)
    part = os.open(directory / name.part, _CREATE, 0o600)
    try:
        tail = os.open(directory / name.tail, _CREATE, 0o600)
    except OSError:
        os.close(part)
        (directory / name.part).unlink()
        raise
    files = HeldFile(part, disk), HeldFile(tail, disk)
    try:
        return SegmentFile(mark, directory, name, recipients, *files, disk)
    except CryptoError:
        for file, path in zip(files, (name.part, name.tail), strict=True):
            file.close()
            (directory / path).unlink()
        raise


def _hour_directory(store: Store, mark: SegmentMark, disk: DiskCalls) -> Path:
    relative = hour_directory(mark.name, mark.start_ns // 1_000_000)
    try:
        return make_directories(store.root, relative, disk)
    except FileNotFoundError:  # retention removed the empty folder of an hour or a day just then
        return make_directories(store.root, relative, disk)


class SegmentFile:
    """A segment being written; `open_segment` makes it."""

    def __init__(
        self,
        mark: SegmentMark,
        directory: Path,
        name: PartName,
        recipients: Sequence[Recipient],
        part: HeldFile,
        tail: HeldFile,
        disk: DiskCalls,
    ) -> None:
        self._directory = directory
        self._name = name
        self._mark = mark
        self._recipients = recipients
        self._part = part
        self._tail = tail
        self._disk = disk
        self._plain_end = 0
        self._logged_end = 0
        self._duration_ns = 0
        self._named_for_good = False
        self._state = _State.OPEN
        self._published: StoredSegment | None = None
        self._content = ContentHash()
        self._writer = SealWriter(recipients, self._take)

    @property
    def mark(self) -> SegmentMark:
        """Where the segment belongs."""
        return self._mark

    @property
    def part_path(self) -> Path:
        """Its `.part` file: what `recover` must leave alone while this is open."""
        return self._directory / self._name.part

    @property
    def held_bytes(self) -> int:
        """How many sealed bytes wait for the disk; 0 unless a write failed."""
        return self._part.held_bytes + self._tail.held_bytes

    @property
    def size_bytes(self) -> int:
        """How many sealed bytes the segment has so far, without its tail log."""
        return self._part.size_bytes

    @property
    def content(self) -> Content:
        """What the file holds, for the chain; final once `seal` was called."""
        return self._content.content()

    @property
    def failed(self) -> bool:
        """Whether a flush failed, so that only `abandon` is left."""
        return self._state is _State.FAILED

    def append(self, plaintext: bytes, duration_ns: int) -> None:
        """Takes the init segment or a fragment; `duration_ns` is the media in the segment with it.

        1. push the plaintext through the seal: whole chunks go to `.part`
        2. seal what no whole chunk and no earlier record carries into a record of its own: it goes to `.tail`
        3. write both. Raises OSError if the disk does not take them: they are kept, call `retry`.
        """
        self._expect(_State.OPEN)
        self._writer.write(plaintext)
        self._plain_end += len(plaintext)
        self._duration_ns = duration_ns
        self._log_tail()
        self.retry()

    def _take(self, sealed: bytes) -> None:
        """What the seal hands out; the first is all of the header, and the nonce."""
        self._part.hold(sealed)
        end = 0 if self._content.size_bytes else header_end(sealed) or 0
        if end:
            self._content.header(sealed[:end])
        self._content.payload(sealed[end:] if end else sealed)

    def _log_tail(self) -> None:
        begin = max(self._writer.sealed_bytes, self._logged_end)
        delta = self._writer.pending[begin - self._writer.sealed_bytes :]
        if delta:
            record = TailRecord(begin, len(delta), self._duration_ns, seal_bytes(delta, self._recipients))
            self._tail.hold(bytes(record))
            self._logged_end = self._plain_end

    def retry(self) -> None:
        """Writes what is held, the sealed file before its log. Raises OSError; then it is still held."""
        self._part.drain()
        self._tail.drain()

    def flush(self) -> None:
        """Makes durable what was appended. Raises OSError if it cannot even be written (retriable), or
        FlushFailed.
        """
        self._check()
        if self._state is not _State.PUBLISHED:
            self.retry()
        self.sync()

    def sync(self) -> None:
        """Makes durable what has been written. Raises FlushFailed.

        May run in another thread beside `append` and `seal`, but not beside what closes a file: `publish`,
        `settle`, `abandon`.
        """
        self._check()
        if self._state is _State.PUBLISHED:  # only its name may not last yet
            self._or_fail(lambda: fsync_directory(self._directory, self._disk), "publishing")
            return
        self._or_fail(self._part.sync_data, "flushing")
        self._or_fail(self._tail.sync_data, "flushing")
        if not self._named_for_good:  # POSIX does not say that a file's fdatasync makes its name durable
            self._or_fail(lambda: fsync_directory(self._directory, self._disk), "flushing")
            self._named_for_good = True

    def fail(self) -> None:
        """A flush of the whole file system failed: as if `flush` had."""
        self._state = _State.FAILED

    def seal(self, duration_ns: int) -> None:
        """Ends the sealed file. Raises OSError if the disk does not take it; call it again then."""
        if self._state is not _State.SEALED:
            self._expect(_State.OPEN)
            self._duration_ns = duration_ns
            self._writer.finish()
            self._state = _State.SEALED
        self._part.drain()

    def publish(self, kept_until_ms: int = 0, *, flushed: bool = False) -> StoredSegment:
        """Gives a sealed segment its name. `flushed`: a group flush that began after `seal` returned has
        succeeded.

        1. fsync the file, unless `flushed`. Failing raises FlushFailed.
        2. rename it without replacing. Failing raises OSError; call it again, or abandon if the name is
           taken.
        3. fsync the folder, unless `flushed`: then the next group flush does it. Failing raises FlushFailed,
           though the segment has its name.
        """
        self._expect(_State.SEALED)
        flushed = flushed and self._part.held_bytes == 0  # else the group flush went by without its end
        self._part.drain()
        if not flushed:
            self._or_fail(self._part.sync, "flushing")
        name = self._name.published(self._duration_ns // 1_000_000, kept_until_ms=kept_until_ms)
        rename_without_replacing(self.part_path, self._directory / str(name))
        self._state = _State.PUBLISHED
        self._published = StoredSegment(self._mark.name, name, self._part.size_bytes)
        self._part.close()
        if not flushed:
            self._or_fail(lambda: fsync_directory(self._directory, self._disk), "publishing")
        return self._published

    def settle(self) -> None:
        """Removes the tail log of a published segment whose name is durable by now. Never raises for the
        disk.
        """
        self._expect(_State.PUBLISHED)
        self._tail.close()
        with contextlib.suppress(OSError):  # `recover` removes it at the next start
            (self._directory / self._name.tail).unlink()
        self._state = _State.SETTLED

    def finish(self, duration_ns: int, kept_until_ms: int = 0) -> StoredSegment:
        """seal, publish, settle. Raises as they do; after an OSError call it again."""
        if self._state in (_State.OPEN, _State.SEALED):
            self.seal(duration_ns)
            self.publish(kept_until_ms)
        self.settle()
        if self._published is None:
            raise AssertionError("settled without being published")
        return self._published

    def abandon(self) -> None:
        """Lets the files go as they are, for `recover`. Harmless in any state."""
        self._part.close()
        self._tail.close()
        self._state = _State.ABANDONED

    def _check(self) -> None:
        if self._state is _State.FAILED:
            raise FlushFailed(f"{self.part_path} has failed before and must be abandoned")

    def _expect(self, state: _State) -> None:
        self._check()
        if self._state is not state:
            raise ValueError(f"the segment is {self._state.value}, not {state.value}")

    def _or_fail(self, sync: Callable[[], None], doing: str) -> None:
        try:
            sync()
        except OSError as error:
            self._state = _State.FAILED
            raise FlushFailed(
                f"{doing} {self.part_path} failed ({error.strerror}): "
                "its last seconds may be lost, check the disk"
            ) from error
