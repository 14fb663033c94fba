"""The supervisor's passes: day keys, tombstones and collapse, on a store that a recorder wrote."""

from __future__ import annotations

import time
from pathlib import Path

from crypto.identity import X25519Identity
from nvr.chain_upkeep import ChainUpkeep
from pipeline.chain.day_key import KEY_FILE, LOCK_FILE, label_day, locked, read_label
from pipeline.chain.reading import chain_numbers
from pipeline.chain.verify import Question, verify
from pipeline.names import DAY_MS
from pipeline.retention import Limits, Policy
from tests.support.chain_writing import Box
from tests.support.store_writing import DEVICE, make_store


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_passes_exchange_the_key_delete_and_collapse(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    recipients = [X25519Identity.generate(lambda count: bytes(range(count))).recipient]
    box = Box(store.root, tmp_path / "state", _now_ms() - 3 * DAY_MS)
    box.record(store, recipients, range(10))
    upkeep = ChainUpkeep(store, box.state_dir)
    policy = Policy(others=Limits(days=1))
    removed = 0
    while (done := upkeep.run_pass(store.root, policy, _now_ms())).removed:
        removed += done.removed
        assert done.faults == ()
    assert removed == 10
    label = read_label(box.state_dir / KEY_FILE)
    assert label is not None
    assert (label.number, label.day) == (2, label_day(_now_ms()))
    assert chain_numbers(store.root, "front") == [1, 2]
    assert ChainUpkeep(store, box.state_dir).run_pass(store.root, policy, _now_ms()).faults == ()
    assert chain_numbers(store.root, "front") == [2]
    report = verify(store.root, Question(DEVICE), time.time())
    assert report.findings == ()
    assert sum(report.cameras[0].expired.values()) == 10


def test_while_the_clock_is_unsure_the_key_stays(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    box = Box(store.root, tmp_path / "state", _now_ms() - 3 * DAY_MS)
    box.sign()
    upkeep = ChainUpkeep(store, box.state_dir)
    for _ in range(2):
        upkeep.run_pass(store.root, Policy(), None)
    label = read_label(box.state_dir / KEY_FILE)
    assert label is not None
    assert label.number == 1


def test_a_locked_day_key_stops_no_pass(tmp_path: Path) -> None:
    store = make_store(tmp_path / "store")
    box = Box(store.root, tmp_path / "state", _now_ms() - 3 * DAY_MS)
    box.sign()
    with locked(box.state_dir / LOCK_FILE, alone=True):
        assert ChainUpkeep(store, box.state_dir).run_pass(store.root, Policy(), _now_ms()).faults == ()
