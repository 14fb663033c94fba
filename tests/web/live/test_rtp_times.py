"""Timestamps for RTP only grow."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Kind, Packet
from web.live.rtp_times import RtpTimes

JOINED_NS = 10_000_000_000


def packet(pts: int, arrived_ns: int) -> Packet:
    return Packet(Kind.VIDEO, pts, pts, 3600, False, arrived_ns, b"")


def test_the_gop_so_far_takes_a_millisecond_a_picture_and_then_the_pace_is_the_cameras() -> None:
    times = RtpTimes(90_000, JOINED_NS)
    past = [times.of(packet(1_000_000 + 3600 * n, JOINED_NS - 100 + n)) for n in range(5)]
    live = [times.of(packet(1_000_000 + 3600 * n, JOINED_NS + n)) for n in range(5, 8)]
    assert [b - a for a, b in pairwise(past)] == [90] * 4
    assert [b - a for a, b in pairwise([past[-1], *live])] == [3600] * 3


def test_over_a_break_as_much_time_passes_as_on_the_clock() -> None:
    times = RtpTimes(90_000, JOINED_NS)
    before = times.of(packet(5_000_000, JOINED_NS))
    times.rebase()
    assert times.of(packet(7, JOINED_NS + 2_000_000_000)) - before == 180_000


@given(st.lists(st.tuples(st.integers(-(2**40), 2**40), st.integers(0, 2**40), st.booleans())))
def test_they_grow_whatever_comes(steps: list[tuple[int, int, bool]]) -> None:
    times = RtpTimes(90_000, 2**39)
    made = []
    for pts, arrived_ns, breaks in steps:
        if breaks:
            times.rebase()
        made.append(times.of(packet(pts, arrived_ns)))
    assert all(before < after for before, after in pairwise(made))
