"""Packets to segments of whole GOPs: pure, no clock of its own, no I/O."""

from pipeline.segmenter.cutting import Segmenter
from pipeline.segmenter.events import FragmentReady, SegmentClosed, SegmenterEvent, SegmentOpened

__all__ = ["FragmentReady", "SegmentClosed", "SegmentOpened", "Segmenter", "SegmenterEvent"]
