"""The recorder's chain: what was published stands in it, what a crash kept from it is found, and a chain that
cannot be written delays nobody.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from crypto.recipient import Recipient
from pipeline.chain.content import content_of
from pipeline.chain.day_key import LOCK_FILE, locked
from pipeline.chain.log import ChainBusy
from pipeline.chain.reading import read_chain_file
from pipeline.chain.records import Gap, Record, Segment, Signed
from pipeline.chain.verify import Question, verify
from pipeline.chaining import Beginnings, Chaining, next_in_chain
from pipeline.model import StreamName
from pipeline.names import GapMark, StoredSegment, chain_path
from pipeline.store import Store
from tests.support.chain_writing import Box, chain_record
from tests.support.store_writing import DEVICE, FRONT, NOON_MS, write_segment

SUB = StreamName("front", "sub")


@pytest.fixture
def box(store: Store, tmp_path: Path) -> Box:
    """A new device."""
    return Box(store.root, tmp_path / "state")


def _chaining(box: Box, recovered: Sequence[StoredSegment] = (), main: int = 0, sub: int = 0) -> Chaining:
    beginnings = Beginnings(tuple(recovered), {FRONT: main, SUB: sub})
    return Chaining(box.keeper, "front", beginnings, lambda: True, durably=True)


def _records(box: Box) -> list[Record]:
    return list(read_chain_file(box.root, "front", 1))[1:]


def _publish(chaining: Chaining, root: Path, segment: StoredSegment) -> None:
    with (root / segment.path).open("rb", buffering=0) as file:
        chaining.published(segment, 1, content_of(file, unfinished=False))


def test_what_is_published_and_marked_stands_in_the_chain_signed(
    box: Box, store: Store, recipients: list[Recipient]
) -> None:
    chaining = _chaining(box)
    chaining.start()
    segment = write_segment(store, recipients, 0, time.time_ns() // 1_000_000)
    _publish(chaining, store.root, segment)
    chaining.marked(GapMark(FRONT, NOON_MS, "camera " + "ü" * 200))
    chaining.stop()
    record, gap, signed = _records(box)
    assert record == chain_record(store.root, segment)
    assert isinstance(gap, Gap)
    assert gap.reason.startswith("camera üü")
    assert isinstance(signed, Signed)
    assert chaining.waiting == 0


def test_what_a_crash_kept_from_the_chain_is_found(
    box: Box, store: Store, recipients: list[Recipient]
) -> None:
    segments = [write_segment(store, recipients, sequence) for sequence in range(4)]
    box.append(chain_record(store.root, segments[0]), chain_record(store.root, segments[2]))
    late = write_segment(store, recipients, 4)  # the recorder's own, which it chains itself
    chaining = _chaining(box, [segments[0], segments[1]], main=4)
    chaining.run_once(NOON_MS)
    _publish(chaining, store.root, late)
    chaining.run_once(NOON_MS)
    found = [record for record in _records(box) if isinstance(record, Segment)]
    assert [(record.sequence, record.found) for record in found] == [
        (0, False),
        (2, False),
        (1, True),
        (3, True),
        (4, False),
    ]
    assert found[2].content == chain_record(store.root, segments[1]).content


def test_at_most_so_many_are_found_of_a_store_without_a_chain(
    box: Box, store: Store, recipients: list[Recipient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.chaining.MOST_ADOPTED", 3)
    for sequence in range(5):
        write_segment(store, recipients, sequence)
    _chaining(box, main=5).run_once(NOON_MS)
    assert [r.sequence for r in _records(box) if isinstance(r, Segment)] == [2, 3, 4]


def test_a_chain_that_is_locked_delays_nobody_and_loses_nothing(
    box: Box, store: Store, recipients: list[Recipient]
) -> None:
    chaining = _chaining(box)
    box.sign()
    with locked(box.state_dir / LOCK_FILE, alone=True):
        with pytest.raises(ChainBusy):
            chaining.run_once(NOON_MS)
        for sequence in range(3):
            _publish(chaining, store.root, write_segment(store, recipients, sequence))
        with pytest.raises(ChainBusy):
            chaining.run_once(NOON_MS)
        assert chaining.waiting == 3
    chaining.run_once(NOON_MS)
    assert [r.sequence for r in _records(box) if isinstance(r, Segment)] == [0, 1, 2]


def test_what_waited_for_long_is_only_found(
    box: Box, store: Store, recipients: list[Recipient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.chaining.STALE_S", -1.0)
    chaining = _chaining(box)
    _publish(chaining, store.root, write_segment(store, recipients, 0))
    chaining.run_once(NOON_MS)
    assert [r.found for r in _records(box) if isinstance(r, Segment)] == [True]


def test_a_clock_that_was_forward_for_an_hour_leaves_nothing_to_find_fault_with(
    box: Box, store: Store, recipients: list[Recipient]
) -> None:
    """The day key was exchanged meanwhile: what comes after is older than it, and only counts as found."""
    box.append(chain_record(store.root, write_segment(store, recipients, 0)))
    box.next_day()
    box.next_day()
    chaining = _chaining(box, main=1)
    _publish(chaining, store.root, write_segment(store, recipients, 1, box.now_ms))
    chaining.run_once(box.now_ms)
    box.now_ms = NOON_MS + 20_000
    _publish(chaining, store.root, write_segment(store, recipients, 2))
    chaining.run_once(box.now_ms, sign=True)
    number = box.log().standing(box.now_ms).number
    records = [r for r in read_chain_file(box.root, "front", number) if isinstance(r, Segment)]
    assert [(r.sequence, r.found) for r in records] == [(1, False), (2, True)]
    report = verify(box.root, Question(DEVICE), 2 * box.now_ms / 1000)
    assert report.findings == ()


def test_what_waits_is_bounded(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.chaining.MOST_WAITING", 2)
    chaining = _chaining(box)
    for number in range(5):
        chaining.marked(GapMark(FRONT, number, "camera silent"))
    assert chaining.waiting == 2


def test_a_damaged_chain_goes_on_in_the_next_file(box: Box) -> None:
    for number in range(80):
        box.append(Gap("main", number, "before the damage, which must be long enough"))
    path = box.root / chain_path("front", 1)
    damaged = bytearray(path.read_bytes())
    damaged[200] ^= 1
    path.write_bytes(damaged)
    box.restart()
    chaining = _chaining(box)
    chaining.start()
    chaining.marked(GapMark(FRONT, NOON_MS, "camera silent"))
    deadline_s = time.monotonic() + 30
    while chaining.waiting and time.monotonic() < deadline_s:
        time.sleep(0.05)
    chaining.stop()
    assert Gap("main", NOON_MS, "camera silent") in list(read_chain_file(box.root, "front", 2))


def test_the_next_sequence_is_known_though_all_footage_is_gone(
    box: Box, store: Store, recipients: list[Recipient]
) -> None:
    assert next_in_chain(store.root, FRONT) == 0
    box.append(chain_record(store.root, write_segment(store, recipients, 41)))
    assert next_in_chain(store.root, FRONT) == 42
    assert next_in_chain(store.root, SUB) == 0
