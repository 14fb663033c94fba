"""`open_source`: one stream of one camera as items, whatever kind of address it has.

The caller owns the pauses between attempts; a source tries once and says how it ended. H.264 and H.265 are
copied; other video is encoded by a process of its own. A USB camera is always read in such a process: its
driver may block for ever, which only ending the process helps against.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from av.container import InputContainer

from pipeline.source.container import open_container
from pipeline.source.copying import (
    audio_path,
    can_be_copied,
    chosen_streams,
    copied,
    is_complete,
    video_stream,
)
from pipeline.source.encoded import encoded_items
from pipeline.source.errors import NotVideo
from pipeline.source.reading import live_packets, looped_packets
from pipeline.source.settings import SourceSettings
from pipeline.source.video import Item

NAP_S = 0.1


def open_source(
    settings: SourceSettings, stop: Callable[[], bool], nap_s: Callable[[], float] = lambda: NAP_S
) -> Iterator[Item]:
    """Yields a StreamInfo, a keyframe and what follows; a new StreamInfo whenever parameters change.

    Ends only when `stop()` says so (asked at least every five seconds); raises SourceError otherwise. Close
    the iterator from the thread that reads it.

    `nap_s` says how long packets may gather unread: it halves the CPU time and delays items by as much.
    Answer 0 while someone watches live. Only RTSP over TCP naps, for there nothing is lost meanwhile.
    """
    container = _open(settings)
    try:
        if container is not None:
            yield from _copy(container, settings, stop, nap_s)
            return
    finally:
        if container is not None:
            container.close()
    yield from encoded_items(settings, stop)


def _open(settings: SourceSettings) -> InputContainer | None:
    """The demuxer of a stream that is copied here; None when it is for a process of its own."""
    if settings.scheme == "device":
        return None
    container = open_container(settings)
    if not is_complete(container):
        container.close()
        container = open_container(settings, thorough=True)
    try:
        if can_be_copied(video_stream(container)):
            return container
    except NotVideo:
        container.close()
        raise
    container.close()
    return None


def _copy(
    container: InputContainer, settings: SourceSettings, stop: Callable[[], bool], nap_s: Callable[[], float]
) -> Iterator[Item]:
    video = video_stream(container)
    audio, path, note = audio_path(container, settings.audio)
    streams = chosen_streams(video, audio)
    if settings.scheme == "file":
        packets = looped_packets(container, streams, stop)
    elif settings.scheme in ("rtsp", "rtsps") and settings.transport == "tcp":
        packets = live_packets(container, streams, stop, nap_s)
    else:
        packets = live_packets(container, streams, stop)
    return copied(packets, video, path, note)
