"""Decode times from presentation times alone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.source.naps import NapRule
from pipeline.source.order import FrameTimes

FRAME = 3600
# Decode order of a GOP with a pyramid of B-frames, as positions in display order.
PYRAMID = (0, 4, 2, 1, 3)


def pyramid(rounds: int, start: int = 0) -> list[int]:
    """Presentation times in decode order: I0 P4 B2 B1 B3 P8 B6 B5 B7 …"""
    shown = [0, *(4 * turn + place for turn in range(rounds) for place in (4, 2, 1, 3))]
    return [start + FRAME * place for place in shown]


def decode_times(reorder: int, times: list[int]) -> list[int]:
    frames = FrameTimes(reorder, FRAME)
    return [frames.decode_time(pts) for pts in times]


def test_without_reordering_dts_is_pts() -> None:
    times = [5, 3605, 7200, 10810]

    assert decode_times(0, times) == times


def test_reordered_frames_get_what_a_muxer_gives() -> None:
    made = decode_times(2, pyramid(3))

    assert made == [FRAME * n for n in range(-2, 11)]


@given(st.integers(1, 12), st.integers(-(2**40), 2**40))
def test_dts_grows_and_never_passes_pts(rounds: int, start: int) -> None:
    times = pyramid(rounds, start)
    made = decode_times(2, times)

    assert all(a < b for a, b in itertools.pairwise(made))
    assert all(dts <= pts for dts, pts in zip(made, times, strict=True))


@pytest.mark.parametrize("reorder", [0, 2])
@pytest.mark.parametrize("jump", [3600 * 90_000, -3600 * 90_000, -2 * 90_000])
def test_a_jump_goes_through_and_leaves_nothing_behind(reorder: int, jump: int) -> None:
    before = pyramid(3) if reorder else [FRAME * n for n in range(12)]
    after = [before[-1] + jump + pts for pts in before]
    made = decode_times(reorder, before + after)

    assert made[len(before) :] == [before[-1] + jump + dts for dts in made[: len(before)]]


def test_undeclared_reordering_is_noticed() -> None:
    frames = FrameTimes(0, FRAME)
    made = [frames.decode_time(pts) for pts in pyramid(20)]

    assert frames.reorder == 2
    assert all(a < b for a, b in itertools.pairwise(made))
    assert all(dts <= pts for dts, pts in list(zip(made, pyramid(20), strict=True))[-20:])


def test_a_glitch_of_the_clock_is_not_reordering() -> None:
    frames = FrameTimes(0, FRAME)
    for n in range(100):
        frames.decode_time(n * FRAME - (2000 if n == 50 else 0) - (FRAME * 10 if n >= 60 else 0))

    assert frames.reorder == 0


def test_duration_follows_the_frame_rate() -> None:
    frames = FrameTimes(0, FRAME)
    for n in range(4):
        frames.decode_time(n * 9000)

    assert frames.duration == 9000
    assert frames.missing() == 4 * 9000


MS = 1_000_000


def naps(lags_ms: list[int]) -> list[bool]:
    rule = NapRule()
    return [rule.allows(n * 100 * MS, (n * 100 + lag) * MS, 100 * MS) for n, lag in enumerate(lags_ms)]


def test_naps_end_while_we_lag_and_come_back() -> None:
    assert naps([0, 10, 90, 20]) == [True] * 4
    assert naps([0, 100, 300, 500, 700, 400, 100, 0]) == [True, True, True, False, False, False, True, True]


def test_a_set_or_drifting_camera_clock_is_no_lag() -> None:
    assert all(naps([0] * 5 + [3_600_000] * 5 + [-3_600_000] * 5))
    assert all(naps([n // 25 for n in range(20_000)]))  # 400 ppm
