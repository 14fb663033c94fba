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
from pipeline.source.errors import SourceError, ended, silent, while_reading
from pipeline.source.naps import WAITED_NS, NapRule

SILENT_AFTER_NS = 10_000_000_000
_NS = 1_000_000_000
_NAP_S = 0.5
_FLUSH_NS = 200_000_000

Stop = Callable[[], bool]
AvPacket: TypeAlias = "av.Packet[Any]"  # subscripted for the type checker only
Arrival: TypeAlias = "tuple[AvPacket, int]"


class _Silence:
    """When video was last seen. Audio does not count: a camera whose picture hangs is reconnected."""

    def __init__(self, now_ns: int) -> None:
        self.last_video_ns = now_ns
        self.waited_until_ns = 0  # when the last wait ended in vain

    def check(self, now_ns: int, slack_ns: int = 0) -> None:
        """Raises Interrupted when that is too long ago."""
        if now_ns - self.last_video_ns > SILENT_AFTER_NS - slack_ns:
            raise silent()


class _Rest:
    """Takes the naps."""

    def __init__(self, nap_s: Callable[[], float]) -> None:
        self._nap_s = nap_s
        self._rule = NapRule()

    def after(self, packet: AvPacket, arrived_ns: int) -> None:
        """Lets packets gather after `packet`, for which we had to wait."""
        nap_s = self._nap_s()
        if nap_s <= 0 or packet.pts is None:
            return
        media_ns = _to_90k(packet, packet.pts) * _NS // VIDEO_TIMESCALE
        if self._rule.allows(media_ns, arrived_ns, int(nap_s * _NS)):
            time.sleep(nap_s)


def live_packets(
    container: InputContainer,
    streams: Sequence[Stream],
    stop: Stop,
    nap_s: Callable[[], float] = lambda: 0.0,
) -> Iterator[Arrival]:
    """Packets and their arrival (monotonic). Raises Interrupted when the camera ends or falls silent.

    `nap_s` is asked when nothing is waiting to be read, and says how long to let packets gather (0: not at
    all).
    """
    silence = _Silence(time.monotonic_ns())
    rest = _Rest(nap_s)
    while True:
        failure: SourceError | None = ended()
        try:
            yield from _until_quiet(container, streams, silence, rest, stop)
        except (av.error.ExitError, av.error.TimeoutError):  # five seconds without a packet
            failure = None
        except (av.error.FFmpegError, OSError) as error:
            failure = while_reading(error)
        if stop():
            return
        if failure is not None:
            raise failure  # outside of `except`: FFmpeg's error, with the URL in it, must not hang on it
        silence.waited_until_ns = time.monotonic_ns()
        silence.check(silence.waited_until_ns, _NS // 2)


def _until_quiet(
    container: InputContainer,
    streams: Sequence[Stream],
    silence: _Silence,
    rest: _Rest,
    stop: Stop,
) -> Iterator[Arrival]:
    """Ends at the end of file, which empty packets mark, or when asked to stop."""
    video_index = next(s.index for s in streams if s.type == "video")
    now_ns = time.monotonic_ns
    asked = now_ns()
    for packet in container.demux(*streams):
        arrived = now_ns()
        if not packet.size or stop():
            return
        if packet.stream_index == video_index:
            # What comes right after a vain wait is the frame that the parser had kept, not news from the
            # camera.
            if arrived - silence.waited_until_ns > _FLUSH_NS:
                silence.last_video_ns = arrived
        else:
            silence.check(arrived)
        yield packet, arrived
        if arrived - asked > WAITED_NS and packet.stream_index == video_index:
            rest.after(packet, arrived)
        asked = now_ns()


def looped_packets(container: InputContainer, streams: Sequence[Stream], stop: Stop) -> Iterator[Arrival]:
    """The clip again and again, paced by its DTS; each round continues the timestamps of the one before."""
    started = time.monotonic_ns()
    offset = 0  # of this round, in 90 kHz
    longest: dict[int, int] = {}  # a file may cut its last packet's duration, but not what it holds
    while True:
        first, end = None, 0
        for packet in container.demux(*streams):
            if packet.pts is None or packet.dts is None or not packet.size:
                continue
            begin = _to_90k(packet, packet.pts)
            first = begin if first is None else min(first, begin)
            longest[packet.stream_index] = max(longest.get(packet.stream_index, 0), packet.duration or 0)
            end = max(end, begin + _to_90k(packet, longest[packet.stream_index]))
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
    except (av.error.FFmpegError, OSError):
        raise ended() from None


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
