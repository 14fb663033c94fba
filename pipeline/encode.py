"""`python -m pipeline.encode`: a USB camera, or one without H.264 and H.265 in, H.264 out to stdout as
the tap would. A USB camera's own H.264 is copied.

Settings come as JSON on stdin. The budget is kept by dropping frames before they are decoded where the codec
allows that, by scaling down, and by running at a lower priority with one thread each. It ends when stdout
closes, or with one line of JSON on stderr that says why; nothing else is ever written.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from pipeline.audio import AudioPath
from pipeline.model import VIDEO_TIMESCALE, Codec, StreamInfo
from pipeline.source.container import open_container
from pipeline.source.copying import (
    audio_path,
    can_be_copied,
    chosen_streams,
    copied,
    is_complete,
    video_stream,
)
from pipeline.source.device_modes import fitted
from pipeline.source.errors import NotVideo, SourceError
from pipeline.source.reading import Arrival, live_packets, looped_packets
from pipeline.source.settings import EncodeBudget, SourceSettings
from pipeline.source.video import Item, VideoFormat, VideoPath
from pipeline.wire import encode_hello, encode_packet

_KEYFRAME_90K = 2 * VIDEO_TIMESCALE
_INTRA_ONLY = frozenset({"mjpeg", "rawvideo", "jpeg2000", "png"})
_TIMELESS = frozenset({"mpjpeg", "mjpeg", "jpeg_pipe"})  # their timestamps are invented: the arrival counts
_GLOBAL_HEADER = 1 << 22  # AV_CODEC_FLAG_GLOBAL_HEADER
_NS = 1_000_000_000


class FrameLimit:
    """Lets at most `max_fps` frames a second through: each is due an interval after the one before."""

    def __init__(self, max_fps: float) -> None:
        self._interval = VIDEO_TIMESCALE / max_fps
        self._due: float | None = None

    def takes(self, pts: int) -> bool:
        """Whether the frame shown at `pts` (90 kHz) is encoded."""
        # A quarter of an interval early is on time: cameras jitter, and 15 fps must pass a limit of 15.
        if self._due is not None and self._due - 2 * self._interval < pts < self._due - self._interval / 4:
            return False
        on_time = self._due is not None and abs(pts - self._due) < self._interval
        self._due = (self._due if on_time and self._due is not None else pts) + self._interval
        return True


class VideoEncoder:
    """libx264 at its cheapest: ultrafast, zerolatency, one thread, a keyframe every two seconds."""

    def __init__(
        self, width: int, height: int, budget: EncodeBudget, note: str, audio: AudioPath | None
    ) -> None:
        self.width, self.height = fitted(width, height, budget)
        self._context = _x264(self.width, self.height, budget.max_fps)
        extradata = self._context.extradata or b""
        self._path = VideoPath(
            VideoFormat(Codec.H264, extradata, 0, budget.max_fps), audio.track if audio else None, note
        )
        self._next_keyframe: int | None = None

    @property
    def has_started(self) -> bool:
        """Whether the StreamInfo is out."""
        return self._path.info is not None

    def push(self, frame: VideoFrame, pts: int, arrived_ns: int) -> Iterator[Item]:
        """The items one picture gives."""
        scaled = frame.reformat(self.width, self.height, "yuv420p")
        scaled.pts, scaled.time_base = pts, Fraction(1, VIDEO_TIMESCALE)
        scaled.pict_type = PictureType.NONE
        if (
            self._next_keyframe is None
            or not self._next_keyframe - _KEYFRAME_90K <= pts < self._next_keyframe
        ):
            scaled.pict_type = PictureType.I
            self._next_keyframe = pts + _KEYFRAME_90K
        for packet in self._context.encode(scaled):
            yield from self._path.push(bytes(packet), packet.pts, packet.is_keyframe, arrived_ns)


def _x264(width: int, height: int, fps: float) -> VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)  # noqa: S101  (a fact for the type checker)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, VIDEO_TIMESCALE)
    context.framerate = Fraction(fps).limit_denominator(1000)
    context.gop_size = max(1, round(fps * _KEYFRAME_90K / VIDEO_TIMESCALE)) * 2  # the forced ones come first
    context.thread_count = 1
    context.flags |= _GLOBAL_HEADER
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "crf": "25",
        "forced-idr": "1",
        "sc_threshold": "0",
    }
    context.open()
    return context


def encoded(
    packets: Iterator[Arrival], video: VideoStream, audio: AudioPath | None, note: str, budget: EncodeBudget
) -> Iterator[Item]:
    """Decodes, limits, scales and encodes."""
    limit = FrameLimit(budget.max_fps)
    video.codec_context.thread_count = 1
    is_timeless = video.container.format.name in _TIMELESS
    may_skip = video.codec_context.name in _INTRA_ONLY
    encoder: VideoEncoder | None = None
    for packet, arrived in packets:
        if packet.stream_index != video.index:
            if audio is not None and encoder is not None and encoder.has_started:
                yield from audio.push(packet, arrived)
            continue
        pts = _pts_90k(packet, arrived, is_timeless)
        if may_skip and not limit.takes(pts):
            continue
        for frame in _decode(packet):
            if not may_skip:
                pts = _pts_90k(frame, arrived, is_timeless)
                if not limit.takes(pts):
                    continue
            encoder = encoder or VideoEncoder(frame.width, frame.height, budget, note, audio)
            yield from encoder.push(frame, pts, arrived)


def _decode(packet: av.Packet[VideoStream]) -> list[VideoFrame]:
    """The pictures in a packet; a damaged one gives none."""
    try:
        return packet.stream.codec_context.decode(packet)
    except av.error.FFmpegError:
        return []


def _pts_90k(timed: av.Packet[Any] | VideoFrame, arrived_ns: int, is_timeless: bool) -> int:
    if is_timeless or timed.pts is None:
        return arrived_ns * VIDEO_TIMESCALE // _NS
    base = timed.time_base or Fraction(1, VIDEO_TIMESCALE)
    return timed.pts * VIDEO_TIMESCALE * base.numerator // base.denominator


def items(settings: SourceSettings, stop: Callable[[], bool]) -> Iterator[Item]:
    """Everything a camera gives, its video encoded unless a device gives H.264. Raises SourceError."""
    container = open_container(settings)
    if settings.scheme != "device" and not is_complete(container):
        container.close()
        container = open_container(settings, thorough=True)
    with container:
        video = video_stream(container)
        audio, path, audio_note = audio_path(container, settings.audio)
        width, height = video.codec_context.width, video.codec_context.height
        if not width or not height:
            raise NotVideo("no video there", "the address answers, but not with video that can be read")
        read = looped_packets if settings.scheme == "file" else live_packets
        packets = read(container, chosen_streams(video, audio), stop)
        if settings.scheme == "device" and can_be_copied(video):
            yield from copied(packets, video, path, audio_note)
            return
        os.nice(settings.encode.nice)  # only encoding can wait: what is copied must be fetched in time
        note = "; ".join(filter(None, (_note(video, settings.encode), audio_note)))
        yield from encoded(packets, video, path, note, settings.encode)


def _note(video: VideoStream, budget: EncodeBudget) -> str:
    context = video.codec_context
    width, height = fitted(context.width, context.height, budget)
    return (
        f"video: {context.name} {context.width}x{context.height} encoded to H.264 "
        f"{width}x{height}, at most {budget.max_fps:g} fps"
    )


def _settings(fields: dict[str, Any]) -> SourceSettings:
    return SourceSettings(**{**fields, "encode": EncodeBudget(**fields["encode"])})


def _message(item: Item, epoch: int) -> bytes:
    return encode_hello(item, epoch) if isinstance(item, StreamInfo) else encode_packet(item)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def main() -> int:
    """Runs until the camera or the reader ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the recorder, which then ends us
    settings = _settings(json.load(sys.stdin))
    epoch = 0
    try:
        for item in items(settings, lambda: False):
            epoch += isinstance(item, StreamInfo)
            _write(_message(item, epoch))
    except BrokenPipeError:
        return 0
    except SourceError as error:
        report = {"kind": type(error).__name__, "reason": error.reason, "advice": error.advice}
        sys.stderr.write(json.dumps(report))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
