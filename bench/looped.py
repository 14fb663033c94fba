"""A clip round and round, as a camera that never stops would send it.

Its first GOP is left out: an encoder begins with worse pictures and mends them, which cameras do once a year.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.model import VIDEO_TIMESCALE, Kind, Packet, StreamInfo
from pipeline.wire import Anchor, Hello, Message
from tests.support.packets import read_packets

_NS = 1_000_000_000


def looped(clip: Path) -> tuple[StreamInfo, Iterator[Packet]]:
    """What it carries, and its video packets for ever; `arrived_ns` begins at 0."""
    info, packets = read_packets(clip)
    video = [one for one in packets if one.kind is Kind.VIDEO]
    keyframes = [number for number, one in enumerate(video) if one.is_keyframe]
    video = video[keyframes[1] :]
    length = video[-1].dts + video[-1].duration - video[0].dts

    def rounds() -> Iterator[Packet]:
        base = 0
        while True:
            for packet in video:
                arrived_ns = (base + packet.dts - video[0].dts) * _NS // VIDEO_TIMESCALE
                yield replace(packet, pts=base + packet.pts, dts=base + packet.dts, arrived_ns=arrived_ns)
            base += length

    return info, rounds()


def messages(clip: Path, seconds: float, utc_ns: int, arrived_ns: int = 0) -> Iterator[Message]:
    """As a tap would bring it, from that instant on (UTC, and the same of the monotonic clock)."""
    info, packets = looped(clip)
    for number, packet in enumerate(packets):
        if number == 0:
            yield Hello(info, 1, Anchor(packet.pts, utc_ns))
        if packet.arrived_ns > seconds * _NS:
            return
        yield replace(packet, arrived_ns=packet.arrived_ns + arrived_ns)
