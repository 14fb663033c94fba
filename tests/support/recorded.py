"""Segments as a recorder makes them, unsealed: the real segmenter and mux, without store and seal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.model import Kind, Packet, SegmentMark, StreamInfo, StreamName
from pipeline.mux import Origin, fragment, init_segment
from pipeline.segmenter import SegmentClosed, Segmenter, SegmenterEvent, SegmentOpened

BEGAN_NS = 1_795_000_000_000_000_000
DEVICE = bytes(range(16))


@dataclass(frozen=True, slots=True)
class Recorded:
    """One segment's plaintext, and what its name would say."""

    mark: SegmentMark
    duration_ns: int
    plaintext: bytes


def record(
    info: StreamInfo,
    packets: Iterable[Packet],
    began_ns: int = BEGAN_NS,
    target_s: float = 2.0,
    sequence: int = 1,
) -> list[Recorded]:
    """The segments of a stream whose video timestamp 0 is shown at `began_ns`."""
    segmenter = Segmenter(target_s)
    events = segmenter.push(info)
    for packet in packets:
        shown_ns = packet.pts * 1_000_000_000 // 90_000 if packet.kind is Kind.VIDEO else 0
        events += segmenter.push(packet, began_ns + shown_ns)
    return segments_of([*events, *segmenter.close("stopped")], sequence)


def segments_of(events: Iterable[SegmenterEvent], sequence: int = 1) -> list[Recorded]:
    """What the segmenter said, as segments."""
    found: list[Recorded] = []
    for event in events:
        if isinstance(event, SegmentOpened):
            info, start, count = event.info, Origin.of(event.info, event.first), 0
            mark = SegmentMark(DEVICE, StreamName("front", "main"), sequence + len(found), event.start_ns, 1)
            parts = [init_segment(info, mark, start)]
        elif isinstance(event, SegmentClosed):
            found.append(Recorded(mark, event.duration_ns, b"".join(parts)))
        else:
            count += 1
            parts.append(fragment(info, count, event.fragment, start))
    return found


def later(packets: Iterable[Packet], by_s: float, audio_rate: int = 48_000) -> list[Packet]:
    """The same packets, so many seconds later on the camera's and every other clock."""
    moved = []
    for p in packets:
        by = round(by_s * (90_000 if p.kind is Kind.VIDEO else audio_rate))
        arrived_ns = p.arrived_ns + round(by_s * 1_000_000_000)
        moved.append(replace(p, pts=p.pts + by, dts=p.dts + by, arrived_ns=arrived_ns))
    return moved
