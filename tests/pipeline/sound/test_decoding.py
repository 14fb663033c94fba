"""Real audio: a shout in a quiet yard is found in AAC, Opus and what was G.711; damage is survived."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipeline.clip import clip_messages
from pipeline.model import Codec, Kind, Packet, Track
from pipeline.sound import Loudness, LoudSpan
from pipeline.wire import Anchor, Hello
from tests.support.footage import QUIET_WITH_A_SHOUT, AudioCodec, quiet_clip

START_NS = 1_790_000_000_000_000_000


def listen(codec: AudioCodec) -> tuple[Loudness, list[Packet]]:
    """A meter for the clip with the shout, and the clip's audio."""
    messages = list(clip_messages(quiet_clip(codec, QUIET_WITH_A_SHOUT), START_NS))
    (hello,) = [one for one in messages if isinstance(one, Hello)]
    assert hello.info.audio is not None
    assert hello.anchor is not None
    packets = [one for one in messages if isinstance(one, Packet) and one.kind is Kind.AUDIO]
    return Loudness(hello.info.audio, hello.anchor), packets


def heard(loudness: Loudness, packets: Sequence[Packet]) -> list[LoudSpan]:
    return [span for packet in packets for span in loudness.take(packet)]


@pytest.mark.parametrize("codec", ["aac", "opus", "pcmu"])
def test_a_shout_is_found_where_it_is(codec: AudioCodec) -> None:
    loudness, packets = listen(codec)
    spans = heard(loudness, packets)

    assert len({one.from_ns for one in spans}) == 1
    assert abs((spans[-1].from_ns - START_NS) / 1e9 - 10) < 0.3
    assert abs((spans[-1].to_ns - START_NS) / 1e9 - 13) < 0.3
    assert 20 < spans[-1].loudness.peak_db - spans[-1].loudness.background_db < 40
    assert loudness.faults == 0


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_damaged_packets_are_counted_and_survived(codec: AudioCodec) -> None:
    loudness, packets = listen(codec)
    chance = random.Random(4)
    damaged = [
        replace(one, data=chance.randbytes(len(one.data)) if 20 <= at < 40 else b"" if at == 45 else one.data)
        for at, one in enumerate(packets)
    ]
    spans = heard(loudness, damaged)

    assert any(abs((one.to_ns - START_NS) / 1e9 - 13) < 0.3 for one in spans)
    assert loudness.faults > 0 or codec == "opus"  # Opus decodes nearly anything


def test_a_gap_costs_what_is_in_it_and_nothing_else() -> None:
    loudness, packets = listen("aac")
    with_gap = [one for one in packets if not 3 <= one.pts / 48000 < 7]
    spans = heard(loudness, with_gap)

    assert abs((spans[-1].from_ns - START_NS) / 1e9 - 10) < 0.3


def test_video_is_refused() -> None:
    with pytest.raises(ValueError, match="not audio"):
        Loudness(Track(Kind.VIDEO, Codec.H264, 90_000, b""), Anchor(0, 0))
