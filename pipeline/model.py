"""The nouns of the pipeline: frozen values that stages hand to each other. No behaviour that does I/O.

Times are integers: `*_ns` UTC or monotonic nanoseconds, `*_ms` UTC milliseconds; `pts`, `dts` and `duration`
of a packet count in its track's `timescale` (90000 for video, the sample rate for audio).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

VIDEO_TIMESCALE = 90_000


class Kind(StrEnum):
    """What a track carries."""

    VIDEO = "video"
    AUDIO = "audio"


class Codec(StrEnum):
    """What the store keeps. Everything else is transcoded by the source (G.711 to AAC, MJPEG to H.264)."""

    H264 = "h264"
    H265 = "h265"
    AAC = "aac"
    OPUS = "opus"


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a stream, as the MP4 sample entry needs it.

    `extradata` is the body of the codec's configuration box: avcC, hvcC, the AudioSpecificConfig of AAC, or
    dOps. `reorder` is the number of frames that may be decoded before one that is shown earlier (0 without
    B-frames).
    """

    kind: Kind
    codec: Codec
    timescale: int
    extradata: bytes = field(repr=False)
    width: int = 0
    height: int = 0
    channels: int = 0
    reorder: int = 0


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream carries from here on. A new one means new parameters: a new segment and a new HELLO.

    `note` says what the source does to the stream beyond copying, for `status` and `camera test`
    (for example "audio: pcm_mulaw 8000 Hz transcoded to AAC"); empty when nothing.
    """

    video: Track
    audio: Track | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded access unit of one track.

    Video data is length-prefixed NAL units (4 bytes each) without parameter sets and delimiters: those stand
    in the track's `extradata`. `arrived_ns` is the monotonic clock when the packet left the network.
    """

    kind: Kind
    pts: int
    dts: int
    duration: int
    is_keyframe: bool
    arrived_ns: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, order=True)
class StreamName:
    """A camera's name and which of its streams: `front/main`. Both are safe as path components."""

    camera: str
    stream: str

    def __str__(self) -> str:
        return f"{self.camera}/{self.stream}"


@dataclass(frozen=True, slots=True)
class SegmentMark:
    """Where a segment belongs: stands inside the seal (a `uuid` box); readers compare it with the name."""

    device: bytes  # 16 random bytes, made once for a store
    name: StreamName
    sequence: int
    start_ns: int  # UTC of the first video frame shown
    generation: int  # of the group whose recipient it is sealed to
    clock_unsure: bool = False


@dataclass(frozen=True, slots=True)
class Fragment:
    """At most a second of packets, in decode order per track: what becomes one moof + mdat."""

    video: tuple[Packet, ...]
    audio: tuple[Packet, ...]

    @property
    def payload_bytes(self) -> int:
        """How many bytes of media it holds."""
        return sum(len(p.data) for p in self.video) + sum(len(p.data) for p in self.audio)
