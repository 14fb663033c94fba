"""Real disks that are cut off, full or read-only: what was flushed is there, what was published is whole."""

from __future__ import annotations

import contextlib
import errno
import io
import random
from pathlib import Path

import pytest

from crypto.identity import X25519Identity
from crypto.recipient import Recipient
from crypto.unseal import unseal_bytes
from nvr.keyholder.unfinished import unfinished_plaintext
from pipeline import walk
from pipeline.names import StoredSegment
from pipeline.store import (
    FlushFailed,
    GroupFlush,
    SegmentFile,
    Store,
    StoreMissing,
    hold,
    lock_camera,
    open_segment,
    recover,
)
from tests.support.mounts import Mounted, ext4, tmpfs
from tests.support.store_writing import (
    FRAGMENTS,
    FRONT,
    NOON_MS,
    append_fragments,
    fragment_bytes,
    make_store,
    mark,
    plaintext,
    write_segment,
)


def _segments(store: Store) -> dict[int, StoredSegment]:
    hours = walk.hours(store.root, FRONT)
    return {found.name.sequence: found for hour in hours for found in walk.segments(store.root, hour)}


def _opened(store: Store, segment: StoredSegment, identity: X25519Identity) -> bytes:
    content = (store.root / segment.path).read_bytes()
    if segment.name.unfinished:
        return b"".join(unfinished_plaintext(io.BytesIO(content), [identity]))
    return unseal_bytes(content, [identity])


class _Camera:
    """Writes segments with a flush every second fragment, and remembers what lasts, in fragments."""

    def __init__(self, store: Store, recipients: list[Recipient], flush: GroupFlush | None) -> None:
        self.store, self._recipients, self._flush = store, recipients, flush
        self.lasting: dict[int, int] = {}
        self._published: SegmentFile | None = None

    def record(self, sequence: int, fragments: int) -> None:
        """The fragments of one segment; finishes it if that is all."""
        segment = open_segment(self.store, mark(sequence, NOON_MS + sequence * 10_000), self._recipients)
        for number in range(fragments):
            append_fragments(segment, 1, number)
            if number % 2:
                self._flush_all(segment)
                self.lasting[sequence] = number + 1
        if fragments < FRAGMENTS:
            segment.abandon()
        elif self._flush is None:
            segment.finish(10_000_000_000)
        else:
            segment.seal(10_000_000_000)
            self._flush_all(segment)
            segment.publish(flushed=True)
            self._published = segment

    def _flush_all(self, segment: SegmentFile) -> None:
        if self._flush is None:
            segment.flush()
            return
        assert self._flush.flush([segment]) == []
        if self._published is not None:
            self._published.settle()
            self._published = None


@pytest.mark.parametrize("grouped", [True, False])
def test_a_power_cut_costs_no_more_than_since_the_last_flush(
    tmp_path: Path, recipients: list[Recipient], identity: X25519Identity, grouped: bool
) -> None:
    moments = random.Random(11)
    with ext4(tmp_path, 64) as disk:
        root = make_store(disk.path / "store").root
        sequence = 0
        for _ in range(4):
            store = Store(root)
            flush = GroupFlush(store, tmp_path, True) if grouped else None
            camera = _Camera(store, recipients, flush)
            for fragments in (FRAGMENTS, FRAGMENTS, moments.randrange(1, FRAGMENTS)):
                camera.record(sequence, fragments)
                sequence += 1
            if flush is not None:
                flush.close()
            disk.power_cut()
            disk.remount()
            recover(Store(root), "front")
            found = _segments(store)
            for number, fragments in camera.lasting.items():
                opened = _opened(store, found[number], identity)
                assert len(opened) >= fragments * fragment_bytes(number)
                assert opened == plaintext(number, len(opened))
        for segment in _segments(store).values():
            _opened(store, segment, identity)


def test_without_a_flush_a_power_cut_does_lose_something(tmp_path: Path, recipients: list[Recipient]) -> None:
    """The test above can fail: this disk does drop what was not flushed."""
    with ext4(tmp_path, 64) as disk:
        store = make_store(disk.path / "store")
        segment = open_segment(store, mark(1), recipients)
        append_fragments(segment, 5)
        segment.abandon()
        disk.power_cut()
        disk.remount()
        assert recover(Store(store.root), "front").published == ()


def test_a_disk_that_dies_fails_loudly(tmp_path: Path, recipients: list[Recipient]) -> None:
    with ext4(tmp_path, 64) as disk:
        store = make_store(disk.path / "store")
        segment = open_segment(store, mark(3), recipients)
        append_fragments(segment, 2)
        disk.power_cut()
        with pytest.raises((FlushFailed, OSError), match="Input/output error"):
            segment.flush()
        with pytest.raises((OSError, StoreMissing)):
            open_segment(store, mark(4), recipients)
        segment.abandon()


def _fill(disk: Mounted) -> Path:
    ballast = disk.path / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_full_disk_costs_nothing_once_there_is_room(
    tmp_path: Path, recipients: list[Recipient], identity: X25519Identity
) -> None:
    with tmpfs(tmp_path, 8) as disk:
        store = make_store(disk.path / "store")
        segment = open_segment(store, mark(3), recipients)
        append_fragments(segment, 1)
        ballast = _fill(disk)
        for number in range(1, 5):
            with pytest.raises(OSError, match="No space left") as full:
                append_fragments(segment, 1, number)
            assert full.value.errno == errno.ENOSPC
        ballast.unlink()
        append_fragments(segment, 5, 5)
        published = segment.finish(10_000_000_000)
        assert _opened(store, published, identity) == plaintext(3, FRAGMENTS * fragment_bytes(3))


def test_recovery_on_a_full_disk_waits_for_room(
    tmp_path: Path, recipients: list[Recipient], identity: X25519Identity
) -> None:
    with tmpfs(tmp_path, 8) as disk:
        store = make_store(disk.path / "store")
        segment = open_segment(store, mark(1), recipients)
        length = append_fragments(segment, 2)
        segment.abandon()
        ballast = _fill(disk)
        found = recover(store, "front")
        assert found.published == ()
        assert "No space left" in found.failures[0]
        ballast.unlink()
        (published,) = recover(store, "front").published
        assert _opened(store, published, identity) == plaintext(1, length)


def test_a_read_only_disk_is_said_and_loses_nothing(
    tmp_path: Path, recipients: list[Recipient], identity: X25519Identity
) -> None:
    with tmpfs(tmp_path, 8) as disk:
        store = make_store(disk.path / "store")
        published = write_segment(store, recipients, 1)
        disk.read_only()
        for attempt in (
            lambda: open_segment(store, mark(2), recipients),
            lambda: lock_camera(store, "front"),
            lambda: hold(store, "front", 1, 2, 3),
        ):
            with pytest.raises(OSError, match="Read-only file system"):
                attempt()
        assert _opened(store, published, identity) == plaintext(1, FRAGMENTS * fragment_bytes(1))
        disk.writable()
        write_segment(store, recipients, 2)


def test_an_unmounted_store_is_refused(tmp_path: Path, recipients: list[Recipient]) -> None:
    with ext4(tmp_path, 64) as disk:
        store = make_store(disk.path)
        write_segment(store, recipients, 1)
        disk.unmount()
        with pytest.raises(StoreMissing, match="not mounted"):
            open_segment(store, mark(2), recipients)
        with pytest.raises(StoreMissing, match="not mounted"):
            Store(disk.path).open_check()
        assert list(disk.path.iterdir()) == []
        disk.mount()
        write_segment(store, recipients, 2)
