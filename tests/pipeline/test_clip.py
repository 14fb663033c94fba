"""A file as the messages of a tap: whole, with its own times, the same each time, whatever its codec."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.clip import clip_messages
from pipeline.model import Codec, Kind, Packet
from pipeline.source.errors import SourceError
from pipeline.wire import Anchor, Hello
from tests.support.footage import clip
from tests.support.packets import read_packets

START_NS = 1_795_000_000_000_000_000


def test_a_clip_is_told_whole_from_its_first_picture_on() -> None:
    path = clip("h265", audio="aac", seconds=4)
    hello, *packets = clip_messages(path, START_NS)
    assert isinstance(hello, Hello)
    assert hello.info.video.codec is Codec.H265
    assert hello.info.audio is not None
    video = [packet for packet in packets if isinstance(packet, Packet) and packet.kind is Kind.VIDEO]
    _, original = read_packets(path)
    assert len(video) == sum(packet.kind is Kind.VIDEO for packet in original)
    assert hello.anchor == Anchor(video[0].pts, START_NS)
    arrivals = [packet.arrived_ns for packet in packets if isinstance(packet, Packet)]
    assert arrivals[-1] - arrivals[0] > 3_500_000_000
    assert list(clip_messages(path, START_NS)) == [hello, *packets]


def test_without_audio_none_is_told() -> None:
    messages = list(clip_messages(clip("h265", audio="aac", seconds=4), START_NS, audio=False))
    assert {message.kind for message in messages if isinstance(message, Packet)} == {Kind.VIDEO}


def test_what_is_not_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video at all")
    for path in (tmp_path / "notes.mp4", tmp_path / "missing.mp4", tmp_path):
        with pytest.raises(SourceError):
            list(clip_messages(path, START_NS))
