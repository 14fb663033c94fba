"""One syncfs serves all who asked before it began, and nobody who asked later."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path

import pytest

from crypto.recipient import Recipient
from pipeline.durable import sync_file_system
from pipeline.store import FlushFailed, GroupFlush, Store, has_own_file_system, next_tick_ns, open_segment
from tests.support.store_writing import append_fragments, mark


class SlowDisk:
    """A syncfs that waits until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)
        self.count = 0

    def syncfs(self, descriptor: int) -> None:
        self.count += 1
        self.begun.release()
        assert self.go.acquire(timeout=30)
        sync_file_system(descriptor)

    def clock(self) -> int:
        now = time.monotonic_ns()
        self.asked.release()
        return now


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    directory.mkdir()
    return directory


def test_a_syncfs_serves_who_asked_before_it_began(store: Store, run_dir: Path) -> None:
    disk = SlowDisk()
    flushes = [GroupFlush(store, run_dir, True, disk.syncfs, disk.clock) for _ in range(5)]
    threads = [threading.Thread(target=flush.sync) for flush in flushes]
    threads[0].start()
    assert disk.begun.acquire(timeout=30)
    for _ in range(2):  # when it asked, and when it began
        disk.asked.acquire(timeout=30)
    for thread in threads[1:]:
        thread.start()
        assert disk.asked.acquire(timeout=30)
    disk.go.release(2)
    for thread in threads:
        thread.join(30)
    assert disk.count == 2  # the first began before the four asked, one more serves them all
    assert sum(flush.issued for flush in flushes) == 2
    assert sum(flush.shared for flush in flushes) == 3
    for flush in flushes:
        flush.close()


def test_who_asks_later_is_not_served_by_what_was_before(store: Store, run_dir: Path) -> None:
    first, second = (GroupFlush(store, run_dir, True) for _ in range(2))
    for flush in (first, second, first):
        assert flush.sync()
    assert (first.issued, second.issued, first.shared + second.shared) == (2, 1, 0)


@pytest.mark.parametrize(
    "note", [b"another-boot 99999999999999999999\n", b"", b"nonsense", b"%s 99999999999999999999\n"]
)
def test_a_note_of_another_boot_serves_nobody(store: Store, run_dir: Path, note: bytes) -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    (run_dir / "flush").write_bytes(note % boot if b"%s" in note else note)
    flush = GroupFlush(store, run_dir, True)
    assert flush.sync()
    assert flush.issued == 1


def test_a_note_that_cannot_be_written_fails_no_segment(
    store: Store, run_dir: Path, recipients: list[Recipient]
) -> None:
    (run_dir / "flush").symlink_to("/dev/full")
    segment = open_segment(store, mark(0), recipients)
    flush = GroupFlush(store, run_dir, True)
    assert flush.flush([segment]) == []
    assert not segment.failed
    flush.close()
    segment.abandon()


def test_a_failed_syncfs_fails_every_segment_and_serves_nobody(
    store: Store, run_dir: Path, recipients: list[Recipient]
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    segments = [open_segment(store, mark(sequence), recipients) for sequence in range(2)]
    assert GroupFlush(store, run_dir, True, fail).flush(segments) == segments
    with pytest.raises(FlushFailed):
        append_fragments(segments[0], 1)
    assert (run_dir / "flush").read_bytes() == b""
    for segment in segments:
        segment.abandon()


def test_on_a_shared_file_system_each_segment_is_flushed(
    store: Store, run_dir: Path, recipients: list[Recipient]
) -> None:
    segments = [open_segment(store, mark(sequence), recipients) for sequence in range(3)]
    segments[1].fail()
    flush = GroupFlush(store, run_dir, False)
    assert flush.flush(segments) == [segments[1]]
    assert flush.issued == 3
    for segment in segments:
        segment.abandon()


def test_ticks_are_the_same_for_all() -> None:
    assert next_tick_ns(0, 2000) == 2000
    assert next_tick_ns(1999, 2000) == 2000
    assert next_tick_ns(2000, 2000) == 4000


def test_a_store_beside_the_system_has_no_file_system_of_its_own(tmp_path: Path) -> None:
    assert not has_own_file_system(tmp_path)
    assert has_own_file_system(Path("/proc"))
