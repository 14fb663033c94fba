"""The segmenter's rules, over streams that hypothesis makes up and over single faults of each kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model import Codec, Fragment, Kind, Packet, StreamInfo, Track
from pipeline.segmenter import FragmentReady, SegmentClosed, Segmenter, SegmenterEvent, SegmentOpened

RATE = 8000
FRAME = 3600  # 25 fps
SOUND = 1000  # 125 ms
VIDEO = Track(Kind.VIDEO, Codec.H264, 90_000, b"", 640, 360)
SILENT = StreamInfo(VIDEO)
INFO = StreamInfo(VIDEO, Track(Kind.AUDIO, Codec.AAC, RATE, b"", channels=1))
BEGAN_NS = 1_795_000_000_000_000_000


def ns(pts: int) -> int:
    return pts * 1_000_000_000 // 90_000


@dataclass
class Heard:
    """One segment, as the events tell it."""

    opened: SegmentOpened
    fragments: list[Fragment] = field(default_factory=list)
    closed: SegmentClosed | None = None
    media_ns: int = 0

    def video(self) -> list[Packet]:
        return [p for f in self.fragments for p in f.video]

    def audio(self) -> list[Packet]:
        return [p for f in self.fragments for p in f.audio]


def gathered(events: Iterable[SegmenterEvent]) -> list[Heard]:
    """The segments; asserts that events of two never mix."""
    heard: list[Heard] = []
    for event in events:
        if isinstance(event, SegmentOpened):
            assert not heard or heard[-1].closed
            heard.append(Heard(event))
            continue
        assert heard and heard[-1].closed is None
        if isinstance(event, FragmentReady):
            heard[-1].fragments.append(event.fragment)
            assert event.duration_ns >= heard[-1].media_ns
            heard[-1].media_ns = event.duration_ns
        else:
            heard[-1].closed = event
    return heard


def frame(n: int, pts: int, key: bool, arrived: int | None = None, duration: int = FRAME) -> Packet:
    return Packet(Kind.VIDEO, pts, pts, duration, key, ns(pts if arrived is None else arrived), b"v%d" % n)


def sound(n: int, pts: int, arrived_pts: int) -> Packet:
    return Packet(Kind.AUDIO, pts, pts, SOUND, True, ns(arrived_pts), b"a%d" % n)


def stream(seconds: int, gop: int = 50, audio_late_s: float = 0.0) -> list[Packet]:
    """25 fps and audio, in the order of arrival; the audio comes so much later than the video of its time."""
    frames = [frame(n, n * FRAME, n % gop == 0) for n in range(seconds * 25)]
    late = round(audio_late_s * 90_000)
    sounds = [sound(n, n * SOUND, n * SOUND * 90_000 // RATE + late) for n in range(seconds * 8)]
    return sorted([*frames, *sounds], key=lambda p: (p.arrived_ns, p.kind is Kind.AUDIO))


def cut(
    packets: Iterable[Packet | StreamInfo], segmenter: Segmenter, first: StreamInfo = INFO
) -> list[SegmenterEvent]:
    events = segmenter.push(first)
    for packet in packets:
        at = ns(packet.pts) if isinstance(packet, Packet) and packet.kind is Kind.VIDEO else 0
        events += segmenter.push(packet, BEGAN_NS + at)
    return events + segmenter.close("stopped")


def keeps_the_rules(heard: list[Heard]) -> None:
    """Everything that holds of any segments whatever the stream did."""
    for segment in heard:
        assert segment.closed is not None
        video, audio = segment.video(), segment.audio()
        assert video[0].is_keyframe and video[0] == replace(segment.opened.first, duration=video[0].duration)
        for f in segment.fragments:
            last = f.video[-1:]
            assert not last or len(f.video) == 1 or last[0].dts + last[0].duration - f.video[0].dts <= 90_000
        assert all(a.dts < b.dts for a, b in pairwise(video))
        with_video = [f.video for f in segment.fragments if f.video]
        assert all(a[-1].dts + a[-1].duration == b[0].dts for a, b in pairwise(with_video))
        assert all(a.pts < b.pts for a, b in pairwise(audio))
        assert not audio or audio[0].pts >= video[0].pts * RATE // 90_000
    for before, after in pairwise(heard):
        assert before.closed is not None
        assert before.opened.start_ns + before.closed.duration_ns <= after.opened.start_ns


def recordable(packets: list[Packet]) -> list[Packet]:
    """All from the first keyframe on: what arrives after it, and is not audio of a time before it."""
    at = next(n for n, p in enumerate(packets) if p.is_keyframe and p.kind is Kind.VIDEO)
    begins = packets[at].pts * RATE // 90_000
    return [p for p in packets[at:] if p.kind is Kind.VIDEO or p.pts >= begins]


@st.composite
def streams(draw: st.DrawFn) -> list[Packet]:
    """A stream with jitter, GOPs of any length, pauses, and audio early or late by up to 0.9 s."""
    gops = draw(st.lists(st.integers(1, 60), min_size=1, max_size=25))
    step = draw(st.sampled_from([1500, 3000, 3600, 6000, 18_000, 90_000, 200_000]))
    jitter = draw(st.lists(st.integers(-step // 3, step // 3), min_size=7, max_size=7))
    pauses = draw(st.sets(st.integers(1, 200), max_size=3))
    late = draw(st.integers(-80_000, 80_000))
    keys = [n == 0 for length in gops for n in range(length)]
    found, at = [], 0
    for n, key in enumerate(keys):
        at += step + (draw(st.integers(90_000, 400_000)) if n in pauses else 0)
        found.append(frame(n, at + jitter[n % 7], key, duration=draw(st.sampled_from([0, step]))))
    sounds = [
        sound(n, n * SOUND, max(n * SOUND * 90_000 // RATE + late, 0))
        for n in range(at * RATE // 90_000 // SOUND)
    ]
    return sorted([*found, *sounds], key=lambda p: (p.arrived_ns, p.kind is Kind.AUDIO))


@settings(max_examples=150, deadline=None)
@given(streams(), st.sampled_from([0.5, 2.0, 10.0]))
def test_every_packet_lands_exactly_once_and_in_order(packets: list[Packet], target_s: float) -> None:
    segmenter = Segmenter(target_s)
    heard = gathered(cut(packets, segmenter))
    keeps_the_rules(heard)
    from_first = recordable(packets)
    for kind in Kind:
        landed = [p.data for s in heard for p in (s.video() if kind is Kind.VIDEO else s.audio())]
        assert landed == [p.data for p in from_first if p.kind is kind]
    assert segmenter.skipped_packets == len(packets) - len(from_first)
    assert segmenter.dropped_packets == 0
    for segment in heard[:-1]:
        keyframes = [p for p in segment.video() if p.is_keyframe]
        assert keyframes[-1].pts - keyframes[0].pts < target_s * 90_000  # it ended at the first chance


@settings(max_examples=60, deadline=None)
@given(streams(), st.integers(0, 400), st.integers(-400_000_000, 400_000_000))
def test_any_jump_loses_nothing(packets: list[Packet], at: int, by: int) -> None:
    jumped = [
        p if n < at else replace(p, pts=p.pts + shift, dts=p.dts + shift)
        for n, p in enumerate(packets)
        for shift in [by if p.kind is Kind.VIDEO else by * RATE // 90_000]
    ]
    segmenter = Segmenter(2.0)
    events = segmenter.push(INFO)
    for packet in jumped:
        events += segmenter.push(packet, BEGAN_NS + packet.arrived_ns)
    heard = gathered(events + segmenter.close("stopped"))
    keeps_the_rules(heard)
    for kind in Kind:
        landed = [p.data for s in heard for p in (s.video() if kind is Kind.VIDEO else s.audio())]
        expected = [p.data for p in packets if p.kind is kind]
        assert landed == expected[len(expected) - len(landed) :]
        assert kind is Kind.AUDIO or len(landed) == len(expected)
    assert sum(len(s.video()) + len(s.audio()) for s in heard) + segmenter.skipped_packets == len(packets)


def test_segments_are_ten_seconds_of_whole_gops() -> None:
    heard = gathered(cut(stream(60), Segmenter()))
    assert [s.closed and s.closed.duration_ns for s in heard] == [10_000_000_000] * 6
    assert [s.closed and s.closed.reason for s in heard] == ["full"] * 5 + ["stopped"]
    assert [s.opened.start_ns for s in heard] == [BEGAN_NS + n * 10_000_000_000 for n in range(6)]
    lengths = [len(f.video) for s in heard for f in s.fragments[:-1]]
    assert set(lengths) == {18}  # the next would make 0.8 s, with the two frames that the source holds back


@pytest.mark.parametrize("late_s", [-0.6, -0.1, 0.0, 0.3, 0.6])
def test_audio_lands_in_the_segment_of_its_time(late_s: float) -> None:
    heard = gathered(cut(stream(60, audio_late_s=late_s), Segmenter()))
    keeps_the_rules(heard)
    for n, segment in enumerate(heard[1:5], 1):
        assert [p.data for p in segment.audio()] == [b"a%d" % a for a in range(n * 80, n * 80 + 80)]


@pytest.mark.parametrize("late_s", [-1.5, 0.9, 1.6, 30])
def test_audio_far_too_late_or_early_is_all_kept(late_s: float) -> None:
    packets = stream(60, audio_late_s=late_s)
    heard = gathered(cut(packets, Segmenter()))
    keeps_the_rules(heard)
    kept = [p.data for s in heard for p in s.audio()]
    assert kept == [p.data for p in recordable(packets) if p.kind is Kind.AUDIO]


def test_late_audio_from_before_the_first_keyframe_is_not_kept() -> None:
    frames = [frame(n, 1500 + 1500 * n, n in (0, 27)) for n in range(28)]
    late = [sound(n, n * SOUND, 43_500 + n) for n in range(2)]  # after the second keyframe has cut
    segmenter = Segmenter(0.5)
    heard = gathered(cut([*frames, *late], segmenter))
    assert [[p.data for p in s.audio()] for s in heard] == [[b"a1"], []]
    assert segmenter.skipped_packets == 1


def test_audio_with_a_clock_of_its_own_follows_at_its_own_pace() -> None:
    packets = [
        replace(p, pts=p.pts + 10**9, dts=p.dts + 10**9) if p.kind is Kind.AUDIO else p for p in stream(20)
    ]
    heard = gathered(cut(packets, Segmenter()))
    keeps_the_rules(heard)
    for segment in heard:
        audio = segment.audio()
        assert {b.pts - a.pts for a, b in pairwise(audio)} == {SOUND}


@pytest.mark.parametrize("late_s", [0.0, 0.5, 0.95, 1.7, 30])
def test_what_a_crash_may_cost_is_written(late_s: float) -> None:
    segmenter = Segmenter()
    segmenter.push(INFO)
    written = 0
    for n, packet in enumerate(p for p in stream(60, audio_late_s=late_s)):
        for event in segmenter.push(packet, BEGAN_NS + ns(packet.pts) if packet.kind is Kind.VIDEO else 0):
            written += len(event.fragment.video) if isinstance(event, FragmentReady) else 0
        if packet.kind is Kind.VIDEO and n:
            waiting = int(packet.data[1:]) + 1 - written
            assert waiting + 2 <= 20  # 0.8 s, with the two frames that the source holds back


def test_a_jump_of_an_hour_begins_a_new_segment_at_the_next_keyframe() -> None:
    hour = 3600 * 90_000
    packets = [
        replace(p, pts=p.pts + hour, dts=p.dts + hour) if p.arrived_ns >= ns(115 * FRAME) else p
        for p in stream(20)
        if p.kind is Kind.VIDEO
    ]
    segmenter = Segmenter()
    events = segmenter.push(SILENT)
    for packet in packets:
        events += segmenter.push(packet, BEGAN_NS + packet.arrived_ns)
    heard = gathered(events + segmenter.close("stopped"))
    assert [len(s.video()) for s in heard] == [150, 250, 100]
    assert heard[0].closed == SegmentClosed(6_000_000_000, "jump")
    assert heard[1].opened.start_ns == BEGAN_NS + 6_000_000_000


@pytest.mark.parametrize(("pause_s", "stall_s"), [(3, 0), (0, 3), (40, 0)])
def test_a_pause_of_the_camera_and_a_stall_of_the_network_are_no_jumps(pause_s: int, stall_s: int) -> None:
    pts = [n * FRAME + (pause_s * 90_000 if n > 60 else 0) for n in range(200)]
    came = [p + (stall_s * 90_000 if 60 < n < 120 else 0) for n, p in enumerate(pts)]
    heard = gathered(cut([frame(n, pts[n], n % 50 == 0, came[n]) for n in range(200)], Segmenter(300)))
    assert len(heard) == 1
    assert heard[0].closed == SegmentClosed((8 + pause_s) * 1_000_000_000, "stopped")


def test_a_step_of_the_clock_begins_a_new_segment_at_the_next_keyframe() -> None:
    segmenter = Segmenter()
    events = segmenter.push(SILENT)
    for n in range(200):
        back = 3600 * 10**9 if n >= 60 else 0
        events += segmenter.push(
            frame(n, n * FRAME, n % 50 == 0), BEGAN_NS + ns(n * FRAME) - back, step=n == 60, unsure=n >= 60
        )
    heard = gathered(events)
    assert heard[0].closed == SegmentClosed(4_000_000_000, "step")
    assert heard[1].opened.start_ns == BEGAN_NS + 4_000_000_000 - 3600 * 10**9
    assert [s.opened.unsure for s in heard] == [False, True]


def test_new_parameters_begin_a_new_segment_at_once() -> None:
    other = StreamInfo(replace(VIDEO, width=320, height=180))
    packets: list[Packet | StreamInfo] = [p for p in stream(8) if p.kind is Kind.VIDEO]
    packets[100:100] = [other]
    heard = gathered(cut(packets, Segmenter(), SILENT))
    assert [(s.opened.info, len(s.video()), s.closed and s.closed.reason) for s in heard] == [
        (SILENT, 100, "parameters"),
        (other, 100, "stopped"),
    ]


@settings(max_examples=60, deadline=None)
@given(streams(), st.sets(st.integers(0, 300), max_size=60), st.sets(st.integers(0, 300), max_size=3))
def test_overload_drops_whole_gops_and_counts_them(
    packets: list[Packet], crowded: set[int], full: set[int]
) -> None:
    segmenter = Segmenter(2.0)
    events = segmenter.push(INFO)
    for n, packet in enumerate(packets):
        if n in full:
            events += segmenter.drop_to_keyframe()
        events += segmenter.push(packet, BEGAN_NS + ns(packet.pts), room=n not in crowded)
    heard = gathered(events + segmenter.close("stopped"))
    for segment in heard:
        assert segment.video()[0].is_keyframe
        numbers = [int(p.data[1:]) for p in segment.video()]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))  # no hole inside a segment
    landed = sum(len(s.video()) + len(s.audio()) for s in heard)
    assert landed + segmenter.dropped_packets + segmenter.skipped_packets == len(packets)
    assert bool(segmenter.dropped_packets) <= bool(segmenter.dropped_gops)


def test_dropped_gops_are_counted() -> None:
    segmenter = Segmenter()
    events = segmenter.push(SILENT)
    for n, packet in enumerate(p for p in stream(20) if p.kind is Kind.VIDEO):
        events += segmenter.push(packet, BEGAN_NS + ns(packet.pts), room=not 90 <= n < 201)
    heard = gathered(events + segmenter.close("stopped"))
    assert [(len(s.video()), s.closed and s.closed.reason) for s in heard] == [
        (100, "overload"),
        (250, "stopped"),
    ]
    assert (segmenter.dropped_gops, segmenter.dropped_packets) == (3, 150)


@pytest.mark.parametrize("ppm", [-500, -200, 200, 500])
def test_what_the_clock_corrects_makes_neither_overlaps_nor_gaps(ppm: int) -> None:
    segmenter = Segmenter()
    events = segmenter.push(SILENT)
    for n in range(25 * 120):
        at = n * FRAME
        events += segmenter.push(frame(n, at, n % 50 == 0), BEGAN_NS + ns(at) + ns(at) * ppm // 1_000_000)
    heard = gathered(events)
    for before, after in pairwise(heard):
        assert before.closed is not None
        assert before.opened.start_ns + before.closed.duration_ns == after.opened.start_ns
        floor_ms = before.opened.start_ns // 10**6 + before.closed.duration_ns // 10**6
        assert 0 <= after.opened.start_ns // 10**6 - floor_ms <= 1
