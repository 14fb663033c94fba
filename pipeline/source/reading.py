"""Packets of an open demuxer with the time they arrived: a camera's as they come, a clip's at its own pace.

Both generators return when `stop()` says so, which they ask at least every five seconds, and never close the
container: only the thread that reads may, once they have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import av
import av.error
from av.container import InputContainer
from av.stream import Stream

from pipeline.model import VIDEO_TIMESCALE
from pipeline.source.errors import ended, silent, while_reading

SILENT_AFTER_NS = 10_000_000_000
_NS = 1_000_000_000
_NAP_S = 0.5

Stop = Callable[[], bool]
AvPacket: TypeAlias = "av.Packet[Any]"  # subscripted for the type checker only
Arrival: TypeAlias = "tuple[AvPacket, int]"


class _Silence:
    """When video was last seen. Audio does not count: a camera whose picture hangs is reconnected."""

    def __init__(self, now_ns: int) -> None:
        self.last_video_ns = now_ns

    def check(self, now_ns: int, slack_ns: int = 0) -> None:
        """Raises Interrupted when that is too long ago."""
        if now_ns - self.last_video_ns > SILENT_AFTER_NS - slack_ns:
            raise silent()


def live_packets(
    container: InputContainer,
    streams: Sequence[Stream],
    stop: Stop,
    now_ns: Callable[[], int] = time.monotonic_ns,
) -> Iterator[Arrival]:
    """Packets and their arrival (monotonic). Raises Interrupted when the camera ends or falls silent."""
    silence = _Silence(now_ns())
    while True:
        try:
            yield from _until_quiet(container, streams, silence, stop, now_ns)
            if stop():
                return
            raise ended()
        except (av.error.ExitError, av.error.TimeoutError):  # five seconds without a packet
            if stop():
                return
            silence.check(now_ns(), _NS // 2)
        except (av.error.FFmpegError, OSError) as error:
            raise while_reading(error) from None


def _until_quiet(
    container: InputContainer,
    streams: Sequence[Stream],
    silence: _Silence,
    stop: Stop,
    now_ns: Callable[[], int],
) -> Iterator[Arrival]:
    """Ends at the end of file, which empty packets mark, or when asked to stop."""
    video_index = next(s.index for s in streams if s.type == "video")
    for packet in container.demux(*streams):
        arrived = now_ns()
        if not packet.size or stop():
            return
        if packet.stream_index == video_index:
            silence.last_video_ns = arrived
        else:
            silence.check(arrived)
        yield packet, arrived


def looped_packets(container: InputContainer, streams: Sequence[Stream], stop: Stop) -> Iterator[Arrival]:
    """The clip again and again, paced by its DTS; each round continues the timestamps of the one before."""
    started = time.monotonic_ns()
    offset = 0  # of this round, in 90 kHz
    while True:
        first, end = None, 0
        for packet in container.demux(*streams):
            if packet.pts is None or packet.dts is None or not packet.size:
                continue
            begin = _to_90k(packet, packet.pts)
            first = begin if first is None else min(first, begin)
            end = max(end, begin + _to_90k(packet, packet.duration or 0))
            if not _wait(started + (offset + _to_90k(packet, packet.dts)) * _NS // VIDEO_TIMESCALE, stop):
                return
            packet.pts += _from_90k(packet, offset)
            packet.dts += _from_90k(packet, offset)
            yield packet, time.monotonic_ns()
        if first is None or end <= first:
            raise ended()
        offset += end - first
        _rewind(container)


def _rewind(container: InputContainer) -> None:
    try:
        container.seek(container.start_time or 0)
    except (av.error.FFmpegError, OSError) as error:
        raise while_reading(error) from None


def _wait(due_ns: int, stop: Stop) -> bool:
    """Sleeps until it is time; False when asked to stop."""
    while not stop():
        left = (due_ns - time.monotonic_ns()) / _NS
        if left <= 0:
            return True
        time.sleep(min(left, _NAP_S))
    return False


def _to_90k(packet: AvPacket, ticks: int) -> int:
    base = packet.time_base
    return ticks * VIDEO_TIMESCALE * base.numerator // base.denominator


def _from_90k(packet: AvPacket, ticks: int) -> int:
    base = packet.time_base
    return ticks * base.denominator // (VIDEO_TIMESCALE * base.numerator)
