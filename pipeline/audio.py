"""The audio path: AAC and Opus are copied, what else PyAV can decode becomes AAC, the rest is said.

Timestamps of a path count in its track's timescale from the same origin as the video's. A step of the
camera's audio clock goes through as it is. Configuration records (AudioSpecificConfig, dOps) are made and
read by pure functions.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from pipeline.model import Codec, Kind, Packet, Track

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
OPUS_RATE = 48_000
_AAC_LOW_COMPLEXITY = 2
_AAC_FRAME = 1024
AvPacket: TypeAlias = "av.Packet[Any]"  # subscripted for the type checker only
_GLOBAL_HEADER = 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER
_JUMP_S = 0.1  # jitter of G.711 timestamps stays far below; a lost RTP packet (20 ms) is bridged


def audio_specific_config(rate: int, channels: int) -> bytes:
    """The two bytes that describe AAC-LC. Raises ValueError for what AAC has no code for."""
    if not 1 <= channels <= 6:
        raise ValueError(f"AAC has no code for {channels} channels")
    return (_AAC_LOW_COMPLEXITY << 11 | AAC_RATES.index(rate) << 7 | channels << 3).to_bytes(2, "big")


def opus_specific_box(opus_head: bytes, channels: int) -> bytes:
    """The body of dOps from an Ogg OpusHead; without one, what RFC 7587 implies for RTP."""
    if len(opus_head) < 19 or not opus_head.startswith(b"OpusHead"):
        return struct.pack(">BBHIhB", 0, channels, 0, OPUS_RATE, 0, 0)
    _, count, pre_skip, rate, gain, family = struct.unpack_from("<BBHIhB", opus_head, 8)
    mapping = opus_head[19 : 21 + count] if family else b""
    return struct.pack(">BBHIhB", 0, count, pre_skip, rate, gain, family) + mapping


def opus_samples(data: bytes) -> int:
    """How many samples of 48 kHz an Opus packet lasts (RFC 6716, 3.1); 0 for an empty one."""
    if not data:
        return 0
    config, code = data[0] >> 3, data[0] & 3
    if config < 12:
        size = (480, 960, 1920, 2880)[config & 3]
    else:
        size = (480, 960)[config & 1] if config < 16 else (120, 240, 480, 960)[config & 3]
    count = (1, 2, 2, data[1] & 0x3F if len(data) > 1 else 0)[code]
    return size * count


class AudioPath(Protocol):
    """Turns a demuxer's audio packets into ours."""

    track: Track
    note: str

    def push(self, packet: AvPacket, arrived_ns: int) -> Sequence[Packet]:
        """What `packet` gives, in order."""


def open_audio(stream: AudioStream) -> AudioPath | str:
    """The path for a stream, or why there is none ("audio: … is not recorded")."""
    context = decoder_of(stream)
    if context is None or not context.sample_rate or not context.layout.nb_channels:
        return f"audio: {_name(stream)} is not recorded, it cannot be decoded"
    if context.name == "aac" and context.extradata:
        return CopiedAudio(stream, Codec.AAC, context.extradata)
    if context.name in ("opus", "libopus"):
        head = opus_specific_box(context.extradata or b"", context.layout.nb_channels)
        return CopiedAudio(stream, Codec.OPUS, head)
    try:
        return TranscodedAudio(context)
    except (av.error.FFmpegError, ValueError):
        return f"audio: {_name(stream)} is not recorded, it cannot be transcoded"


def decoder_of(stream: AudioStream) -> AudioCodecContext | None:
    """The stream's decoder; None, which PyAV's types leave out, when FFmpeg has none for it."""
    return stream.codec_context


def _name(stream: AudioStream) -> str:
    context = decoder_of(stream)
    return "an unknown codec" if context is None else context.name


class CopiedAudio:
    """AAC and Opus as they are."""

    def __init__(self, stream: AudioStream, codec: Codec, extradata: bytes) -> None:
        base = stream.time_base or Fraction(1, stream.codec_context.sample_rate)
        timescale = base.denominator if base.numerator == 1 and codec is Codec.AAC else OPUS_RATE
        if codec is Codec.AAC and timescale > 192_000:  # a container's clock, not a sample rate
            timescale = stream.codec_context.sample_rate
        ratio = base * timescale
        self._numerator, self._denominator = ratio.numerator, ratio.denominator
        self.track = Track(
            Kind.AUDIO, codec, timescale, extradata, channels=stream.codec_context.layout.nb_channels
        )
        self.note = ""
        self._is_opus = codec is Codec.OPUS
        frame = stream.codec_context.frame_size or _AAC_FRAME
        self._frame = frame * timescale // stream.codec_context.sample_rate
        self._next: int | None = None

    def push(self, packet: AvPacket, arrived_ns: int) -> Sequence[Packet]:
        """The packet, its time filled in if it has none; nothing before the first known time."""
        data = bytes(packet)
        pts = packet.pts
        if pts is None:
            if self._next is None:
                return ()
            pts = self._next
        elif self._numerator != self._denominator:
            pts = pts * self._numerator // self._denominator
        duration = opus_samples(data) if self._is_opus else self._frame
        self._next = pts + duration
        return (Packet(Kind.AUDIO, pts, pts, duration, True, arrived_ns, data),)


class TranscodedAudio:
    """Decodes, resamples and encodes as AAC; about 0.33 CPU seconds a camera-minute for G.711."""

    def __init__(self, decoder: AudioCodecContext) -> None:
        self._decoder = decoder
        channels = min(decoder.layout.nb_channels, 2)
        rate = _aac_rate(decoder.sample_rate)
        layout = "mono" if channels == 1 else "stereo"
        self._encoder = _aac_encoder(rate, layout, channels)
        self._resampler = AudioResampler("fltp", layout, rate, frame_size=_AAC_FRAME)
        extradata = self._encoder.extradata or audio_specific_config(rate, channels)
        self.track = Track(Kind.AUDIO, Codec.AAC, rate, extradata, channels=channels)
        self.note = f"audio: {decoder.name} {decoder.sample_rate} Hz transcoded to AAC"
        self._fed = 0  # samples given to the encoder, in the decoder's rate
        self._shift = 0  # from the encoder's time to the camera's, in the track's timescale
        self._has_time = False

    def push(self, packet: AvPacket, arrived_ns: int) -> Sequence[Packet]:
        """What the encoder gives so far. A damaged packet gives nothing, as lost audio would."""
        try:
            frames = self._decoder.decode(packet)
        except av.error.FFmpegError:
            return ()
        self._follow(packet)
        made = (
            [self._packet(p, arrived_ns) for frame in frames for p in self._encode(frame)] if frames else []
        )
        return made if self._has_time else ()

    def _follow(self, packet: AvPacket) -> None:
        """Keeps the encoder's running clock on the camera's, across losses and steps."""
        if packet.pts is None:
            return
        rate = self.track.timescale
        base = packet.time_base
        theirs = packet.pts * base.numerator * rate // base.denominator
        shift = theirs - self._fed * rate // self._decoder.sample_rate
        if not self._has_time or abs(shift - self._shift) > rate * _JUMP_S:
            self._shift, self._has_time = shift, True

    def _encode(self, frame: AudioFrame) -> list[AvPacket]:
        frame.pts = self._fed
        frame.time_base = Fraction(1, self._decoder.sample_rate)
        self._fed += frame.samples
        return [p for resampled in self._resampler.resample(frame) for p in self._encoder.encode(resampled)]

    def _packet(self, encoded: AvPacket, arrived_ns: int) -> Packet:
        pts = (encoded.pts or 0) + self._shift
        return Packet(Kind.AUDIO, pts, pts, _AAC_FRAME, True, arrived_ns, bytes(encoded))


def _aac_rate(rate: int) -> int:
    """The rate AAC has a code for that loses nothing."""
    return min((r for r in AAC_RATES if 8000 <= r <= 48000 and r >= rate), default=48_000)


def _aac_encoder(rate: int, layout: str, channels: int) -> AudioCodecContext:
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, AudioCodecContext)  # noqa: S101  (a fact for the type checker)
    encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "fltp"
    encoder.time_base = Fraction(1, rate)
    encoder.bit_rate = channels * min(64_000, rate * 4)
    encoder.flags |= _GLOBAL_HEADER
    encoder.open()
    return encoder
