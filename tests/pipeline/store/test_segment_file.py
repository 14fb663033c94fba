"""A segment is published whole or not at all; what a full or failing disk refuses is kept, in order."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.errors import BadRecipient
from crypto.identity import X25519Identity
from crypto.recipient import Recipient
from crypto.unseal import unseal_bytes
from pipeline import walk
from pipeline.durable import DiskCalls
from pipeline.envelope import could_be_whole, first_chunk
from pipeline.store import FlushFailed, Store, open_segment, recover
from tests.support.store_writing import (
    FRONT,
    NOON_MS,
    append_fragments,
    fragment_bytes,
    mark,
    plaintext,
    write_segment,
)

ALL_SIZES = range(4)


class FlakyDisk:
    """Writes at most `per_call` bytes at once, and fails while `fault` is set."""

    def __init__(self, per_call: int = 1 << 30) -> None:
        self.fault = 0
        self.fsync_fault = 0
        self.per_call = per_call
        self.fsyncs = 0

    def calls(self) -> DiskCalls:
        return DiskCalls(self.pwrite, self.sync, self.sync)

    def pwrite(self, descriptor: int, content: bytearray, offset: int) -> int:
        if self.fault:
            raise OSError(self.fault, os.strerror(self.fault))
        return os.pwrite(descriptor, bytes(content[: self.per_call]), offset)

    def sync(self, descriptor: int) -> None:
        self.fsyncs += 1
        if self.fsync_fault:
            raise OSError(self.fsync_fault, os.strerror(self.fsync_fault))
        os.fsync(descriptor)


def _files(store: Store) -> list[str]:
    return sorted(path.name for path in (store.root / "front/main/2026-11-22/12").iterdir())


def _opened(store: Store, path: str, identity: X25519Identity) -> bytes:
    return unseal_bytes((store.root / path).read_bytes(), [identity])


@pytest.mark.parametrize("sequence", ALL_SIZES)
def test_a_published_segment_is_one_whole_age_file(
    store: Store, recipients: list[Recipient], identity: X25519Identity, sequence: int
) -> None:
    published = write_segment(store, recipients, sequence)
    assert _files(store) == [f"{NOON_MS + sequence * 10_000}+10000.{sequence}.mp4.age"]
    assert _opened(store, published.path, identity) == plaintext(sequence, 10 * fragment_bytes(sequence))
    content = (store.root / published.path).read_bytes()
    assert published.size_bytes == len(content)
    first = first_chunk(content[:200])
    assert first is not None
    assert could_be_whole(first, len(content))


def test_the_names_carry_clock_and_deadline(store: Store, recipients: list[Recipient]) -> None:
    segment = open_segment(store, mark(7, unsure=True), recipients)
    append_fragments(segment, 1)
    assert _files(store) == [f"{NOON_MS}.7.c.part", f"{NOON_MS}.7.c.tail"]
    published = segment.finish(1_040_000_000, kept_until_ms=NOON_MS + 5)
    assert _files(store) == [f"{NOON_MS}+1040.7.c.k{NOON_MS + 5}.mp4.age"]
    assert walk.segments(store.root, next(walk.hours(store.root, FRONT))) == [published]


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("sequence", ALL_SIZES)
def test_a_disk_that_fails_for_a_while_loses_nothing(
    store: Store, recipients: list[Recipient], identity: X25519Identity, fault: int, sequence: int
) -> None:
    flaky = FlakyDisk(per_call=1000)
    segment = open_segment(store, mark(sequence), recipients, flaky.calls())
    size = fragment_bytes(sequence)
    for number in range(10):
        flaky.fault = fault if number % 3 == 1 else 0
        try:
            append_fragments(segment, 1, number)
        except OSError as error:
            assert (error.errno, segment.held_bytes > 0) == (fault, True)
    flaky.fault = fault
    with pytest.raises(OSError, match=os.strerror(fault)):
        segment.finish(10_000_000_000)
    flaky.fault = 0
    published = segment.finish(10_000_000_000)
    assert segment.held_bytes == 0
    assert _opened(store, published.path, identity) == plaintext(sequence, 10 * size)
    assert len(_files(store)) == 1


def test_retry_goes_on_at_the_same_offset(store: Store, recipients: list[Recipient]) -> None:
    flaky = FlakyDisk()
    segment = open_segment(store, mark(3), recipients, flaky.calls())
    append_fragments(segment, 1)
    flaky.fault = errno.ENOSPC
    with pytest.raises(OSError, match="No space"):
        append_fragments(segment, 1, 1)
    before, held = segment.part_path.stat().st_size, segment.held_bytes
    flaky.fault = 0
    segment.retry()
    assert held > 0
    assert segment.held_bytes == 0
    assert segment.part_path.stat().st_size == segment.size_bytes > before
    segment.abandon()


@pytest.mark.parametrize("step", ["flush", "finish"])
def test_a_failed_flush_is_never_tried_again(store: Store, recipients: list[Recipient], step: str) -> None:
    flaky = FlakyDisk()
    segment = open_segment(store, mark(1), recipients, flaky.calls())
    append_fragments(segment, 3)
    attempt: Callable[[], object] = (
        segment.flush if step == "flush" else lambda: segment.finish(3_000_000_000)
    )
    flaky.fsync_fault = errno.EIO
    with pytest.raises(FlushFailed, match="last seconds may be lost"):
        attempt()
    flaky.fsync_fault = 0
    done = flaky.fsyncs
    for again in (attempt, lambda: append_fragments(segment, 1), lambda: segment.finish(1), segment.publish):
        with pytest.raises(FlushFailed, match="must be abandoned"):
            again()
    assert flaky.fsyncs == done
    assert segment.failed
    segment.abandon()
    assert _files(store) == [f"{NOON_MS}.1.part", f"{NOON_MS}.1.tail"]
    assert [found.name.unfinished for found in recover(store, "front").published] == [True]


def test_a_name_that_is_taken_is_not_replaced(store: Store, recipients: list[Recipient]) -> None:
    segment = open_segment(store, mark(1), recipients)
    append_fragments(segment, 1)
    taken = segment.part_path.with_name(f"{NOON_MS}+1000.1.mp4.age")
    taken.write_bytes(b"another")
    with pytest.raises(FileExistsError):
        segment.finish(1_000_000_000)
    assert taken.read_bytes() == b"another"
    segment.abandon()


def test_a_group_flush_may_stand_for_the_fsyncs(
    store: Store, recipients: list[Recipient], identity: X25519Identity
) -> None:
    flaky = FlakyDisk()
    segment = open_segment(store, mark(3), recipients, flaky.calls())
    append_fragments(segment, 2)
    before = flaky.fsyncs
    segment.seal(2_000_000_000)
    published = segment.publish(flushed=True)
    assert flaky.fsyncs == before
    assert _files(store) == [str(published.name), f"{NOON_MS}.3.tail"]
    segment.settle()
    assert _files(store) == [str(published.name)]
    assert len(_opened(store, published.path, identity)) == 400_000


def test_what_a_group_flush_missed_is_flushed_before_it_is_published(
    store: Store, recipients: list[Recipient]
) -> None:
    flaky = FlakyDisk()
    segment = open_segment(store, mark(3), recipients, flaky.calls())
    append_fragments(segment, 2)
    flaky.fault = errno.ENOSPC
    with pytest.raises(OSError, match="No space"):
        segment.seal(2_000_000_000)
    flaky.fault = 0
    before = flaky.fsyncs
    segment.publish(flushed=True)
    assert flaky.fsyncs > before
    segment.abandon()


def test_no_plaintext_is_on_disk(store: Store, recipients: list[Recipient]) -> None:
    segment = open_segment(store, mark(1), recipients)
    append_fragments(segment, 5)
    content = plaintext(1, 5 * fragment_bytes(1))
    canaries = [content[at : at + 16] for at in range(0, len(content), 5000)]
    written = b"".join(path.read_bytes() for path in Path(store.root).rglob("*") if path.is_file())
    assert len(written) > len(content)
    assert not any(canary in written for canary in canaries)
    segment.abandon()


def test_without_a_recipient_nothing_is_begun(store: Store) -> None:
    with pytest.raises(BadRecipient):
        open_segment(store, mark(1), [])
    assert _files(store) == []


def test_the_first_flush_makes_the_names_durable(store: Store, recipients: list[Recipient]) -> None:
    disk = FlakyDisk()
    segment = open_segment(store, mark(1), recipients, disk.calls())
    counts = []
    for number in range(3):
        append_fragments(segment, 1, number)
        before = disk.fsyncs
        segment.flush()
        counts.append(disk.fsyncs - before)
    assert counts == [3, 2, 2]
    segment.abandon()
