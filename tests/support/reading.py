"""What of the footage a camera sent is found in a store, opened as a person holding the key opens it.

footage = open_segment(house.store, segment, footage_identities(str(house.key_file), house.store, []))
sent = sent_between(camera, "video", began_ns, killed_ns)
assert lost_s(sent, footage.video) <= 1.0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crypto.identity import Identity
from crypto.unseal import open_stream
from nvr.keyholder.segment_tables import Run, open_tables
from nvr.keyholder.unfinished import unfinished_plaintext
from pipeline.model import SegmentMark
from pipeline.names import StoredSegment
from tests.support.faulty import FaultyCamera
from tests.support.live import Sent

CLOCKS = {"video": 90_000, "audio": 48_000}


@dataclass(frozen=True, slots=True)
class OpenedFootage:
    """The packets of one segment, or of several in a row."""

    mark: SegmentMark
    video: list[bytes] = field(repr=False)
    audio: list[bytes] = field(repr=False)


def open_footage(store: Path, segment: StoredSegment, identities: Sequence[Identity]) -> OpenedFootage:
    """Opens a segment to its end. Raises what the keyholder raises for one that is damaged or breaks off."""
    unfinished = segment.name.unfinished
    with (store / segment.path).open("rb") as file:
        pieces = unfinished_plaintext(file, identities) if unfinished else open_stream(file, identities)
        plaintext = b"".join(pieces)
    tables = open_tables(plaintext, segment.name.duration_ms * 1_000_000, unfinished=unfinished)
    video = [packet for one in tables.fragments for packet in _packets(plaintext, one.video)]
    audio = [packet for one in tables.fragments for packet in _packets(plaintext, one.audio)]
    return OpenedFootage(tables.mark, video, audio)


def _packets(plaintext: bytes, run: Run | None) -> list[bytes]:
    packets: list[bytes] = []
    at = run.data_at if run else 0
    for size in run.sizes if run else ():
        packets.append(plaintext[at : at + size])
        at += size
    return packets


def sent_between(camera: FaultyCamera, kind: str, from_ns: int, to_ns: int) -> list[Sent]:
    """What the camera sent of a kind, monotonic times, beginning with the first keyframe it sent."""
    sent = [one for one in camera.sent if from_ns <= one.monotonic_ns <= to_ns]
    first = next((n for n, one in enumerate(sent) if _is_beginning(one)), len(sent))
    return [one for one in sent[first:] if one.unit.kind == kind]


def _is_beginning(sent: Sent) -> bool:
    return sent.unit.kind == "video" and sent.unit.is_keyframe


def lost_s(sent: Sequence[Sent], found: Sequence[bytes]) -> float:
    """How much of what was sent is not found, in seconds of the camera's own time: from the first packet
    that is missing to the end, even where later ones are there.

    (When the power goes while a segment is published, the flush of the next one may have come first.)
    An AssertionError when something is found that was not sent, or not in this order.
    """
    if not sent:
        return 0.0
    if not found:
        return _span_s(sent[0], sent[-1]) + _step_s(sent)
    behind = _end_of_run([one.unit.data for one in sent], list(found))
    return _span_s(sent[behind - 1], sent[-1])


def _end_of_run(sent: list[bytes], found: list[bytes]) -> int:
    """Where the first packet is missing. The clip loops, so a run may seem to begin anywhere: the longest one
    counts, and the earliest of these, so that a loss is never shown smaller than it is.
    """
    begins = [number for number, one in enumerate(sent) if one == found[0]]
    lengths = [_alike(sent[first:], found) for first in begins]
    assert lengths, "what is found was never sent"
    first, length = begins[lengths.index(max(lengths))], max(lengths)
    rest = iter(sent[first + length :])
    assert all(one in rest for one in found[length:]), (
        f"of {len(found)} packets, what follows the first {length} was not sent after these"
    )
    return first + length


def _alike(sent: list[bytes], found: list[bytes]) -> int:
    """How many are the same from the beginning on."""
    pairs = enumerate(zip(sent, found, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(sent), len(found)))


def _step_s(sent: Sequence[Sent]) -> float:
    return _span_s(sent[0], sent[1]) if len(sent) > 1 else 0.0


def _span_s(first: Sent, last: Sent) -> float:
    ticks = (last.rtp_time - first.rtp_time) & 0xFFFFFFFF
    return ticks / CLOCKS[first.unit.kind]
