"""Audio paths: AAC and Opus untouched, G.711 and others as AAC, and a word about what cannot be kept."""

from __future__ import annotations

import itertools
import math
import struct
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.audio.codeccontext import AudioCodecContext
from av.audio.resampler import AudioResampler
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import (
    AAC_RATES,
    audio_specific_config,
    open_audio,
    opus_samples,
    opus_specific_box,
)
from pipeline.model import Codec, Packet, Track
from tests.support.footage import clip


@dataclass
class Heard:
    """What a path gave for a whole clip."""

    track: Track
    note: str
    packets: list[Packet] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)


def hear(path: Path, shift_after: int = 0, shift_s: float = 0.0) -> Heard:
    """A clip's audio through its path; from packet `shift_after` on, its clock is off by `shift_s`."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        opened = open_audio(stream)
        assert not isinstance(opened, str)
        heard = Heard(opened.track, opened.note)
        for number, packet in enumerate(container.demux(stream)):
            if not packet.size or packet.pts is None:
                continue
            if shift_after and number >= shift_after:
                packet.pts += round(shift_s / packet.time_base)
            heard.raw.append(bytes(packet))
            heard.packets += opened.push(packet, number)
    return heard


def decode(heard: Heard) -> list[float]:
    """The sound as one channel of samples, by FFmpeg's decoder alone."""
    decoder = av.CodecContext.create("aac" if heard.track.codec is Codec.AAC else "opus", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.extradata = heard.track.extradata
    mono = AudioResampler("flt", "mono", heard.track.timescale)
    samples: list[float] = []
    for packet in heard.packets:
        for frame in decoder.decode(av.Packet(packet.data)):
            for made in mono.resample(frame):
                samples += struct.unpack(f"<{made.samples}f", bytes(made.planes[0])[: made.samples * 4])
    return samples


def test_aac_is_copied() -> None:
    heard = hear(clip(audio="aac"))

    assert [p.data for p in heard.packets] == heard.raw
    assert (heard.track.codec, heard.track.timescale, heard.track.channels, heard.note) == (
        Codec.AAC,
        48000,
        1,
        "",
    )
    assert heard.track.extradata[:2] == audio_specific_config(48000, 1)
    assert all(b.pts - a.pts == a.duration == 1024 for a, b in itertools.pairwise(heard.packets))


def test_opus_is_copied() -> None:
    heard = hear(clip(b_frames=True, audio="opus"))

    assert [p.data for p in heard.packets] == heard.raw
    assert (heard.track.codec, heard.track.timescale) == (Codec.OPUS, 48000)
    assert heard.track.extradata[:2] == b"\0\1"
    assert all(abs(b.pts - a.pts - a.duration) <= 1 for a, b in itertools.pairwise(heard.packets))


@pytest.mark.parametrize("codec", ["pcmu", "pcma"])
def test_g711_becomes_aac_that_sounds_the_same(codec: str) -> None:
    heard = hear(clip(audio="pcmu") if codec == "pcmu" else clip("h265", audio="pcma"))
    name = "pcm_mulaw" if codec == "pcmu" else "pcm_alaw"

    assert heard.note == f"audio: {name} 8000 Hz transcoded to AAC"
    assert heard.track == Track(heard.track.kind, Codec.AAC, 8000, heard.track.extradata, channels=1)
    assert heard.track.extradata[:2] == audio_specific_config(8000, 1)
    assert all(b.pts - a.pts == 1024 for a, b in itertools.pairwise(heard.packets))
    assert abs(heard.packets[-1].pts / 8000 - 20) < 0.5
    # The clip is a 440 Hz tone with a little noise: its strength in the first seconds, by correlation.
    sound = decode(heard)[8000:16000]
    wave = [(math.cos(t), math.sin(t)) for t in (2 * math.pi * 440 * n / 8000 for n in range(len(sound)))]
    tone = math.hypot(*(sum(s * w[part] for s, w in zip(sound, wave, strict=True)) for part in (0, 1)))
    assert tone * math.sqrt(2 / len(sound)) > 0.7 * math.sqrt(sum(s * s for s in sound))


def test_a_step_of_the_audio_clock_goes_through_transcoding() -> None:
    heard = hear(clip(audio="pcmu"), shift_after=100, shift_s=60.0)
    steps = [b.pts - a.pts for a, b in itertools.pairwise(heard.packets)]

    assert sorted(set(steps)) == [1024, 1024 + 60 * 8000]
    assert steps.count(1024 + 60 * 8000) == 1


def test_jitter_does_not_tear_transcoded_audio() -> None:
    heard = hear(clip(audio="pcmu"), shift_after=100, shift_s=0.05)

    assert {b.pts - a.pts for a, b in itertools.pairwise(heard.packets)} == {1024}


def test_other_audio_becomes_aac(tmp_path: Path) -> None:
    path = tmp_path / "mp3.mp4"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mp3", rate=44100)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "stereo"
        for number in range(40):
            frame = av.AudioFrame(format="s16p", layout="stereo", samples=1152)
            frame.sample_rate, frame.pts, frame.time_base = 44100, number * 1152, Fraction(1, 44100)
            for plane in frame.planes:
                plane.update(b"\1\2" * (plane.buffer_size // 2))
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    heard = hear(path)

    assert heard.note.endswith("44100 Hz transcoded to AAC")
    assert (heard.track.codec, heard.track.timescale, heard.track.channels) == (Codec.AAC, 44100, 2)
    assert len(heard.packets) > 30


def test_audio_without_a_decoder_is_named() -> None:
    class Stream:
        codec_context = None

    assert open_audio(Stream()) == (  # type: ignore[arg-type]
        "audio: an unknown codec is not recorded, it cannot be decoded"
    )


@pytest.mark.parametrize(
    ("rate", "channels", "config"), [(44100, 2, "1210"), (8000, 1, "1588"), (48000, 1, "1188")]
)
def test_audio_specific_config(rate: int, channels: int, config: str) -> None:
    assert audio_specific_config(rate, channels).hex() == config


def test_audio_specific_config_refuses_what_aac_cannot_say() -> None:
    with pytest.raises(ValueError, match="channels"):
        audio_specific_config(AAC_RATES[0], 9)
    with pytest.raises(ValueError):
        audio_specific_config(44000, 1)


def test_dops_from_an_opus_head_and_without() -> None:
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 48000, -3, 0)

    assert opus_specific_box(head, 1) == struct.pack(">BBHIhB", 0, 2, 312, 48000, -3, 0)
    assert opus_specific_box(b"", 1) == struct.pack(">BBHIhB", 0, 1, 0, 48000, 0, 0)


@pytest.mark.parametrize(
    ("data", "samples"),
    [
        (b"", 0),
        (b"\x08", 960),
        (b"\x18", 2880),
        (b"\xfc", 960),
        (b"\xf9", 1920),
        (b"\xfb\x03", 2880),
        (b"\xfb", 0),
    ],
)
def test_opus_durations(data: bytes, samples: int) -> None:
    assert opus_samples(data) == samples


@given(st.binary(max_size=8))
def test_any_opus_packet_has_a_duration(data: bytes) -> None:
    assert opus_samples(data) >= 0
