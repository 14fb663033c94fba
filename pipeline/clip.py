"""A video file as the messages of a tap, as fast as they are asked for: to look at it without a recorder.

Rules:
- What a camera would send is what comes: H.264 and H.265 as they are, other video encoded as a recorder would
  (one thread, ultrafast), so the same file gives the same messages each time.
- Times come from the file alone: `arrived_ns` is when the packet would have come, never when it was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av.error
from av.container import InputContainer
from av.stream import Stream

from pipeline.encode import encoded
from pipeline.model import VIDEO_TIMESCALE, Kind, Packet, StreamInfo
from pipeline.source.container import open_container
from pipeline.source.copying import audio_path, can_be_copied, chosen_streams, copied, video_stream
from pipeline.source.errors import while_reading
from pipeline.source.reading import Arrival
from pipeline.source.settings import EncodeBudget, SourceSettings
from pipeline.source.video import Item
from pipeline.wire import Anchor, Hello, Message

_NS = 1_000_000_000
# What is not H.264 or H.265 is a file from elsewhere: it keeps its size and rate up to a common camera's.
_BUDGET = EncodeBudget(max_width=1920, max_height=1080, max_fps=30.0)


def clip_messages(path: Path, start_ns: int, *, audio: bool = True) -> Iterator[Message]:
    """HELLO and packets of the file; its first picture is shown at `start_ns` (UTC).

    Raises `SourceError` for what is not there or not video.
    """
    settings = SourceSettings(path.absolute().as_uri(), audio=audio)
    with open_container(settings) as container:
        yield from with_anchors(_items(container, settings), start_ns)


def with_anchors(items: Iterator[Item], start_ns: int) -> Iterator[Message]:
    """Items as a recorder's tap tells them: each StreamInfo as a HELLO that says when it is shown."""
    info: StreamInfo | None = None
    first: Packet | None = None
    epoch = 0
    for item in items:
        if isinstance(item, StreamInfo):
            info = item
            continue
        if item.kind is Kind.VIDEO:
            first = first or item
            if info is not None:
                epoch += 1
                passed_ns = (item.pts - first.pts) * _NS // VIDEO_TIMESCALE
                yield Hello(info, epoch, Anchor(item.pts, start_ns + passed_ns))
                info = None
        if first is not None:
            yield item


def _items(container: InputContainer, settings: SourceSettings) -> Iterator[Item]:
    video = video_stream(container)
    audio, path, note = audio_path(container, settings.audio)
    packets = _packets(container, chosen_streams(video, audio))
    if can_be_copied(video):
        return copied(packets, video, path, note)
    return encoded(packets, video, path, note, _BUDGET)


def _packets(container: InputContainer, streams: Sequence[Stream]) -> Iterator[Arrival]:
    """Every packet of the file once, each arriving when it is decoded."""
    failure = None
    try:
        for packet in container.demux(*streams):
            if packet.size and packet.pts is not None and packet.dts is not None:
                base = packet.time_base
                yield packet, packet.dts * _NS * base.numerator // base.denominator
    except (av.error.FFmpegError, OSError) as error:
        failure = while_reading(error)
    if failure is not None:
        raise failure
