"""Decoding: every codec, with and without B-frames, and what no camera should send."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.frames import FrameDecoder, shown_ns
from pipeline.model import Codec, Kind, Packet, StreamInfo
from pipeline.wire import Anchor
from tests.support.footage import VideoCodec, clip
from tests.support.packets import read_packets

_ANCHOR = Anchor(0, 10**18)


def _video(path: Path) -> tuple[StreamInfo, list[Packet]]:
    info, packets = read_packets(path)
    return info, [one for one in packets if one.kind is Kind.VIDEO]


@pytest.mark.parametrize("b_frames", [False, True])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_all_frames_come_in_the_order_they_are_shown(codec: VideoCodec, b_frames: bool) -> None:
    info, packets = _video(clip(codec, b_frames=b_frames, size="320x180", seconds=4))
    decoder = FrameDecoder(info.video, _ANCHOR)
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.drain()
    times = [frame.at_ns for frame in frames]
    assert times == sorted(times)
    assert set(times) <= {shown_ns(packet.pts, _ANCHOR) for packet in packets}
    assert decoder.faults == 0
    assert len(frames) > len(packets) // 3 if b_frames else len(frames) == len(packets)
    assert {(frame.picture.width, frame.picture.height) for frame in frames} == {(320, 180)}
    assert sum(frame.is_keyframe for frame in frames) == sum(packet.is_keyframe for packet in packets)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_without_reordering_a_frame_comes_with_its_packet(codec: VideoCodec) -> None:
    info, packets = _video(clip(codec, size="320x180", seconds=4))
    decoder = FrameDecoder(info.video, _ANCHOR, filtered=False)
    for packet in packets[:30]:
        frames = decoder.decode(packet)
        assert [frame.at_ns for frame in frames] == [shown_ns(packet.pts, _ANCHOR)]
        assert frames[0].arrived_ns == packet.arrived_ns


def test_a_lone_keyframe_of_a_reordered_stream_comes_by_draining() -> None:
    info, packets = _video(clip(b_frames=True, size="320x180", seconds=4))
    decoder = FrameDecoder(info.video, _ANCHOR)
    for packet in (one for one in packets if one.is_keyframe):
        frames = decoder.decode(packet) + decoder.drain()
        assert [frame.at_ns for frame in frames] == [shown_ns(packet.pts, _ANCHOR)]


def test_only_wanted_frames_are_handed_on() -> None:
    info, packets = _video(clip(size="320x180", seconds=4))
    decoder = FrameDecoder(info.video, _ANCHOR)
    wanted = shown_ns(packets[10].pts, _ANCHOR)
    frames = [
        frame for packet in packets[:20] for frame in decoder.decode(packet, lambda at_ns: at_ns == wanted)
    ]
    assert [frame.at_ns for frame in frames] == [wanted]
    assert decoder.decoded == 20


def test_a_kept_picture_stays_as_it_was() -> None:
    """The decoder's memory is seen, not copied: it must not be written over."""
    info, packets = _video(clip(size="320x180", seconds=4))
    decoder = FrameDecoder(info.video, _ANCHOR)
    (kept,) = decoder.decode(packets[0])
    before = kept.picture.rgb().copy()
    for packet in packets[1:50]:
        decoder.decode(packet)
    del decoder
    assert (kept.picture.rgb() == before).all()


def test_sound_is_not_video() -> None:
    info, _ = read_packets(clip(audio="aac", size="320x180", seconds=4))
    assert info.audio is not None
    with pytest.raises(ValueError, match="not video"):
        FrameDecoder(info.audio, _ANCHOR)


def test_parameters_of_another_codec_are_faults_and_nothing_else() -> None:
    info, packets = _video(clip(size="320x180", seconds=4))
    decoder = FrameDecoder(replace(info.video, codec=Codec.H265), _ANCHOR)
    assert [frame for packet in packets[:10] for frame in decoder.decode(packet)] == []
    assert decoder.faults > 0


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_garbage_never_breaks_it(data: st.DataObject) -> None:
    """Cut short, overwritten, empty, in any order; afterwards a good GOP is decoded as ever."""
    info, packets = _video(clip(size="320x180", seconds=4))
    decoder = FrameDecoder(info.video, _ANCHOR)
    for packet in data.draw(st.lists(st.sampled_from(packets[:50]), max_size=8)):
        cut = packet.data[: data.draw(st.integers(0, len(packet.data)))]
        spoilt = data.draw(st.one_of(st.binary(max_size=200), st.just(cut)))
        decoder.decode(replace(packet, data=spoilt))
    decoder.restart()
    good = [frame for packet in packets[25:35] for frame in decoder.decode(packet)]
    assert len(good) == 10
