"""The clocks against simulated cameras, networks and machines."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clock import RELEASED_NS, ClockReading, ClockTrust, StreamClock, kernel_synchronised
from pipeline.model import Codec, Kind, Packet, StreamInfo, Track
from pipeline.segmenter import SegmentClosed, Segmenter, SegmentOpened

MS = 1_000_000
S = 1_000_000_000
HOUR = 3600 * S
BEGAN = 1_795_000_000 * S
BOOTED = 100 * S


def ticks(true_ns: int, ppm: int = 0) -> int:
    """The camera's timestamp at a true time, its crystal being off by so many ppm."""
    return (true_ns + true_ns * ppm // 1_000_000) * 90_000 // S


def delays(seed: int) -> Iterator[int]:
    """Network delays: some milliseconds, now and then a stall of up to two seconds."""
    chance = random.Random(seed)
    while True:
        yield round(chance.expovariate(1 / 4) * MS) + (
            chance.randrange(2 * S) if chance.random() < 0.01 else 0
        )


@pytest.mark.parametrize("ppm", [-200, 0, 200])
def test_a_camera_that_is_off_for_a_day_stays_near_the_wall_clock(ppm: int) -> None:
    clock, segmenter, late = StreamClock(), Segmenter(), delays(ppm)
    info = StreamInfo(Track(Kind.VIDEO, Codec.H264, 90_000, b""))
    events = segmenter.push(info)
    arrived = 0
    for n in range(24 * 3600 * 2):  # two keyframes a second
        true = n * S // 2
        arrived = max(arrived, true + next(late))
        reading = clock.at(ticks(true, ppm), BOOTED + arrived, BEGAN + arrived)
        assert not reading.step
        assert abs(reading.utc_ns - BEGAN - true) < S // 2
        packet = Packet(Kind.VIDEO, ticks(true, ppm), ticks(true, ppm), 45_000, True, arrived, b"")
        events += [
            e for e in segmenter.push(packet, reading.utc_ns) if isinstance(e, SegmentOpened | SegmentClosed)
        ]
    assert abs(reading.utc_ns - BEGAN - true) < 20 * MS
    end = BEGAN
    for event in events:
        if isinstance(event, SegmentOpened):
            assert 0 <= event.start_ns - end < 50 * MS
            start = event.start_ns
        elif isinstance(event, SegmentClosed):
            end = start + event.duration_ns


def readings(clock: StreamClock, arrivals: list[tuple[int, int, int]]) -> list[ClockReading]:
    """For (pts in ns, arrival, wall) each."""
    return [clock.at(pts * 90_000 // S, arrived, wall) for pts, arrived, wall in arrivals]


def steady(seconds: int) -> list[tuple[int, int, int]]:
    return [(n * S // 10, BOOTED + n * S // 10, BEGAN + n * S // 10) for n in range(seconds * 10)]


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 2 * S])
def test_a_camera_whose_timestamps_jump_goes_on_by_arrival(jump: int) -> None:
    times = [(pts + (jump if n >= 200 else 0), a, w) for n, (pts, a, w) in enumerate(steady(60))]
    found = readings(StreamClock(), times)
    assert [n for n, r in enumerate(found) if r.step] == [200]
    assert all(abs(r.utc_ns - wall) < 10 * MS for r, (_, _, wall) in zip(found, times, strict=True))


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 2 * S, 20 * 365 * 24 * HOUR])
def test_a_wall_clock_that_is_set_is_followed(jump: int) -> None:
    times = [(pts, a, w + (jump if n >= 200 else 0)) for n, (pts, a, w) in enumerate(steady(60))]
    found = readings(StreamClock(), times)
    assert [n for n, r in enumerate(found) if r.step] == [200]
    assert all(abs(r.utc_ns - wall) < 10 * MS for r, (_, _, wall) in zip(found, times, strict=True))


@pytest.mark.parametrize("by", [300 * MS, -300 * MS])
def test_a_small_correction_of_the_wall_clock_is_followed_slowly(by: int) -> None:
    times = [(pts, a, w + (by if n >= 200 else 0)) for n, (pts, a, w) in enumerate(steady(900))]
    found = readings(StreamClock(), times)
    assert not any(r.step for r in found)
    utc = [r.utc_ns for r in found]
    assert all(99 * MS < b - a < 101 * MS for a, b in pairwise(utc))
    assert abs(utc[-1] - times[-1][2]) < 10 * MS


def test_a_server_that_sends_its_past_at_once_is_one_step_and_then_right() -> None:
    past = [(pts, BOOTED, BEGAN) for pts, _, _ in steady(4)]
    live = [(pts, a - 4 * S, w - 4 * S) for pts, a, w in steady(60)[40:]]
    found = readings(StreamClock(), past + live)
    assert not any(r.step for r in found[60:])
    assert abs(found[-1].utc_ns - live[-1][2]) < S // 2


def test_a_stall_of_the_network_changes_nothing() -> None:
    stalled = [
        (pts, max(arrived, BOOTED + 24 * S), max(wall, BEGAN + 24 * S))
        for pts, arrived, wall in steady(60)
        if pts > 20 * S
    ]
    times = steady(60)[: 600 - len(stalled)] + stalled
    found = readings(StreamClock(), times)
    assert not any(r.step for r in found)
    assert all(abs(r.utc_ns - BEGAN - pts) < MS for r, (pts, _, _) in zip(found, times, strict=True))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(-(2**40), 2**40), st.integers(0, 2**50), st.integers(0, 2**62)), max_size=60
    )
)
def test_nothing_breaks_the_clock(times: list[tuple[int, int, int]]) -> None:
    for reading, (_, _, wall) in zip(readings(StreamClock(), times), times, strict=True):
        assert abs(reading.utc_ns - wall) < 60 * S or not reading.step


def hours(
    trust: ClockTrust, first: int, last: int, ahead_ns: int = 0, synchronised: bool = False
) -> list[bool]:
    """What was sure, asked every ten minutes from one hour to another, the wall clock being so far ahead."""
    at = range(first * HOUR, last * HOUR, HOUR // 6)
    return [trust.observe(BEGAN + t + ahead_ns, BOOTED + t, synchronised).sure for t in at]


YEARS_14 = 14 * 365 * 24 * HOUR


@pytest.mark.parametrize("synchronised", [False, True])
def test_a_clock_set_to_2040_for_an_hour_is_not_believed(synchronised: bool) -> None:
    trust = ClockTrust()
    assert all(hours(trust, 0, 5, 0, True))
    assert not any(hours(trust, 5, 6, YEARS_14, synchronised))
    found = trust.observe(BEGAN + 6 * HOUR + YEARS_14, BOOTED + 6 * HOUR, synchronised)
    assert (found.sure, found.now_ns) == (False, BEGAN + 6 * HOUR)
    assert found.reason == "the clock was set far ahead while running"
    assert all(hours(trust, 7, 9, 0, synchronised))


def test_a_boot_in_1970_is_unsure_until_ntp_comes() -> None:
    trust = ClockTrust(newest_ns=BEGAN)
    found = trust.observe(100 * S, BOOTED, False)
    assert (found.sure, found.now_ns, found.reason) == (
        False,
        None,
        "the clock is before this program's release",
    )
    assert not trust.observe(50 * HOUR, BOOTED + 50 * HOUR, True).sure  # nor by running on, nor by a flag
    assert all(hours(trust, 100, 101, 0, True))


def test_a_box_that_was_off_for_a_weekend_is_sure_and_for_a_month_needs_ntp() -> None:
    assert ClockTrust(newest_ns=BEGAN - 30 * HOUR).observe(BEGAN, BOOTED, False).sure
    month = ClockTrust(newest_ns=BEGAN - 720 * HOUR)
    assert month.observe(BEGAN, BOOTED, False).reason == "the clock is far ahead of the newest footage"
    assert month.observe(BEGAN + S, BOOTED + S, True).sure
    assert month.observe(BEGAN + 2 * S, BOOTED + 2 * S, False).sure


def test_behind_the_newest_footage_is_unsure() -> None:
    trust = ClockTrust(newest_ns=BEGAN + HOUR)
    assert trust.observe(BEGAN, BOOTED, False).reason == "the clock is behind the newest footage"
    assert trust.observe(BEGAN + HOUR, BOOTED + HOUR, False).sure


def test_set_back_while_running_is_unsure_but_ntp_may_do_it() -> None:
    trust = ClockTrust()
    assert all(hours(trust, 0, 1))
    assert trust.observe(BEGAN, BOOTED + HOUR, False).reason == "the clock was set back while running"
    assert trust.observe(BEGAN + S, BOOTED + HOUR + S, True).sure


def test_48_hours_of_steady_running_or_an_owner_settle_it() -> None:
    trust = ClockTrust()
    assert all(hours(trust, 0, 1))
    jumped = hours(trust, 1, 60, YEARS_14)
    assert jumped.index(True) == 48 * 6
    assert all(jumped[48 * 6 :])
    asked = ClockTrust()
    assert all(hours(asked, 0, 1))
    assert not any(hours(asked, 1, 2, YEARS_14))
    asked.confirm(BEGAN + 2 * HOUR + YEARS_14, BOOTED + 2 * HOUR)
    assert all(hours(asked, 2, 3, YEARS_14))


def test_steady_running_before_the_release_settles_nothing() -> None:
    trust = ClockTrust(released_ns=RELEASED_NS)
    assert not any(hours(trust, 0, 60, RELEASED_NS - BEGAN - 100 * HOUR))


def test_the_kernel_says_the_same_as_adjtimex_does() -> None:
    said = subprocess.run(
        [
            "perl",
            "-e",
            "require 'syscall.ph'; my $b=\"\\0\" x 512; print syscall(&SYS_adjtimex, $b) < 5 ? 1 : 0",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert isinstance(kernel_synchronised(), bool)
    if said.returncode == 0:
        assert kernel_synchronised() == (said.stdout == "1")
