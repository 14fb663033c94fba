"""One stream's packets as init segments and short fragments for MSE. Pure: what is heard in, parts out.

Rules:
- An init segment comes with the first keyframe after each Hello; decode times begin at 0 with that keyframe.
- A fragment holds what is given at once, at most `LONGEST_90K`, mostly one packet: it goes out as it came.
- Nothing that breaks the order of times is written: audio that is older than the keyframe or out of order is
  left out, and when video is, a new init segment follows at the next keyframe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.model import VIDEO_TIMESCALE, Fragment, Kind, Packet, SegmentMark, StreamName
from pipeline.mux import Origin, fragment, init_segment
from pipeline.wire import Hello
from web.live.codec_strings import mime_type
from web.live.heard import starts_gop

LONGEST_90K = VIDEO_TIMESCALE // 10
_NS = 1_000_000_000
_NO_DEVICE = bytes(16)  # live pictures lie in no store


@dataclass(frozen=True, slots=True)
class Init:
    """What a player needs first. `begin_ns` is the UTC instant of time 0, None while that is not known."""

    mime_type: str
    begin_ns: int | None
    note: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Moof:
    """A moof and its mdat."""

    data: bytes


class Fragments:
    """Makes them for one viewer's stream."""

    def __init__(self, name: StreamName) -> None:
        self._name = name
        self._hello: Hello | None = None
        self._origin: Origin | None = None
        self._waits = True  # for a keyframe to begin with
        self._sequence = 0
        self._video_end = self._audio_end = 0

    def hello(self, hello: Hello) -> None:
        """From here on the stream is as this says."""
        self._hello, self._waits = hello, True

    def add(self, packets: Sequence[Packet]) -> Iterator[Init | Moof]:
        """Takes packets as they come; yields what they make, in order."""
        for group in _groups(packets):
            yield from self._group(group)

    def _group(self, packets: Sequence[Packet]) -> Iterator[Init | Moof]:
        waiting: list[Packet] = []
        for packet in packets:
            begins = starts_gop(packet) and (self._waits or packet.dts < self._video_end)
            if begins and self._hello is not None:
                yield from self._moof(waiting)
                waiting = []
                yield self._begin(self._hello, packet)
            if self._fits(packet):
                waiting.append(packet)
        yield from self._moof(waiting)

    def _begin(self, hello: Hello, first: Packet) -> Init:
        self._origin = Origin.of(hello.info, first)
        self._waits, self._sequence = False, 0
        self._video_end, self._audio_end = first.dts, self._origin.audio_pts
        begin_ns = None
        if hello.anchor is not None:
            begin_ns = hello.anchor.utc_ns + (first.pts - hello.anchor.pts) * _NS // VIDEO_TIMESCALE
        mark = SegmentMark(_NO_DEVICE, self._name, 0, begin_ns or 0, 0)
        data = init_segment(hello.info, mark, self._origin)
        return Init(mime_type(hello.info), begin_ns, hello.info.note, data)

    def _fits(self, packet: Packet) -> bool:
        """Whether it can be written; notes its end. Video out of order ends what has been begun."""
        if self._waits:
            return False
        if packet.kind is Kind.VIDEO:
            if packet.dts < self._video_end:
                self._waits = True
                return False
            self._video_end = packet.dts + 1
        else:
            if packet.pts < self._audio_end:
                return False
            self._audio_end = packet.pts + 1
        return True

    def _moof(self, packets: Sequence[Packet]) -> Iterator[Moof]:
        if not packets or self._hello is None or self._origin is None:
            return
        self._sequence += 1
        lasting = [replace(one, duration=max(one.duration, 1)) for one in packets]
        video = tuple(one for one in lasting if one.kind is Kind.VIDEO)
        audio = tuple(one for one in lasting if one.kind is Kind.AUDIO)
        yield Moof(fragment(self._hello.info, self._sequence, Fragment(video, audio), self._origin))


def _groups(packets: Sequence[Packet]) -> Iterator[list[Packet]]:
    """The packets in order, cut where the video of one group would be longer than `LONGEST_90K`."""
    group: list[Packet] = []
    begin: int | None = None
    for packet in packets:
        if packet.kind is Kind.VIDEO:
            if begin is not None and not 0 <= packet.dts + packet.duration - begin <= LONGEST_90K:
                yield group
                group, begin = [], None
            begin = packet.dts if begin is None else begin
        group.append(packet)
    if group:
        yield group
