"""From an open demuxer to the items of a source, without decoding video."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from pipeline.audio import AudioPath, decoder_of, open_audio
from pipeline.model import VIDEO_TIMESCALE, Codec, Packet
from pipeline.nal import BadUnits
from pipeline.source.errors import NotVideo
from pipeline.source.reading import Arrival
from pipeline.source.video import Item, VideoFormat, VideoPath

CODECS = {"h264": Codec.H264, "hevc": Codec.H265}
_EARLY_AUDIO = 100  # two seconds of AAC
_UNREADABLE_AFTER_NS = (
    40_000_000_000  # longer than the longest distance of keyframes cameras offer (ten seconds at 1 fps)
)


def video_stream(container: InputContainer) -> VideoStream:
    """The stream to record. Raises NotVideo."""
    for stream in container.streams.video:
        if _decoder(stream) is not None:
            return stream
    raise NotVideo("no video there", "the address answers, but with no video stream that can be read")


def _decoder(stream: VideoStream) -> VideoCodecContext | None:
    """None, which PyAV's types leave out, when FFmpeg has no decoder."""
    return stream.codec_context


def is_complete(container: InputContainer) -> bool:
    """Whether probing has found enough of every stream to choose a path for it."""
    if not container.streams.video:
        return False
    decoders = (decoder_of(stream) for stream in container.streams.audio)
    return all(d is None or (d.sample_rate and d.layout.nb_channels) for d in decoders)


def can_be_copied(stream: VideoStream) -> bool:
    """Whether the store keeps this codec as it is."""
    return stream.codec_context.name in CODECS


def audio_path(container: InputContainer, wanted: bool) -> tuple[AudioStream | None, AudioPath | None, str]:
    """The first audio stream that can be kept, its path, and what to say of the audio."""
    refusals = []
    for stream in container.streams.audio if wanted else ():
        path = open_audio(stream)
        if not isinstance(path, str):
            return stream, path, path.note
        refusals.append(path)
    return None, None, "; ".join(refusals)


def video_format(stream: VideoStream) -> VideoFormat:
    """What the demuxer says of a stream that can be copied."""
    context = stream.codec_context
    rate = stream.average_rate or stream.guessed_rate or Fraction(0)
    return VideoFormat(CODECS[context.name], context.extradata or b"", int(context.has_b_frames), float(rate))


def copied(
    packets: Iterator[Arrival], stream: VideoStream, audio: AudioPath | None, note: str
) -> Iterator[Item]:
    """Items from packets. Raises NotVideo when no picture comes that a decoder could start with."""
    video = VideoPath(video_format(stream), audio.track if audio else None, note)
    video_index = stream.index
    ratio = (stream.time_base or Fraction(1, VIDEO_TIMESCALE)) * VIDEO_TIMESCALE
    times, over = ratio.numerator, ratio.denominator
    push = video.push
    first_arrival = 0
    early: deque[Packet] = deque(maxlen=_EARLY_AUDIO)  # what is heard while the first keyframe is held back
    for packet, arrived in packets:
        if packet.stream_index == video_index:
            pts = packet.pts
            if times != over and pts is not None:
                pts = pts * times // over
            try:
                yield from push(bytes(packet), pts, packet.is_keyframe, arrived)
            except BadUnits:
                continue  # a damaged packet: the decoder will miss a picture, as it would without us
            if video.info is None:
                first_arrival = first_arrival or arrived
                if arrived - first_arrival > _UNREADABLE_AFTER_NS:
                    raise NotVideo("video cannot be read", "no keyframe with parameter sets came")
        elif audio is not None:
            if video.info is None:
                early += audio.push(packet, arrived)
                continue
            while early:
                yield early.popleft()
            yield from audio.push(packet, arrived)


def chosen_streams(video: VideoStream, audio: AudioStream | None) -> list[av.stream.Stream]:
    """What to demux."""
    return [video] if audio is None else [video, audio]
