"""Segments of the benchmark's clip as a recorder makes them, by the product's own segmenter and mux."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.model import Kind, SegmentMark, StreamInfo
from pipeline.mux import Origin, fragment, init_segment
from pipeline.segmenter import SegmentClosed, Segmenter, SegmenterEvent, SegmentOpened
from tests.support.footage import benchmark_clip
from tests.support.packets import read_packets


@dataclass(slots=True)
class CutSegment:
    """One segment of whole GOPs, about ten seconds, before it is marked and sealed."""

    info: StreamInfo
    origin: Origin
    fragments: list[bytes] = field(default_factory=list)
    duration_ns: int = 0

    def pieces(self, mark: SegmentMark) -> list[bytes]:
        """What is sealed one after the other: the init segment with its mark, then the fragments."""
        return [init_segment(self.info, mark, self.origin), *self.fragments]


@lru_cache(maxsize=1)
def minute() -> tuple[CutSegment, ...]:
    """A minute of the camera."""
    info, packets = read_packets(benchmark_clip())
    segmenter = Segmenter()
    events = segmenter.push(info)
    for packet in packets:
        shown_ns = packet.pts * 1_000_000_000 // info.video.timescale if packet.kind is Kind.VIDEO else 0
        events += segmenter.push(packet, shown_ns)
    return _segments([*events, *segmenter.close("stopped")])


def _segments(events: list[SegmenterEvent]) -> tuple[CutSegment, ...]:
    found: list[CutSegment] = []
    for event in events:
        if isinstance(event, SegmentOpened):
            found.append(CutSegment(event.info, Origin.of(event.info, event.first)))
        elif isinstance(event, SegmentClosed):
            found[-1].duration_ns = event.duration_ns
        else:
            last = found[-1]
            last.fragments.append(fragment(last.info, len(last.fragments) + 1, event.fragment, last.origin))
    return tuple(found)
