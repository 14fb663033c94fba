"""The eye on real packets: when it wakes, what it hands on, and what it survives."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model import Kind, Packet, StreamInfo
from pipeline.tap import TapServer
from pipeline.watcher import main_picture as main_picture_module
from pipeline.watcher.eye import Eye, EyeSettings, Mode, Sight
from pipeline.watcher.main_picture import main_picture, nearest
from pipeline.wire import Anchor, Dropped, Hello, Message
from tests.support.footage import VideoCodec, clip
from tests.support.household import STREET, until
from tests.support.packets import read_packets
from tests.support.scenes import passing_scene, still_scene
from tests.support.tap_feed import playing

_NS = 1_000_000_000
_START_NS = 10**18


def _messages(path: Path) -> list[Message]:
    """A clip as a tap brings it."""
    info, packets = read_packets(path)
    video = [one for one in packets if one.kind is Kind.VIDEO]
    return [Hello(info, 1, Anchor(video[0].pts, _START_NS)), *packets]


def _seconds(path: Path, from_s: float, to_s: float) -> list[Message]:
    hello, *packets = _messages(path)
    chosen = (one for one in packets if isinstance(one, Packet))
    return [hello, *(one for one in chosen if from_s <= (one.arrived_ns - _NS) / _NS < to_s)]


def _sights(eye: Eye, messages: Iterable[Message]) -> list[Sight]:
    return [sight for message in messages for sight in eye.take(message)]


def _shown_s(sight: Sight) -> float:
    return (sight.frame.at_ns - _START_NS) / _NS


def test_a_still_scene_is_looked_at_by_keyframes() -> None:
    eye = Eye(EyeSettings())
    sights = _sights(eye, _messages(still_scene("640x360")))
    assert [(_shown_s(one), one.whole) for one in sights] == [(0, True)]
    report = eye.report()
    assert (report.mode, report.decoded, report.faults) == (Mode.KEYFRAMES, 10, 0)
    assert report.looked_ns == _START_NS + 18 * _NS


def test_a_still_sub_stream_is_decoded_whole_while_the_gate_is_unsure() -> None:
    eye = Eye(EyeSettings(is_sub=True))
    sights = _sights(eye, _messages(still_scene("640x360")))
    assert len(sights) == 1
    assert (eye.report().mode, eye.report().decoded) == (Mode.ALL, 500)


@pytest.mark.parametrize(("is_sub", "latest_s"), [(True, 4.0), (False, 6.0)])
def test_it_wakes_when_somebody_comes(is_sub: bool, latest_s: float) -> None:
    """At second 3.7; without a sub stream the next keyframe shows it, at most 2 s later."""
    sights = _sights(Eye(EyeSettings(is_sub=is_sub)), _seconds(passing_scene("640x360"), 0, 9))
    moving = [one for one in sights if one.motion.boxes]
    assert 3.5 < _shown_s(moving[0]) <= latest_s
    assert moving[0].whole
    times = [_shown_s(one) for one in moving]
    assert all(0.15 < later - earlier < 0.3 for earlier, later in pairwise(times))


def test_it_sleeps_when_all_have_gone() -> None:
    eye = Eye(EyeSettings())
    gone_ns = _played(eye, _seconds(passing_scene("640x360"), 0, 8), _START_NS)
    assert eye.report().mode is Mode.ALL
    before = eye.report().decoded
    _played(eye, _messages(still_scene("640x360"))[:251], gone_ns)
    assert eye.report().decoded - before < 100  # of 250
    assert eye.report().mode is Mode.KEYFRAMES


def test_what_is_tracked_keeps_it_awake_in_the_middle_of_a_gop() -> None:
    """What came before is decoded at once; no sight is older than a second."""
    eye = Eye(EyeSettings())
    messages = _messages(still_scene("640x360"))
    _sights(eye, messages[:38])
    assert eye.report().decoded == 1
    eye.stay_awake_until(_START_NS + 5 * _NS)
    sights = _sights(eye, messages[38:40])
    assert eye.report().decoded == 40, "the keyframe once more: its decoder kept nothing"
    assert all(0.4 < _shown_s(one) <= 1.6 for one in sights)
    assert len(_sights(eye, messages[40:200])) > 14
    assert eye.report().mode is Mode.KEYFRAMES


def test_a_gate_that_has_learnt_lets_it_sleep_longer() -> None:
    """Then a keyframe in six seconds is enough."""
    eye = Eye(EyeSettings())
    now_ns = _START_NS
    for _ in range(5):
        now_ns = _played(eye, _messages(passing_scene("640x360")), now_ns)
    assert eye.report().separates, eye.report().why
    now_ns = _played(eye, _messages(still_scene("640x360"))[51:201], now_ns)
    before = eye.report().decoded
    _played(eye, _messages(still_scene("640x360"))[201:], now_ns)
    assert eye.report().mode is Mode.ASLEEP
    assert 2 <= eye.report().decoded - before <= 3  # in twelve seconds


def _played(eye: Eye, messages: Sequence[Message], from_ns: int) -> int:
    """Plays a clip so that it begins at `from_ns`; when it ends."""
    packets = [one for one in messages if isinstance(one, Packet) and one.kind is Kind.VIDEO]
    info, _ = read_packets(passing_scene("640x360"))
    _sights(eye, [Hello(info, 1, Anchor(packets[0].pts, from_ns)), *packets])
    return from_ns + (packets[-1].pts - packets[0].pts) * _NS // 90_000 + _NS // 25


@pytest.mark.parametrize("b_frames", [False, True])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_every_codec_is_looked_at(codec: VideoCodec, b_frames: bool) -> None:
    """The street clip has cuts: the whole scene changes, and is looked at whole."""
    for is_sub in (False, True):
        eye = Eye(EyeSettings(is_sub=is_sub))
        sights = _sights(eye, _messages(clip(codec, b_frames=b_frames, seconds=6)))
        assert any(one.motion.scene_changed and one.whole for one in sights)
        assert eye.report().faults == 0
        assert [one.frame.at_ns for one in sights] == sorted(one.frame.at_ns for one in sights)


def test_without_an_anchor_nothing_is_looked_at() -> None:
    hello, *packets = _messages(clip(seconds=6))
    assert isinstance(hello, Hello)
    eye = Eye(EyeSettings())
    assert _sights(eye, [replace(hello, anchor=None), *packets]) == []
    assert eye.report().mode is Mode.NO_VIDEO
    assert _sights(eye, [hello, *packets])


def test_after_a_loss_it_goes_on_at_a_keyframe() -> None:
    messages = _messages(clip(seconds=6))
    eye = Eye(EyeSettings(is_sub=True))
    _sights(eye, messages[:30])
    before = eye.report().decoded
    _sights(eye, [Dropped(5, 1), *messages[36:51]])  # no keyframe among them
    assert eye.report().decoded == before
    assert _sights(eye, messages[51:])
    assert eye.report().faults == 0


def test_new_parameters_and_another_size_are_taken() -> None:
    eye = Eye(EyeSettings(is_sub=True))
    large, small = clip(seconds=6), clip(size="320x180", seconds=6)
    for path, width in ((large, 640), (small, 320), (large, 640)):
        sights = _sights(eye, _messages(path))
        assert {one.frame.picture.width for one in sights} == {width}
    assert eye.report().faults == 0


def test_live_times_follow_the_arrivals() -> None:
    """A reader that comes late gets an old anchor; the recorder has followed the camera's clock since."""
    info, packets = read_packets(still_scene("640x360"))
    offset_ns = 5 * 3600 * _NS
    eye = Eye(EyeSettings(is_sub=True, wall_ns=lambda arrived_ns: arrived_ns + offset_ns))
    old = Anchor(packets[0].pts - 90_000 * 86_400, packets[0].arrived_ns + offset_ns - 86_430 * _NS)
    sights = _sights(eye, [Hello(info, 7, old), *packets[:60]])
    assert abs(sights[0].frame.at_ns - packets[0].arrived_ns - offset_ns) < _NS // 20


def _spoilt(packets: Sequence[Packet], draw: st.DrawFn) -> Iterator[Message]:
    info, _ = read_packets(clip(size="320x180", seconds=4))
    for packet in packets:
        how = draw(st.integers(0, 9))
        if how == 0:
            yield Dropped(draw(st.integers(0, 9)), draw(st.integers(0, 3)))
        elif how == 1:
            yield replace(packet, data=draw(st.binary(max_size=60)))
        elif how == 2:
            yield replace(packet, pts=draw(st.integers(-(2**62), 2**62)))
        elif how == 3:
            yield replace(packet, is_keyframe=not packet.is_keyframe)
        elif how == 4:
            yield Hello(_other(info, draw), 3, draw(st.sampled_from([None, Anchor(0, 0), Anchor(5, 10**18)])))
        elif how == 5:
            yield replace(packet, arrived_ns=draw(st.integers(0, 2**63)))
        else:
            yield packet


def _other(info: StreamInfo, draw: st.DrawFn) -> StreamInfo:
    extradata = draw(st.sampled_from([info.video.extradata, b"", b"\x01\x02", b"nonsense"]))
    return replace(info, video=replace(info.video, extradata=extradata, reorder=draw(st.integers(0, 2))))


@st.composite
def _garbage(draw: st.DrawFn) -> list[Message]:
    messages = _messages(clip(size="320x180", seconds=4))
    packets = [one for one in messages if isinstance(one, Packet)]
    return [messages[0], *_spoilt(packets[: draw(st.integers(5, 60))], draw)]


@settings(max_examples=40, deadline=None)
@given(_garbage(), st.booleans(), st.booleans())
def test_garbage_never_raises_and_is_got_over(messages: list[Message], is_sub: bool, is_live: bool) -> None:
    eye = Eye(EyeSettings(is_sub=is_sub, wall_ns=(lambda arrived_ns: arrived_ns) if is_live else None))
    _sights(eye, messages)
    before = eye.report().decoded
    _sights(eye, _messages(clip(size="320x180", seconds=4)))
    assert eye.report().decoded > before


def test_the_frame_nearest_to_a_time_is_found() -> None:
    messages = _messages(clip(seconds=6))
    for wanted_s in (0.0, 0.31, 0.9):
        frame = nearest(messages, _START_NS + round(wanted_s * _NS))
        assert frame is not None
        assert abs(frame.at_ns - _START_NS - wanted_s * _NS) <= 0.07 * _NS
    last = nearest(messages[:12], _START_NS + 3 * _NS)
    assert last is not None and last.at_ns == _START_NS + 10 * _NS // 25
    assert nearest(messages[:1], _START_NS) is None
    assert nearest([], _START_NS) is None


def test_a_time_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that was set back: what is asked for lies an hour ahead."""
    monkeypatch.setattr(main_picture_module, "LONGEST_S", 0.5)
    with playing(tmp_path, "front", "main", STREET):
        until(lambda: (tmp_path / "front.main.tap").exists())
        frame = main_picture(tmp_path / "front.main.tap", time.time_ns() + 3600 * _NS, timeout_s=60)
    assert frame is not None


def test_a_tap_gives_a_picture_of_its_gop(tmp_path: Path) -> None:
    info, packets = read_packets(clip(seconds=6))
    assert main_picture(tmp_path / "front.main.tap", _START_NS) is None
    server = TapServer(tmp_path / "front.main.tap", "tap")
    try:
        server.publish_info(info, Anchor(packets[0].pts, _START_NS))
        for packet in packets[:20]:
            server.publish(packet)
        frame = main_picture(tmp_path / "front.main.tap", _START_NS + _NS // 2, timeout_s=0.2)
        assert frame is not None
        assert abs(frame.at_ns - _START_NS - _NS // 2) <= 0.06 * _NS
        assert frame.picture.width == 640
    finally:
        server.close()
