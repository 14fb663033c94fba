"""Tombstones: before the file where the disk takes them, after it where it is full; never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.recipient import Recipient
from pipeline.chain.collapse import ExpiredSets
from pipeline.chain.day_key import LOCK_FILE, locked
from pipeline.chain.reading import read_chain_file
from pipeline.chain.records import Expired, Reason, Signed
from pipeline.chain.tombstones import Tombstones, runs
from pipeline.chain.verify import Question, verify
from pipeline.expiry import run_pass
from pipeline.model import StreamName
from pipeline.names import DAY_MS, SegmentName, StoredSegment
from pipeline.retention import Limits, Policy, Removal, Why
from pipeline.store import Store
from tests.support.chain_writing import Box
from tests.support.mounts import tmpfs
from tests.support.store_writing import DEVICE, FRONT, make_store, write_segment

SUB = StreamName("front", "sub")


def _removal(sequence: int, why: Why = Why.AGE, stream: StreamName = FRONT) -> Removal:
    return Removal(StoredSegment(stream, SegmentName(sequence * 10_000, 10_000, sequence), 9), why)


def _expired(box: Box, number: int = 1) -> list[Expired]:
    return [one for one in read_chain_file(box.root, "front", number) if isinstance(one, Expired)]


def test_consecutive_segments_are_one_record() -> None:
    removals = [_removal(n) for n in (3, 1, 2, 7)] + [_removal(8, Why.FREE_SPACE), _removal(9, stream=SUB)]
    assert runs(removals) == [
        Expired("main", Reason.AGE, 1, 3),
        Expired("main", Reason.AGE, 7, 1),
        Expired("main", Reason.FREE_SPACE, 8, 1),
        Expired("sub", Reason.AGE, 9, 1),
    ]


@given(st.sets(st.integers(0, 60)), st.integers(0, 70))
def test_what_expired_is_found_again(sequences: set[int], asked: int) -> None:
    found = ExpiredSets()
    for record in runs([_removal(sequence) for sequence in sequences]):
        found.add(record)
    assert found.has("main", asked) == (asked in sequences)
    assert found.count_below("main", asked) == len([one for one in sequences if one < asked])


def test_a_pass_writes_them_and_signs(box: Box, store: Store, recipients: list[Recipient]) -> None:
    segments = box.record(store, recipients, range(10))
    tombstones = Tombstones(box.keeper, lambda: box.now_ms)
    policy = Policy(others=Limits(days=1))
    done = run_pass(store.root, policy, box.now_ms + 2 * DAY_MS, tombstones)
    assert done.removed == 1
    assert _expired(box) == [Expired("main", Reason.AGE, 0, 1)]
    assert isinstance(list(read_chain_file(store.root, "front", 1))[-1], Signed)
    assert not (store.root / segments[0].path).exists()


def test_a_camera_without_a_chain_gets_none(box: Box, store: Store, recipients: list[Recipient]) -> None:
    write_segment(store, recipients, 0)
    tombstones = Tombstones(box.keeper, lambda: box.now_ms)
    assert run_pass(store.root, Policy(others=Limits(days=1)), box.now_ms + 2 * DAY_MS, tombstones).removed
    assert not (store.root / "front/chain").exists()
    assert tombstones.waiting == 0


def test_a_chain_that_is_locked_holds_nothing_up(
    box: Box, store: Store, recipients: list[Recipient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.chain.day_key._PAUSE_S", 0.0)
    box.record(store, recipients, range(10))
    tombstones = Tombstones(box.keeper, lambda: box.now_ms)
    later_ms = box.now_ms + 2 * DAY_MS
    with locked(box.state_dir / LOCK_FILE, alone=True):
        assert run_pass(store.root, Policy(others=Limits(days=1)), later_ms, tombstones).removed == 1
        assert tombstones.waiting == 1
    tombstones.settle()
    assert tombstones.waiting == 0
    assert verify(store.root, Question(DEVICE), box.now_ms / 1000).findings == ()


def test_a_full_disk_gets_them_after_the_files(tmp_path: Path, recipients: list[Recipient]) -> None:
    with tmpfs(tmp_path, 32) as disk:
        store = make_store(disk.path / "store")
        box = Box(store.root, tmp_path / "state")
        box.record(store, recipients, range(10))
        free = b"x" * 4096
        with (
            (disk.path / "ballast").open("wb", buffering=0) as ballast,
            pytest.raises(OSError, match="space"),
        ):
            while True:
                ballast.write(free)
        tombstones = Tombstones(box.keeper, lambda: box.now_ms)
        done = run_pass(store.root, Policy(min_free_bytes=1 << 20), None, tombstones)
        assert done.removed > 0
        assert tombstones.waiting == 0
        assert sum(one.count for one in _expired(box)) == done.removed
        assert verify(store.root, Question(DEVICE), box.now_ms / 1000).findings == ()
