"""What goes and what stays: the rules of the planner, each by itself and all together."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model import StreamName
from pipeline.names import DAY_MS, HoldName, SegmentName, StoredSegment
from pipeline.retention import (
    Limits,
    Plan,
    Policy,
    StreamFootage,
    Why,
    expired_gap_days,
    forecast_days,
    in_order,
    plan,
)
from tests.support.store_writing import NOON_MS

FRONT, SUB, BACK = StreamName("front", "main"), StreamName("front", "sub"), StreamName("back", "main")
NOW_MS = NOON_MS
PLENTY = 1 << 60
YEAR_2040_MS = 2_208_988_800_000


def _segment(
    days_ago: float,
    sequence: int,
    *,
    stream: StreamName = FRONT,
    size: int = 100,
    unsure: bool = False,
    kept: int = 0,
) -> StoredSegment:
    start = max(0, int(NOW_MS - days_ago * DAY_MS))
    return StoredSegment(stream, SegmentName(start, 10_000, sequence, unsure, False, kept), size)


def _footage(*segments: StoredSegment) -> list[StreamFootage]:
    found = []
    for name in sorted({segment.stream for segment in segments}):
        own = [segment for segment in segments if segment.stream == name]
        sure = sorted((s for s in own if not s.name.clock_unsure), key=lambda s: s.name.start_ms)
        unsure = sorted((s for s in own if s.name.clock_unsure), key=lambda s: s.name.sequence)
        found.append(StreamFootage(name, len(own), sum(s.size_bytes for s in own), sure, unsure))
    return found


def _ten(stream: StreamName = FRONT, count: int = 100) -> list[StoredSegment]:
    """One each day, the last today."""
    return [_segment(count - 1 - number, number, stream=stream) for number in range(count)]


def _sequences(planned: Plan, why: Why | None = None) -> list[int]:
    return [r.segment.name.sequence for r in planned.removals if why in (None, r.why)]


def test_what_is_older_than_its_days_goes() -> None:
    planned = plan(Policy({"front": Limits(days=95.5)}), _footage(*_ten()), [], PLENTY, NOW_MS)
    assert _sequences(planned, Why.AGE) == [0, 1, 2, 3]
    assert (planned.unfinished, planned.short_bytes) == (False, 0)


def test_a_pass_takes_at_most_a_tenth_and_says_that_it_is_not_done() -> None:
    planned = plan(Policy({"front": Limits(days=1)}), _footage(*_ten()), [], PLENTY, NOW_MS)
    assert _sequences(planned) == list(range(10))
    assert (planned.unfinished, planned.urgent) == (True, False)


def test_a_pass_takes_at_least_one() -> None:
    planned = plan(Policy({"front": Limits(days=1)}), _footage(*_ten(count=5)), [], PLENTY, NOW_MS)
    assert _sequences(planned) == [0]


def test_an_unsure_clock_deletes_nothing_for_age() -> None:
    policy = Policy({"front": Limits(days=1)})
    assert plan(policy, _footage(*_ten()), [], PLENTY, None) == Plan()


def test_footage_of_an_unsure_clock_never_goes_for_age() -> None:
    old = [_segment(10_000, 1, unsure=True), _segment(50, 2), _segment(0, 3)]
    planned = plan(Policy({"front": Limits(days=10)}), _footage(*old), [], PLENTY, NOW_MS)
    assert _sequences(planned) == [2]


def test_a_clock_at_2040_deletes_at_most_a_tenth_even_if_it_is_believed() -> None:
    planned = plan(Policy({"front": Limits(days=30)}), _footage(*_ten()), [], PLENTY, YEAR_2040_MS)
    assert len(planned.removals) == 10


def test_bytes_of_a_camera_leave_others_alone() -> None:
    policy = Policy({"front": Limits(max_bytes=9_750)})
    planned = plan(policy, _footage(*_ten(), *_ten(BACK)), [], PLENTY, NOW_MS)
    assert [str(r.segment.stream) for r in planned.removals] == ["front/main"] * 3
    assert _sequences(planned, Why.CAMERA_BYTES) == [0, 1, 2]


def test_bytes_of_the_store_take_the_oldest_of_all() -> None:
    back = [_segment(200, 0, stream=BACK), *(_segment(0.1 * n, n, stream=BACK) for n in range(1, 30))]
    planned = plan(Policy(max_bytes=12_700), _footage(*_ten(), *back), [], PLENTY, NOW_MS)
    assert [r.segment for r in planned.removals] == [back[0], *_ten()[:2]]
    assert {r.why for r in planned.removals} == {Why.STORE_BYTES}


def test_the_floor_wins_over_deadlines_but_not_over_holds() -> None:
    segments = [
        _segment(9, 0),
        _segment(8, 1, kept=NOW_MS + DAY_MS),
        _segment(7, 2, kept=NOW_MS + DAY_MS),
        _segment(6, 3),
    ] + [_segment(5 - n / 100, 10 + n, stream=SUB, size=0) for n in range(100)]
    hold = HoldName("front", segments[0].name.start_ms, segments[0].name.start_ms + 1, 0)
    policy = Policy(min_free_bytes=1000)
    assert _sequences(plan(policy, _footage(*segments), [hold], 900, NOW_MS)) == [3]
    both = plan(policy, _footage(*segments[:4]), [hold], 899, NOW_MS)
    assert (_sequences(both), both.urgent) == ([3], True)
    after = plan(policy, _footage(*segments[:3]), [hold], 999, NOW_MS)
    assert _sequences(after, Why.FREE_SPACE) == [1]
    held = plan(policy, _footage(segments[0]), [hold], 400, NOW_MS)
    assert (held.removals, held.short_bytes, held.urgent) == ((), 600, False)


def test_deadlines_win_over_days_and_bytes_until_they_pass() -> None:
    segments = [_segment(9, 0, kept=NOW_MS + 1), _segment(8, 1, kept=NOW_MS - 1), _segment(7, 2)]
    policy = Policy({"front": Limits(days=1, max_bytes=0)}, max_bytes=0)
    assert _sequences(plan(policy, _footage(*segments), [], PLENTY, NOW_MS)) == [1]
    assert _sequences(plan(policy, _footage(*segments), [], PLENTY, None)) == [2]


def test_what_goes_for_age_counts_for_bytes_and_space() -> None:
    policy = Policy({"front": Limits(days=97.5, max_bytes=9_800)}, max_bytes=9_800, min_free_bytes=1000)
    assert _sequences(plan(policy, _footage(*_ten()), [], 800, NOW_MS)) == [0, 1]


def test_fresh_footage_of_an_unsure_clock_is_not_the_oldest() -> None:
    fresh = [_segment(20_000, 100, unsure=True), _segment(0, 101)]
    assert fresh[0].name.start_ms < _ten()[0].name.start_ms
    planned = plan(Policy({"front": Limits(max_bytes=10_000)}), _footage(*_ten(), *fresh), [], PLENTY, NOW_MS)
    assert _sequences(planned) == [0, 1]
    ordered = [aged.segment.name.sequence for aged in in_order(_footage(*_ten(count=3), *fresh)[0])]
    assert ordered == [0, 1, 2, 100, 101]


def test_cameras_that_are_no_longer_configured_go_by_the_rest_of_the_policy() -> None:
    policy = Policy({"back": Limits(days=1)}, others=Limits(days=97.5))
    assert _sequences(plan(policy, _footage(*_ten()), [], PLENTY, NOW_MS)) == [0, 1]


SEGMENTS = st.builds(
    lambda stream, ago, size, unsure, kept: (stream, ago, size, unsure, kept),
    st.sampled_from([FRONT, SUB, BACK]),
    st.floats(-5, 60),
    st.integers(0, 500),
    st.booleans(),
    st.sampled_from([0, NOW_MS - DAY_MS, NOW_MS + DAY_MS]),
)
LIMITS = st.builds(Limits, st.none() | st.floats(0, 60), st.none() | st.integers(0, 5000))


@given(
    st.lists(SEGMENTS, max_size=60),
    LIMITS,
    LIMITS,
    st.none() | st.integers(0, 10_000),
    st.integers(0, 2000),
    st.integers(0, 3000),
    st.none() | st.just(NOW_MS),
    st.lists(
        st.tuples(st.sampled_from(["front", "back"]), st.integers(0, 60), st.integers(1, 30)), max_size=3
    ),
)
@settings(max_examples=150, deadline=None)
def test_the_rules_hold_together(
    drawn: list[tuple[StreamName, float, int, bool, int]],
    front: Limits,
    back: Limits,
    max_bytes: int | None,
    min_free: int,
    free: int,
    now_ms: int | None,
    held: list[tuple[str, int, int]],
) -> None:
    segments = [_segment(a, n, stream=s, size=z, unsure=u, kept=k) for n, (s, a, z, u, k) in enumerate(drawn)]
    holds = [
        HoldName(c, NOW_MS - ago * DAY_MS, NOW_MS - (ago - length) * DAY_MS, 0) for c, ago, length in held
    ]
    policy = Policy({"front": front, "back": back}, Limits(), max_bytes, min_free)
    planned = plan(policy, _footage(*segments), holds, free, now_ms)
    going = [removal.segment for removal in planned.removals]
    assert len(set(going)) == len(going)
    for removal in planned.removals:
        name, camera = removal.segment.name, removal.segment.stream.camera
        assert not any(hold.covers(camera, name.start_ms, name.end_ms) for hold in holds)
        if removal.why is Why.AGE:
            assert now_ms is not None
            assert not name.clock_unsure
            assert name.end_ms < now_ms
        if removal.why is not Why.FREE_SPACE:
            assert name.kept_until_ms <= (now_ms or 0)
    for camera in ("front", "back"):
        there = sum(s.stream.camera == camera for s in segments)
        assert sum(s.stream.camera == camera for s in going) <= max(1, there // 10)
    if free >= min_free:
        assert all(removal.why is not Why.FREE_SPACE for removal in planned.removals)
    elif not planned.urgent and not planned.short_bytes:
        assert free + sum(segment.size_bytes for segment in going) >= min_free
    if planned.short_bytes:  # then nothing that may go is left
        rest = [s for s in segments if s not in going]
        assert all(
            any(h.covers(s.stream.camera, s.name.start_ms, s.name.end_ms) for h in holds) for s in rest
        )


def test_gap_marks_go_with_their_footage() -> None:
    days = ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert expired_gap_days(days, NOON_MS) == days[:2]
    assert expired_gap_days(days, NOON_MS - NOON_MS % DAY_MS - 1) == days[:1]
    assert expired_gap_days(days, None) == []


def test_the_forecast_says_what_gives_way() -> None:
    gigabyte = 1_000_000_000
    rates = {"front": 40.0 * gigabyte, "back": 10.0 * gigabyte}
    roomy = Policy(
        {"front": Limits(days=30), "back": Limits(max_bytes=100 * gigabyte)}, min_free_bytes=2 * gigabyte
    )
    assert forecast_days(rates, roomy, 100 * gigabyte, 2000 * gigabyte) == {"front": 30, "back": 10}
    small = forecast_days(rates, roomy, 100 * gigabyte, 402 * gigabyte)
    assert small == {"front": 10, "back": 10}
    smaller = forecast_days(rates, roomy, 0, 252 * gigabyte)
    assert smaller == {"front": 5, "back": 5}
    uneven = Policy({"back": Limits(days=1)}, max_bytes=90 * gigabyte)
    assert forecast_days(rates, uneven, 0, 2000 * gigabyte) == {"front": 2, "back": 1}
    assert forecast_days({"front": 0.0}, Policy(), 0, gigabyte) == {"front": None}
