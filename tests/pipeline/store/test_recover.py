"""After SIGKILL everything that `append` took is there, nothing published is unreadable, and no hand is
needed.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crypto.identity import X25519Identity
from crypto.recipient import Recipient
from crypto.unseal import unseal_bytes
from nvr.keyholder.unfinished import unfinished_plaintext
from pipeline import walk
from pipeline.envelope import SEALED_CHUNK_BYTES, first_chunk
from pipeline.names import StoredSegment
from pipeline.store import SegmentFile, Store, last_sequence, open_segment, recover
from pipeline.store.tail import records_begin
from tests.support.store_writing import (
    FRAGMENTS,
    FRONT,
    append_fragments,
    fragment_bytes,
    mark,
    plaintext,
    write_segment,
)

ROOT = Path(__file__).parents[3]


def _segments(store: Store) -> list[StoredSegment]:
    return [found for hour in walk.hours(store.root, FRONT) for found in walk.segments(store.root, hour)]


def _opened(store: Store, segment: StoredSegment, identity: X25519Identity) -> bytes:
    content = (store.root / segment.path).read_bytes()
    assert len(content) == segment.size_bytes
    if segment.name.unfinished:
        return b"".join(unfinished_plaintext(io.BytesIO(content), [identity]))
    return unseal_bytes(content, [identity])


def _record_until(store: Store, identity: X25519Identity, lines: int) -> dict[int, int]:
    """Kills a recording process after that many of its lines; the fragments of each segment that it had
    reported.
    """
    command = [sys.executable, "-m", "tests.support.store_writing", str(store.root), str(identity.recipient)]
    reported: dict[int, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        for number, line in enumerate(process.stdout):
            if number == lines:
                process.send_signal(signal.SIGKILL)
            if not line.endswith("\n"):
                break  # the kill came while it was writing its last line
            _, sequence, fragments = line.split()
            reported[int(sequence)] = int(fragments)
    assert process.returncode == -signal.SIGKILL
    return reported


def test_sigkill_at_random_moments_loses_nothing_appended(store: Store, identity: X25519Identity) -> None:
    moments = random.Random(7)
    for _ in range(8):
        reported = _record_until(store, identity, moments.randrange(40))
        recover(store, "front")
        found = {segment.name.sequence: segment for segment in _segments(store)}
        for sequence, fragments in reported.items():
            opened = _opened(store, found[sequence], identity)
            assert len(opened) >= fragments * fragment_bytes(sequence)
            assert opened == plaintext(sequence, len(opened))
            assert found[sequence].name.duration_ms >= fragments * 1000
    for segment in _segments(store):
        _opened(store, segment, identity)
    assert list(store.root.rglob("*.part")) == list(store.root.rglob("*.tail")) == []
    assert last_sequence(store, FRONT) == max(segment.name.sequence for segment in _segments(store))


@pytest.mark.parametrize("sequence", range(4))
@pytest.mark.parametrize("fragments", [1, 2, 7])
def test_recovery_may_be_cut_off_anywhere_and_repeated(
    store: Store, recipients: list[Recipient], identity: X25519Identity, sequence: int, fragments: int
) -> None:
    segment = open_segment(store, mark(sequence), recipients)
    length = append_fragments(segment, fragments)
    segment.abandon()
    part, tail = segment.part_path, segment.part_path.with_suffix(".tail")
    log = tail.read_bytes()
    (published,) = recover(store, "front").published
    whole = (store.root / published.path).read_bytes()
    first = first_chunk(whole)
    assert first is not None
    chunks = first + SEALED_CHUNK_BYTES * records_begin(io.BytesIO(whole), first, len(whole))
    for cut in [chunks, len(whole), *random.Random(sequence).choices(range(chunks, len(whole) + 1), k=10)]:
        (store.root / published.path).unlink()
        # What a repeat finds when the tail records were being appended, or the rename had not happened.
        part.write_bytes(whole[:cut])
        tail.write_bytes(log)
        assert recover(store, "front").published == (published,)
        assert _opened(store, published, identity) == plaintext(sequence, length)
        assert not part.exists()
        assert not tail.exists()


def test_a_segment_sealed_but_not_renamed_is_recovered_whole(
    store: Store, recipients: list[Recipient], identity: X25519Identity
) -> None:
    for sequence in range(4):
        segment = open_segment(store, mark(sequence, 1000), recipients)
        append_fragments(segment, FRAGMENTS)
        segment.seal(10_000_000_000)
        segment.abandon()
    for found in recover(store, "front").published:
        assert found.name.duration_ms == 10_000
        sequence = found.name.sequence
        assert _opened(store, found, identity) == plaintext(sequence, FRAGMENTS * fragment_bytes(sequence))


def test_leftovers_of_a_published_segment_go(store: Store, recipients: list[Recipient]) -> None:
    published = write_segment(store, recipients, 1)
    path = store.root / published.path
    stem = f"{published.name.start_ms}.1"
    path.with_name(f"{stem}.tail").write_bytes(b"TAIL")
    path.with_name(f"{stem}.part").hardlink_to(path)
    assert recover(store, "front").published == ()
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def _cut_part(segment: SegmentFile, length: int) -> None:
    os.truncate(segment.part_path, length)


def test_what_holds_no_footage_goes(store: Store, recipients: list[Recipient]) -> None:
    empty = open_segment(store, mark(1), recipients)
    init_only = open_segment(store, mark(2), recipients)
    init_only.append(b"ftypmoov", 0)
    headless = open_segment(store, mark(3), recipients)
    append_fragments(headless, 1)
    _cut_part(headless, 100)
    for segment in (empty, init_only, headless):
        segment.abandon()
    found = recover(store, "front")
    assert (found.published, found.discarded, found.failures) == ((), 3, ())
    assert _segments(store) == []


def test_chunks_without_a_log_are_kept(
    store: Store, recipients: list[Recipient], identity: X25519Identity
) -> None:
    segment = open_segment(store, mark(3), recipients)
    append_fragments(segment, 1)
    segment.abandon()
    segment.part_path.with_suffix(".tail").unlink()
    (published,) = recover(store, "front").published
    assert published.name.duration_ms == 0
    assert _opened(store, published, identity) == plaintext(3, 3 * 65_536)


def test_lost_chunks_end_what_is_recovered_without_a_hole(
    store: Store, recipients: list[Recipient], identity: X25519Identity
) -> None:
    segment = open_segment(store, mark(1), recipients)
    append_fragments(segment, 9)
    segment.abandon()
    _cut_part(segment, 200 + SEALED_CHUNK_BYTES)  # a power cut took the later chunks, the log is there
    (published,) = recover(store, "front").published
    opened = _opened(store, published, identity)
    assert opened == plaintext(1, 4 * 30_000)
    assert published.name.duration_ms == 4000


def test_segments_being_written_are_left_alone(store: Store, recipients: list[Recipient]) -> None:
    writing = open_segment(store, mark(1), recipients)
    append_fragments(writing, 2)
    abandoned = open_segment(store, mark(2), recipients)
    append_fragments(abandoned, 2)
    abandoned.abandon()
    found = recover(store, "front", keep=frozenset({writing.part_path}))
    assert [segment.name.sequence for segment in found.published] == [2]
    assert writing.finish(2_000_000_000).name.sequence == 1


def test_the_last_sequence_is_found_whatever_the_clock_said(
    store: Store, recipients: list[Recipient]
) -> None:
    assert last_sequence(store, FRONT) == -1
    write_segment(store, recipients, 5, 2_208_988_800_000)  # 2040
    write_segment(store, recipients, 9, 1000)  # 1970
    open_segment(store, mark(12), recipients).abandon()
    (store.root / "front/main/2026-11-22/12/note.txt").touch()
    assert last_sequence(store, FRONT) == 12
