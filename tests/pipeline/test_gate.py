"""The gate: right where sizes tell, silent where they do not. Pure, so time is what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clip import clip_messages
from pipeline.gate import Gate, Verdict
from pipeline.model import Kind, Packet
from pipeline.watcher.eye import Eye, EyeSettings
from tests.support.scenes import passing_scene

_MS = 1_000_000
_STEP_MS = 100


def _fed(gate: Gate, sizes: list[int], from_ms: int, moved: bool | None = None) -> list[Verdict]:
    """A packet every 100 ms and, if known, what motion found; the verdict after each."""
    verdicts = []
    for number, size in enumerate(sizes):
        at_ns = (from_ms + number * _STEP_MS) * _MS
        gate.packet(size, number % 20 == 0, at_ns)
        if moved is not None:
            gate.taught(moved, at_ns - _STEP_MS * _MS, at_ns)
        verdicts.append(gate.verdict())
    return verdicts


def _taught(still: int, moving: int) -> tuple[Gate, int]:
    """Three minutes of stillness and motion in turns of ten seconds; the gate, and the time."""
    gate, now_ms = Gate(), 1000
    for turn in range(18):
        size, moved = (moving, True) if turn % 2 else (still, False)
        _fed(gate, [size + number % 7 for number in range(100)], now_ms, moved)
        now_ms += 100 * _STEP_MS
    return gate, now_ms


def test_it_is_unsure_before_it_has_seen_anything() -> None:
    assert set(_fed(Gate(), [500] * 200, 0)) == {Verdict.UNSURE}


def test_it_is_unsure_while_it_has_seen_no_motion() -> None:
    gate = Gate()
    assert set(_fed(gate, [500] * 1200, 0, moved=False)) == {Verdict.UNSURE}
    assert "motion" in gate.report().why


def test_sizes_that_tell_are_learnt() -> None:
    gate, now_ms = _taught(500, 3000)
    assert gate.report().separates
    assert _fed(gate, [502] * 30, now_ms)[-1] is Verdict.STILL
    assert _fed(gate, [3000] * 30, now_ms + 3000)[-1] is Verdict.MOVING


def test_a_sudden_large_packet_wakes_at_once() -> None:
    gate, now_ms = _taught(500, 3000)
    _fed(gate, [502] * 30, now_ms)
    assert _fed(gate, [505, 4000], now_ms + 3000)[-1] is Verdict.MOVING


def test_it_abstains_on_a_constant_rate() -> None:
    gate, now_ms = _taught(2000, 2001)
    assert not gate.report().separates
    assert set(_fed(gate, [2002] * 50, now_ms)) == {Verdict.UNSURE}


def test_night_makes_it_abstain_until_it_has_learnt_anew() -> None:
    gate, now_ms = _taught(500, 3000)
    found = _fed(gate, [8000 + number % 900 for number in range(1500)], now_ms, moved=False)
    assert Verdict.STILL not in found[20:400]  # never sure that something is still by the sizes of day
    assert gate.report().separates  # by then they are the usual ones
    assert _fed(gate, [8100] * 40, now_ms + 150_000)[-1] is Verdict.STILL


def test_what_it_once_took_for_still_makes_it_careful() -> None:
    """Keyframes are checked all the time; some show motion that sizes did not."""
    gate, now_ms = _taught(500, 3000)
    for _ in range(6):
        _fed(gate, [503] * 40, now_ms, moved=True)
        now_ms += 4000
    assert Verdict.STILL not in _fed(gate, [503] * 40, now_ms)


def test_a_pause_makes_it_unsure() -> None:
    gate, now_ms = _taught(500, 3000)
    assert _fed(gate, [502] * 30, now_ms)[-1] is Verdict.STILL
    gate.packet(502, True, (now_ms + 60_000) * _MS)
    assert gate.verdict() is Verdict.UNSURE


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(-5, 10**7), st.booleans(), st.integers(-(10**19), 10**19)),
            st.tuples(st.booleans(), st.integers(-(10**19), 10**19), st.integers(0, 10**12)),
        ),
        max_size=200,
    )
)
def test_nothing_a_stream_may_bring_breaks_it(
    heard: list[tuple[int, bool, int] | tuple[bool, int, int]],
) -> None:
    gate = Gate()
    for first, second, third in heard:
        if isinstance(first, bool):
            gate.taught(first, int(second), int(second) + third)
        else:
            gate.packet(first, bool(second), third)
        assert gate.verdict() in Verdict
    assert gate.report().why


@settings(max_examples=25, deadline=None)
@given(st.integers(100, 100_000), st.floats(0.9, 1.02))
def test_it_is_never_sure_where_motion_looks_like_stillness(size: int, times: float) -> None:
    gate, now_ms = _taught(size, round(size * times))
    assert Verdict.STILL not in _fed(gate, [size] * 60, now_ms)


def _rounds(path: Path, times: int) -> Iterator[tuple[Packet, int]]:
    """The packets of a clip that is played some times, and when they are shown."""
    packets = [one for one in clip_messages(path, 0, audio=False) if isinstance(one, Packet)]
    length_ns = packets[-1].arrived_ns + 40 * _MS
    for number in range(times):
        for packet in packets:
            yield packet, number * length_ns + packet.arrived_ns


@pytest.mark.parametrize(("rate", "tells"), [("variable", True), ("constant", False)])
def test_on_real_footage_it_keeps_95_percent_of_motion(rate: str, tells: bool) -> None:
    """People who cross a lawn half of the time, at both kinds of bit rate; truth is what motion finds."""
    clip = passing_scene("640x360", "variable" if rate == "variable" else "constant")
    moving = _moving_spans(clip)
    gate = Gate()
    asked = sure = missed = 0
    for packet, at_ns in _rounds(clip, 5):
        assert packet.kind is Kind.VIDEO
        gate.packet(len(packet.data), packet.is_keyframe, at_ns)
        is_moving = moving[packet.arrived_ns // (200 * _MS)]
        if packet.arrived_ns % (200 * _MS) == 0:
            gate.taught(is_moving, at_ns - 200 * _MS, at_ns)
        asked += is_moving
        sure += gate.verdict() is Verdict.STILL
        missed += is_moving and gate.verdict() is Verdict.STILL
    assert missed <= 0.05 * asked
    assert gate.report().separates is tells
    assert (sure > 500) is tells


def _moving_spans(clip: Path) -> dict[int, bool]:
    """For each fifth of a second, whether anything moved in it, as an eye sees that decodes everything."""
    eye = Eye(EyeSettings(is_sub=True))
    moved: dict[int, bool] = {}
    for message in clip_messages(clip, 0, audio=False):
        for sight in eye.take(message):
            moved[sight.frame.at_ns // (200 * _MS)] = bool(sight.motion.boxes)
    return {number: moved.get(number, False) for number in range(400)}
