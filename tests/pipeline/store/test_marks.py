"""Gap marks survive torn lines; ending a hold in its middle keeps both sides held."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import walk
from pipeline.model import StreamName
from pipeline.names import GapMark, NotAName
from pipeline.store import Store, append_gap_mark, hold, unhold
from tests.support.store_writing import FRONT, NOON_MS


def _gaps(store: Store) -> Path:
    return store.root / "front/gaps/2026-11-22.jsonl"


def test_gap_marks_are_lines(store: Store) -> None:
    marks = [GapMark(FRONT, NOON_MS + n, f"camera unreachable {n}") for n in range(3)]
    for mark in marks:
        append_gap_mark(store, mark)
    assert _gaps(store).read_text().splitlines()[0] == (
        '{"stream":"main","at_ms":1795348800000,"reason":"camera unreachable 0"}'
    )
    assert walk.gap_days(store.root, "front") == ["2026-11-22"]
    assert walk.gap_marks(store.root, "front", "2026-11-22") == marks


def test_a_torn_gap_mark_costs_only_itself(store: Store) -> None:
    first, second = (
        GapMark(FRONT, NOON_MS, "stopped"),
        GapMark(StreamName("front", "sub"), NOON_MS, "stopped"),
    )
    append_gap_mark(store, first)
    with _gaps(store).open("ab") as file:
        file.write(b'{"stream":"main","at')
    append_gap_mark(store, second)
    assert walk.gap_marks(store.root, "front", "2026-11-22") == [first, second]


def test_unhold_in_the_middle_keeps_both_sides(store: Store) -> None:
    hold(store, "front", 1000, 9000, 1)
    hold(store, "back", 1000, 9000, 1)
    changed = unhold(store, "front", 4000, 5000, 2)
    assert [str(name) for name in changed] == ["front.1000-9000.1.hold"]
    assert [str(name) for name in walk.holds(store.root)] == [
        "back.1000-9000.1.hold",
        "front.1000-4000.2.hold",
        "front.5000-9000.2.hold",
    ]
    assert len(unhold(store, "front", 0, 10_000, 3)) == 2
    assert [name.camera for name in walk.holds(store.root)] == ["back"]
    assert unhold(store, "front", 0, 10_000, 3) == []


def test_a_hold_of_nothing_is_refused(store: Store) -> None:
    with pytest.raises(NotAName):
        hold(store, "front", 5, 5, 1)
    assert walk.holds(store.root) == []
