"""The segments of a bundle against the chain: each is what its record says, none is left out in silence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from nvr.bundle.completeness import Recorded, expired_of, overlaps
from nvr.bundle.document import Document
from nvr.bundle.files import BundleFolder
from nvr.bundle.layout import segment_at, segment_path
from nvr.bundle.verdict import Finding
from pipeline.chain.content import content_digest, content_of
from pipeline.chain.records import Expired, Segment
from pipeline.names import SegmentName

Place = tuple[str, int]
"""A stream and a sequence number."""

UNKNOWN = "No record of the chain that is here speaks of it, so nothing about it is proven."
RENAMED = "Its name says another time, duration or state than the recorder's chain."
ALTERED = "It is not what the recorder recorded: its content is not that of its record in the chain."
LEFT_OUT = "It was recorded, did not expire, and is not in this bundle."


def compare_segments(
    folder: BundleFolder,
    document: Document,
    found: Mapping[Place, Recorded],
    is_sound: Callable[[str], bool],
    *,
    whole_chain: bool,
) -> tuple[frozenset[Place], list[Finding]]:
    """Those that are what their record says, and what is wrong with others. Raises OSError.

    Without the `whole_chain`, that a segment has no record is the fault of files named already.
    """
    here, findings = set(), []
    for path in filter(is_sound, document.files):
        place = segment_at(path, document.camera)
        if place is None:
            continue
        stream, name = place
        known = found.get((stream.stream, name.sequence))
        if known is None and not whole_chain:
            continue
        fault = _fault(folder, path, document, name, known)
        if fault:
            findings.append(Finding(path, fault))
        else:
            here.add((stream.stream, name.sequence))
    return frozenset(here), findings


def _fault(
    folder: BundleFolder, path: str, document: Document, name: SegmentName, known: Recorded | None
) -> str:
    """What is wrong with a segment, in a sentence; nothing if it is what its record says."""
    if known is None:
        return UNKNOWN
    if name != name_of(known.segment):
        return RENAMED
    with folder.open(path) as file:
        content = content_of(file, unfinished=known.segment.unfinished)
    header_hash = bytes.fromhex(document.headers.get(path, ""))
    digest = content_digest(header_hash, content.payload_hash)
    is_same = (digest, content.size_bytes) == (known.segment.content, known.segment.size_bytes)
    return "" if is_same else ALTERED


def name_of(record: Segment) -> SegmentName:
    """What the segment is called in a bundle."""
    marks = record.clock_unsure, record.unfinished
    return SegmentName(record.start_ms, record.duration_ms, record.sequence, *marks)


def left_out(
    document: Document, found: Mapping[Place, Recorded], tombstones: Mapping[str, Collection[Expired]]
) -> list[Finding]:
    """Segments of the span that the chain has, that are not in the bundle, and did not expire. Pure."""
    named = {
        (place[0].stream, place[1].sequence)
        for path in document.files
        if (place := segment_at(path, document.camera))
    }
    lacking = [
        one.segment
        for place, one in sorted(found.items())
        if place not in named
        and overlaps(one.segment.start_ms, one.segment.duration_ms, document.from_ms, document.to_ms)
    ]
    gone = {
        stream: expired_of(of_stream, [one.sequence for one in lacking if one.stream == stream])
        for stream, of_stream in tombstones.items()
    }
    return [
        Finding(segment_path(one.stream, name_of(one)), LEFT_OUT, left_out=True)
        for one in lacking
        if one.sequence not in gone.get(one.stream, {})
    ]
