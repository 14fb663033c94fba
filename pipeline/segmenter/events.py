"""What the segmenter says. Events of two segments never mix: one is closed before the next is opened."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.model import Fragment, Packet, StreamInfo


@dataclass(frozen=True, slots=True)
class SegmentOpened:
    """A segment begins with the keyframe `first`, shown at `start_ns` (UTC)."""

    info: StreamInfo
    first: Packet
    start_ns: int
    unsure: bool


@dataclass(frozen=True, slots=True)
class FragmentReady:
    """The next fragment of the open segment; `duration_ns` is the segment's media duration with it."""

    fragment: Fragment
    duration_ns: int


@dataclass(frozen=True, slots=True)
class SegmentClosed:
    """The segment ends, and why: `full`, `parameters`, `jump`, `step`, `overload`, or what `close` was given.

    `duration_ns` reaches to the start of the next segment where the stream just goes on; it then differs from
    the media duration by what the clock corrects (at most 500 ppm). Rounded down to milliseconds, like the
    start, it can never reach into the next segment.
    """

    duration_ns: int
    reason: str


SegmenterEvent = SegmentOpened | FragmentReady | SegmentClosed
