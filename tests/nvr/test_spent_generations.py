"""The supervisor destroys spent generations when it is time to look, and says what it cannot do."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nvr.spent_generations import PASS_S, SpentGenerations
from nvr.upkeep import Upkeep
from pipeline.expiry import Pass
from pipeline.household.used_marks import generations_in
from pipeline.index import rebuild
from pipeline.names import DAY_MS
from pipeline.retention import Policy
from pipeline.store import Store, create
from tests.support.founding import Founded, found

NOW_MS = 1_795_348_800_000
QUIET = Pass(0, 0, again=False, short_bytes=0)


@pytest.fixture
def founded(tmp_path: Path) -> Founded:
    """Generation 1, whose time has been over for two days; nothing is recorded."""
    store = create(tmp_path / "store", bytes(16), datetime.now(UTC))
    rebuild(store.root)
    founded = found(store.root, tmp_path / "state")
    founded.rotate(from_ms=time.time_ns() // 1_000_000 - 2 * DAY_MS)
    return founded


class Said:
    """What was said, and how loudly."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []

    def __call__(self, level: int, sentence: str) -> None:
        self.lines.append((level, sentence))


def _left(founded: Founded) -> list[int]:
    return [number for _, number in generations_in(founded.store_root)]


def test_upkeep_destroys_what_is_spent_and_logs_it(
    founded: Founded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    spent = SpentGenerations(founded.store_root, founded.state_dir)
    Upkeep(Store(founded.store_root), Policy(), lambda *_: QUIET, spent).run_once()
    assert _left(founded) == [3]
    assert "generation 1 of home is spent: its keys are destroyed" in caplog.text


def test_it_looks_hourly_and_after_deletions_and_never_by_an_unsure_clock(founded: Founded) -> None:
    spent, said = SpentGenerations(founded.store_root, founded.state_dir), Said()
    now_ms = time.time_ns() // 1_000_000
    spent.tend(None, 5.0, removed=1, say=said)
    assert 1 in _left(founded), "the clock is unsure"
    spent.tend(now_ms - 30 * DAY_MS, 5.0, removed=0, say=said)
    assert 1 in _left(founded), "its time was not over then"
    spent.tend(now_ms, 6.0, removed=0, say=said)
    assert 1 in _left(founded), "an hour has not passed"
    spent.tend(now_ms, 7.0, removed=3, say=said)
    assert _left(founded) == [3]
    founded.rotate(from_ms=now_ms - DAY_MS)
    spent.tend(now_ms, 7.0 + PASS_S - 1, removed=0, say=said)
    assert _left(founded) == [3, 4]
    spent.tend(now_ms, 7.0 + PASS_S, removed=0, say=said)
    assert _left(founded) == [4]
    assert said.lines == []


def test_what_stands_in_the_way_is_said(founded: Founded, tmp_path: Path) -> None:
    said = Said()
    nobody = create(tmp_path / "empty", bytes(16), datetime.now(UTC))
    SpentGenerations(nobody.root, tmp_path / "no state").tend(NOW_MS, 1.0, removed=0, say=said)
    (founded.store_root / "keys/home/1/notes").touch()
    now_ms = time.time_ns() // 1_000_000
    SpentGenerations(founded.store_root, founded.state_dir).tend(now_ms, 1.0, removed=0, say=said)
    (nothing, stranger) = said.lines
    assert nothing[0] == logging.WARNING and "there is no household in" in nothing[1]
    assert stranger[0] == logging.ERROR and "notes in it is not the store's" in stranger[1]
