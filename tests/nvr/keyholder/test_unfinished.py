"""Whatever a crash leaves of a segment opens up to the last fragment, also while it is being written."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from crypto.errors import DamagedPayload, WrongIdentity
from crypto.identity import X25519Identity
from crypto.seal import seal_bytes
from nvr.keyholder.unfinished import growing_plaintext, unfinished_plaintext
from pipeline.store import SegmentFile, Store, open_segment, recover
from pipeline.store.tail import TailRecord
from tests.support.store_writing import append_fragments, make_store, mark, plaintext

IDENTITY = X25519Identity.generate(os.urandom)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


def _begun(store: Store, sequence: int, fragments: int) -> tuple[SegmentFile, int]:
    segment = open_segment(store, mark(sequence), [IDENTITY.recipient])
    return segment, append_fragments(segment, fragments)


def _recovered_path(store: Store, segment: SegmentFile) -> Path:
    segment.abandon()
    (published,) = recover(store, "front").published
    return store.root / published.path


@pytest.mark.parametrize("sequence", [0, 1, 2, 3])
@pytest.mark.parametrize("fragments", [1, 2, 3, 9])
def test_an_abandoned_segment_opens_to_its_last_fragment(store: Store, sequence: int, fragments: int) -> None:
    segment, length = _begun(store, sequence, fragments)
    with _recovered_path(store, segment).open("rb") as file:
        assert b"".join(unfinished_plaintext(file, [IDENTITY])) == plaintext(sequence, length)


@pytest.mark.parametrize("sequence", [0, 1, 2, 3])
def test_a_growing_segment_opens_up_to_now(store: Store, sequence: int) -> None:
    segment, length = _begun(store, sequence, 5)
    with segment.part_path.open("rb") as part, segment.part_path.with_suffix(".tail").open("rb") as tail:
        assert b"".join(growing_plaintext(part, tail, [IDENTITY])) == plaintext(sequence, length)
    segment.abandon()


def test_a_log_that_grew_since_leaves_no_hole(store: Store) -> None:
    segment, _ = _begun(store, 1, 4)
    part = io.BytesIO(segment.part_path.read_bytes())
    append_fragments(segment, 6, begin=4)
    with segment.part_path.with_suffix(".tail").open("rb") as tail:
        opened = b"".join(growing_plaintext(part, tail, [IDENTITY]))
    assert len(opened) >= 4 * 30_000
    assert opened == plaintext(1, len(opened))
    segment.abandon()


def test_a_stranger_opens_nothing(store: Store) -> None:
    segment, _ = _begun(store, 1, 3)
    stranger = X25519Identity.generate(os.urandom)
    with _recovered_path(store, segment).open("rb") as file, pytest.raises(WrongIdentity):
        list(unfinished_plaintext(file, [stranger]))


def test_a_damaged_chunk_is_told_after_what_stands_before_it(store: Store) -> None:
    segment, _ = _begun(store, 3, 3)
    damaged = bytearray(_recovered_path(store, segment).read_bytes())
    damaged[200_000] ^= 1  # in the fourth chunk
    pieces: list[bytes] = []
    with pytest.raises(DamagedPayload):
        for piece in unfinished_plaintext(io.BytesIO(damaged), [IDENTITY]):
            pieces.append(piece)
    assert b"".join(pieces) == plaintext(3, 3 * 65_536)


def test_a_record_sealed_to_another_is_damage(store: Store) -> None:
    segment, _ = _begun(store, 0, 1)
    stranger = X25519Identity.generate(os.urandom)
    record = TailRecord(700, 5, 2_000_000_000, seal_bytes(b"12345", [stranger.recipient]))
    with segment.part_path.with_suffix(".tail").open("ab") as tail:
        tail.write(bytes(record))
    with _recovered_path(store, segment).open("rb") as file:
        opened = unfinished_plaintext(file, [IDENTITY])
        assert next(opened) == plaintext(0, 700)
        with pytest.raises(DamagedPayload, match="does not open"):
            next(opened)
