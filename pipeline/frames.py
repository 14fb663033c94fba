"""From packets to pictures: one decoder of one stream.

Rules:
- One thread: `thread_count=1` takes 7 MB a stream where FFmpeg's own choice takes 20.
- What is damaged is counted and never raised: a decoder goes on with what follows.
- Frames that nothing refers to (B-frames mostly) are not decoded: nobody waits for them here.
- Without reordering a frame comes out with its packet, else as many packets later as the stream reorders;
  `drain` gets the rest out, and the next packet must then be a keyframe.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from pipeline.model import VIDEO_TIMESCALE, Codec, Packet, Track
from pipeline.picture import Frame, Picture, Plane
from pipeline.wire import Anchor

_DECODERS = {Codec.H264: "h264", Codec.H265: "hevc"}
_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_BT709, _UNSPECIFIED = 1, 2  # AVColorSpace
_HIGH_DEFINITION = 720  # lines; below it cameras use BT.601 where they do not say (ITU-R BT.709)
_LONGEST_REORDERING = 64


def always(at_ns: int) -> bool:
    """Wants every frame."""
    return True


def shown_ns(pts: int, anchor: Anchor) -> int:
    """UTC of a video timestamp."""
    return anchor.utc_ns + (pts - anchor.pts) * 1_000_000_000 // VIDEO_TIMESCALE


class FrameDecoder:
    """Decodes a track's packets, fed in decode order from a keyframe on; times come from `anchor`."""

    def __init__(self, track: Track, anchor: Anchor, *, filtered: bool = True) -> None:
        """Opens a decoder. Raises ValueError for a codec that is not video.

        Without `filtered` the loop filter is left out, which saves a sixth of the time: pictures then drift
        from what the camera saw, by 1.3 of 255 at the end of a GOP of 2 s at 4 Mbit/s and 2.5 at 200 kbit/s
        (root of the mean square): not to be seen, and nothing for motion and detector.
        """
        if track.codec not in _DECODERS:
            raise ValueError(f"{track.codec} is not video")
        self.anchor = anchor
        """Which UTC instant a timestamp is. May be set anew as clocks drift."""
        self.reorders = track.reorder > 0
        """Whether frames come out later than their packets."""
        self._open = partial(_opened, track, filtered)
        self._context: VideoCodecContext | None = None
        self._fed: dict[int, Packet] = {}
        self.faults = 0
        """Packets that could not be decoded."""
        self.decoded = 0
        """Frames that came out, wanted or not."""

    def decode(self, packet: Packet, wanted: Callable[[int], bool] = always) -> list[Frame]:
        """The frames that `packet` completes and whose time is wanted, in the order they are shown."""
        if not packet.data:  # FFmpeg would take it for the end
            self.faults += 1
            return []
        if len(self._fed) > _LONGEST_REORDERING:
            self._fed.clear()  # frames that never came out
        self._fed[packet.pts] = packet
        fed = av.Packet(packet.data)
        fed.pts, fed.dts = packet.pts, packet.dts
        return self._frames(fed, wanted)

    def drain(self, wanted: Callable[[int], bool] = always) -> list[Frame]:
        """What the decoder still holds; then as `restart`."""
        frames = self._frames(None, wanted) if self.reorders else []
        self.restart()
        return frames

    def restart(self) -> None:
        """Forgets what was decoded, and gives its memory back: the next packet must be a keyframe.

        A fresh decoder for it costs no more than one that is flushed.
        """
        self._context = None
        self._fed.clear()

    def _frames(self, fed: av.Packet[Any] | None, wanted: Callable[[int], bool]) -> list[Frame]:
        try:
            self._context = self._context or self._open()
            decoded = self._context.decode(fed)
        except (av.FFmpegError, MemoryError):
            self.faults += 1
            return []
        self.decoded += len(decoded)
        return [frame for one in decoded if (frame := self._frame(one, wanted))]

    def _frame(self, decoded: VideoFrame, wanted: Callable[[int], bool]) -> Frame | None:
        packet = self._fed.pop(decoded.pts, None) if decoded.pts is not None else None
        if packet is None:
            return None
        at_ns = shown_ns(packet.pts, self.anchor)
        if not wanted(at_ns):
            return None
        return Frame(at_ns, packet.arrived_ns, packet.is_keyframe, picture_of(decoded))


def picture_of(decoded: VideoFrame) -> Picture:
    """The planes of a decoded frame, without a copy for the layouts that cameras send."""
    frame = decoded if decoded.format.name in _PLANAR else decoded.reformat(format="yuv420p")
    luma, u, v = (_plane(frame, number) for number in range(3))
    space = decoded.colorspace
    is_bt709 = space == _BT709 or (space == _UNSPECIFIED and decoded.height >= _HIGH_DEFINITION)
    full_range = decoded.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
    return Picture(luma, u, v, full_range=full_range, is_bt709=is_bt709)


def _plane(frame: VideoFrame, number: int) -> Plane:
    plane = frame.planes[number]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _opened(track: Track, filtered: bool) -> VideoCodecContext:
    context = VideoCodecContext.create(_DECODERS[track.codec], "r")
    assert isinstance(context, VideoCodecContext)  # noqa: S101 - both are video
    context.extradata = track.extradata
    context.thread_count = 1
    context.skip_frame = "NONREF"
    if not filtered:
        context.options = {"skip_loop_filter": "all"}
    if not track.reorder:
        context.flags |= Flags.low_delay
    return context
