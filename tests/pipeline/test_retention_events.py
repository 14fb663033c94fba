"""Record mode *events*: what goes because no event touches it, and what never does."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model import StreamName
from pipeline.names import DAY_MS, HoldName, SegmentName, StoredSegment, kind_of
from pipeline.retention import MOST_UNTOUCHED, Limits, Looked, Plan, Policy, StreamFootage, Why, plan
from pipeline.spans import Span, covers, merged
from tests.support.store_writing import NOON_MS

MAIN, SUB, EVENTS = StreamName("front", "main"), StreamName("front", "sub"), StreamName("front", "events")
MINUTE_MS = 60_000
NOW_MS = NOON_MS
PLENTY = 1 << 60
POLICY = Policy({"front": Limits(days=30, event_minutes=5)})
EVER = [Span(0, NOW_MS)]


def _segment(
    minutes_ago: float, sequence: int, stream: StreamName = MAIN, *, unsure: bool = False, kept: int = 0
) -> StoredSegment:
    start_ms = int(NOW_MS - minutes_ago * MINUTE_MS)
    name = SegmentName(start_ms, 10_000, sequence, unsure, False, kept, kind_of(stream.stream))
    return StoredSegment(stream, name, 100)


def _planned(
    segments: list[StoredSegment],
    spans: list[Span],
    policy: Policy = POLICY,
    holds: list[HoldName] | None = None,
    now_ms: int | None = NOW_MS,
) -> Plan:
    streams = sorted({one.stream for one in segments})
    footage = [
        StreamFootage(
            name,
            sum(one.stream == name for one in segments),
            sum(one.size_bytes for one in segments if one.stream == name),
            sorted((one for one in segments if one.stream == name), key=lambda one: one.name.start_ms),
        )
        for name in streams
    ]
    return plan(policy, footage, holds or [], PLENTY, now_ms, [Looked("front", spans, segments)])


def _gone(planned: Plan, why: Why = Why.NO_EVENT) -> list[int]:
    return [one.segment.name.sequence for one in planned.removals if one.why is why]


def test_what_was_looked_at_in_vain_goes_after_its_minutes() -> None:
    segments = [_segment(ago, number) for number, ago in enumerate((9, 8, 7, 5.1, 4, 1))]
    assert _gone(_planned(segments, EVER)) == [0, 1, 2]
    seen = [Span(NOW_MS - 8 * MINUTE_MS, NOW_MS)]
    assert _gone(_planned(segments, seen)) == [1, 2]


def test_what_only_partly_was_looked_at_stays() -> None:
    segment = _segment(9, 0)
    name = segment.name
    for span in (
        Span(name.start_ms + 1, name.end_ms),
        Span(name.start_ms, name.end_ms - 1),
        Span(0, name.start_ms),
    ):
        assert _gone(_planned([segment], [span])) == []
    assert _gone(_planned([segment], [Span(name.start_ms, name.end_ms)])) == [0]


def test_other_modes_and_an_unsure_clock_make_no_difference() -> None:
    segments = [_segment(9, 0)]
    assert _planned(segments, EVER, Policy({"front": Limits(days=30)})) == Plan()
    assert _planned(segments, EVER, now_ms=None) == Plan()


def test_events_themselves_held_kept_and_unsure_footage_stay() -> None:
    segments = [
        _segment(9, 0, EVENTS),
        _segment(9, 1, unsure=True),
        _segment(9, 2, kept=NOW_MS + 1),
        _segment(8, 3),
        _segment(7, 4, kept=NOW_MS - 1),
    ]
    hold = HoldName("front", segments[3].name.start_ms, segments[3].name.start_ms + 1, 0)
    assert _gone(_planned(segments, EVER, holds=[hold])) == [4]


def test_events_go_as_footage_does_by_age_bytes_deadlines_and_holds() -> None:
    old = [_segment(3 * 1440 - number, number, EVENTS) for number in range(3)]
    kept = _segment(3 * 1440 - 3, 3, EVENTS, kept=NOW_MS + 1)
    footage = [_segment(3 * 1440 - 10 - number, 10 + number) for number in range(40)]
    held = HoldName("front", old[1].name.start_ms, old[1].name.start_ms + 1, 0)
    by_age = _planned([*old, kept, *footage], [], Policy({"front": Limits(days=2)}), [held])
    assert _gone(by_age, Why.AGE)[:3] == [0, 2, 10], "oldest first, whatever it is"
    by_bytes = _planned([*old, kept, *footage], [], Policy({"front": Limits(max_bytes=4_250)}), [held])
    assert _gone(by_bytes, Why.CAMERA_BYTES) == [0, 2]


def test_a_pass_a_minute_keeps_up_with_two_streams_and_catches_up() -> None:
    """In the steady state a tenth would be six, of the twelve that come each minute."""
    stored: list[StoredSegment] = []
    most, sequence = 0, 0
    for minute in range(120):
        now_ms = NOW_MS + minute * MINUTE_MS
        for tenth in range(6):
            for stream in (MAIN, SUB):
                name = SegmentName(now_ms - MINUTE_MS + tenth * 10_000, 10_000, sequence)
                stored.append(StoredSegment(stream, name, 100))
            sequence += 1
        if minute < 60:
            continue  # nobody deleted for an hour
        planned = _planned(stored, [Span(0, now_ms)], now_ms=now_ms)
        going = {one.segment for one in planned.removals}
        stored = [one for one in stored if one not in going]
        if minute >= 60 + 15:
            most = max(most, len(stored))
    assert most <= 12 * 6, "five minutes, and the one that comes"


def test_what_goes_so_counts_for_bytes() -> None:
    segments = [_segment(9 - number, number) for number in range(9)]
    policy = Policy({"front": Limits(max_bytes=500, event_minutes=5)})
    planned = _planned(segments, EVER, policy)
    assert (_gone(planned), _gone(planned, Why.CAMERA_BYTES)) == ([0, 1, 2, 3], [])
    tighter = _planned(segments, EVER, Policy({"front": Limits(max_bytes=400, event_minutes=5)}))
    assert _gone(tighter, Why.CAMERA_BYTES) == [4]


SEGMENTS = st.lists(
    st.tuples(
        st.sampled_from([MAIN, SUB, EVENTS]),
        st.floats(-5, 60),
        st.booleans(),
        st.sampled_from([0, NOW_MS - 1, NOW_MS + 1, NOW_MS + DAY_MS]),
    ),
    max_size=120,
)
SPANS = st.lists(st.tuples(st.floats(0, 60), st.floats(0, 30)), max_size=4)


@given(SEGMENTS, SPANS, SPANS, st.none() | st.floats(2, 30), st.none() | st.just(NOW_MS))
@settings(max_examples=150, deadline=None)
def test_the_rules_of_events_hold_together(
    drawn: list[tuple[StreamName, float, bool, int]],
    looked: list[tuple[float, float]],
    held: list[tuple[float, float]],
    minutes: float | None,
    now_ms: int | None,
) -> None:
    segments = [_segment(a, n, s, unsure=u, kept=k) for n, (s, a, u, k) in enumerate(drawn)]
    spans = merged(_span(*one) for one in looked)
    holds = [HoldName("front", span.from_ms, span.to_ms + 1, 0) for span in (_span(*one) for one in held)]
    policy = Policy({"front": Limits(days=1, event_minutes=minutes)})
    planned = _planned(segments, spans, policy, holds, now_ms)
    going = [one.segment for one in planned.removals if one.why is Why.NO_EVENT]
    assert len(set(going)) == len(going) <= MOST_UNTOUCHED
    assert not going or (minutes is not None and now_ms is not None)
    may_go = [one for one in segments if minutes is not None and _may_go(one, spans, holds, minutes)]
    assert set(going) <= set(may_go)
    if now_ms is not None and len(going) < MOST_UNTOUCHED:
        assert set(going) == set(may_go)


def _span(minutes_ago: float, length: float) -> Span:
    from_ms = int(NOW_MS - minutes_ago * MINUTE_MS)
    return Span(from_ms, from_ms + int(length * MINUTE_MS))


def _may_go(one: StoredSegment, spans: list[Span], holds: list[HoldName], minutes: float) -> bool:
    name = one.name
    return (
        one.stream != EVENTS
        and not name.clock_unsure
        and name.kept_until_ms <= NOW_MS
        and name.end_ms <= NOW_MS - round(minutes * MINUTE_MS)
        and covers(spans, name.start_ms, name.end_ms)
        and not any(hold.covers("front", name.start_ms, name.end_ms) for hold in holds)
    )
