"""What was looked at: the file says too little rather than too much."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.names import DAY_MS
from pipeline.spans import Span, merged
from pipeline.watched import (
    HOLD_BACK_MS,
    KEPT_MS,
    Watched,
    parse_watched,
    read_watched,
    watched_file,
    watched_path,
)
from tests.support.store_writing import NOON_MS

SECOND_MS = 1_000
SPANS = st.lists(st.builds(Span, st.integers(0, 10**15), st.integers(0, 10**15)), max_size=5)


def _saved(watched: Watched, state_dir: Path, now_ms: int) -> list[Span]:
    watched.save(now_ms)
    return read_watched(state_dir, "front")


def test_spans_grow_together_and_the_last_moments_are_held_back(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "front")
    for second in range(200):
        watched.looked(NOON_MS + second * SECOND_MS, NOON_MS + (second + 1) * SECOND_MS)
    now_ms = NOON_MS + 200 * SECOND_MS
    assert _saved(watched, tmp_path, now_ms) == [Span(NOON_MS, now_ms - HOLD_BACK_MS)]
    assert stat.S_IMODE(watched_path(tmp_path, "front").parent.stat().st_mode) == 0o700


def test_the_time_of_an_event_never_gets_into_it(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "front")
    watched.looked(NOON_MS, NOON_MS + 10_000)
    watched.touched(NOON_MS + 4_000, NOON_MS + 6_000)
    watched.touched(NOON_MS + 9_000, NOON_MS + 20_000)
    watched.looked(NOON_MS + 10_000, NOON_MS + 30_000)
    expected = [
        Span(NOON_MS, NOON_MS + 4_000),
        Span(NOON_MS + 6_000, NOON_MS + 9_000),
        Span(NOON_MS + 20_000, NOON_MS + 30_001),
    ]
    assert _saved(watched, tmp_path, NOON_MS + 300_000) == expected
    again = Watched(tmp_path, "front")
    again.looked(NOON_MS + 60_000, NOON_MS + 61_000)
    assert _saved(again, tmp_path, NOON_MS + 300_000) == [*expected, Span(NOON_MS + 60_000, NOON_MS + 61_001)]


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "front")
    watched.looked(NOON_MS, NOON_MS + 10_000)
    assert _saved(watched, tmp_path, NOON_MS + KEPT_MS + 5_000) == [Span(NOON_MS + 5_000, NOON_MS + 10_001)]
    assert _saved(watched, tmp_path, NOON_MS + 4 * DAY_MS) == []


def test_a_clock_set_back_says_nothing_of_the_future(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "front")
    watched.looked(NOON_MS, NOON_MS + 10_000)
    assert _saved(watched, tmp_path, NOON_MS) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format":2,"spans":[]}',
        b'{"format":1,"spans":[[1]]}',
        b'{"format":1,"spans":[["1",2]]}',
        b'{"format":1,"spans":[[true,2]]}',
        b'{"format":1,"spans":[[1.5,2]]}',
        b'{"format":1}',
        b"\xff",
        b"[" * 9999,
    ],
)
def test_a_damaged_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    watched_path(tmp_path, "front").parent.mkdir()
    watched_path(tmp_path, "front").write_bytes(content)
    assert read_watched(tmp_path, "front") == []
    assert read_watched(tmp_path, "back") == []
    assert Watched(tmp_path, "front").spans == []


@given(SPANS)
def test_files_round_trip(spans: list[Span]) -> None:
    assert parse_watched(watched_file(spans)) == merged(spans)


@given(st.binary(max_size=60))
def test_garbage_is_refused_or_read(content: bytes) -> None:
    try:
        spans = parse_watched(content)
    except ValueError:
        return
    assert merged(spans) == spans


def test_what_is_forgotten_is_not_said(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "front")
    watched.looked(NOON_MS, NOON_MS + 10_000)
    assert _saved(watched, tmp_path, NOON_MS + DAY_MS)
    for _ in range(2):
        watched.forget()
    assert not watched_path(tmp_path, "front").exists()
    assert _saved(watched, tmp_path, NOON_MS + DAY_MS) == []


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "front")
    watched.looked(NOON_MS, NOON_MS + 10_000)
    before = _saved(watched, tmp_path, NOON_MS + DAY_MS)
    (tmp_path / "watched" / ".front.json.new").mkdir()
    with pytest.raises(OSError):
        watched.save(NOON_MS + DAY_MS)
    assert read_watched(tmp_path, "front") == before
