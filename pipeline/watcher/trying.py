"""Looking for the sake of trying: whole pictures of a stream, one now and then, whether or not anything
moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

from pipeline.clip import with_anchors
from pipeline.detect.detector import Detector
from pipeline.detect.regions import plan_regions
from pipeline.event.rules import Rules
from pipeline.frames import FrameDecoder
from pipeline.model import Kind, Packet
from pipeline.picture import Frame, Picture
from pipeline.scene import Box, Detection
from pipeline.source import SourceSettings, open_source
from pipeline.watcher.looking import MOST_REGIONS
from pipeline.wire import Hello, Message

LEAST_SCORE = 0.3  # what the watcher asks the detector for
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Tried:
    """What was found in one picture, at `at_s` from the beginning."""

    at_s: float
    found: tuple[Detection, ...]
    picture: Picture = field(repr=False)


def live_messages(settings: SourceSettings, start_ns: int, stop: Callable[[], bool]) -> Iterator[Message]:
    """A camera's stream as its recorder's tap would tell it. Raises SourceError."""
    return with_anchors(open_source(settings, stop), start_ns)


def until(messages: Iterable[Message], seconds: float) -> Iterator[Message]:
    """The messages of the first seconds; at least those of the first picture."""
    first: list[int] = []

    def is_within(message: Message) -> bool:
        if not isinstance(message, Packet) or message.kind is not Kind.VIDEO:
            return True
        first[:] = first or [message.dts]
        return message.dts == first[0] or (message.dts - first[0]) / 90_000 < seconds

    return takewhile(is_within, messages)


def try_picture(picture: Picture, detector: Detector, rules: Rules, at_s: float = 0.0) -> Tried:
    """Looks at the whole of it, by tiles too where it is large."""
    size = (picture.width, picture.height, detector.input_size)
    motion: tuple[Box, ...] = ()
    regions = plan_regions(*size, motion, (), True, MOST_REGIONS)
    return Tried(at_s, tuple(detector.detect(picture, regions, LEAST_SCORE, rules.labels)), picture)


def try_stream(
    messages: Iterable[Message], detector: Detector, rules: Rules, every_s: float = 1.0
) -> Iterator[Tried]:
    """Looks at a picture in `every_s` of what is shown."""
    start_ns: int | None = None
    due_ns = 0
    for frame in _frames(messages):
        if start_ns is None or frame.at_ns >= due_ns:
            start_ns = frame.at_ns if start_ns is None else start_ns
            due_ns = frame.at_ns + round(every_s * _NS)
            yield try_picture(frame.picture, detector, rules, (frame.at_ns - start_ns) / _NS)


def _frames(messages: Iterable[Message]) -> Iterator[Frame]:
    decoder: FrameDecoder | None = None
    for message in messages:
        if isinstance(message, Hello) and message.anchor is not None:
            decoder = FrameDecoder(message.info.video, message.anchor)
        elif isinstance(message, Packet) and message.kind is Kind.VIDEO and decoder is not None:
            yield from decoder.decode(message)
    if decoder is not None:
        yield from decoder.drain()
