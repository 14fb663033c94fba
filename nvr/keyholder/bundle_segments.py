"""The segments of a bundle: found in the store, compared with the chain, sealed anew.

Rules:
- A segment that the chain does not know stays out, and is told of: nothing could be proven of it.
- One that is not what the chain says stops the export, unless it is told to keep going.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from hashlib import sha256

from crypto.errors import CryptoError, WrongIdentity
from crypto.identity import HybridIdentity, X25519Identity
from nvr.bundle.layout import path_of, segment_at
from nvr.bundle.segments import name_of
from nvr.errors import WRONG_IDENTITY, NvrError
from nvr.keyholder.bundle_folder import BundleOutput
from nvr.keyholder.chain_choice import ChainChoice
from nvr.keyholder.footage import SegmentFault
from nvr.keyholder.group_identities import GroupIdentities
from nvr.keyholder.membership import Membership
from nvr.keyholder.resealing import Resealed, reseal
from pipeline import walk
from pipeline.chain.records import Segment
from pipeline.model import StreamName
from pipeline.names import HOUR_MS, LONGEST_MS, StoredSegment
from pipeline.store import Store
from pipeline.stored_file import open_stored

_READ_AHEAD_BYTES = 1 << 17
Advance = Callable[[int], object]
"""Told how many bytes more are done."""


@dataclass(frozen=True, slots=True)
class BundleRequest:
    """What a bundle is to hold: of `camera`, what `streams` recorded in the span (UTC milliseconds)."""

    camera: str
    streams: tuple[str, ...]
    from_ms: int
    to_ms: int
    now_ms: int
    zone: tzinfo
    keep_going: bool = False


@dataclass(slots=True)
class Making:
    """A bundle on its way. By path, what was put into the folder so far: digests (hex), and the header hashes
    (hex) that segments had in the store.
    """

    output: BundleOutput
    files: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    size_bytes: int = 0

    def write(self, path: str, data: bytes) -> None:
        """Adds a small file. Raises OSError."""
        self.output.write(path, data)
        self.files[path] = sha256(data).hexdigest()
        self.size_bytes += len(data)

    def present(self, camera: str) -> frozenset[tuple[str, int]]:
        """Stream and sequence of the segments that are in it."""
        places = (segment_at(path, camera) for path in self.headers)
        return frozenset((place[0].stream, place[1].sequence) for place in places if place)


def copy_segments(
    store: Store,
    request: BundleRequest,
    membership: Membership,
    one_time: X25519Identity | HybridIdentity,
    choice: ChainChoice,
    making: Making,
    advance: Advance,
) -> None:
    """Fills `making` with the segments of the span, for the holder of `one_time`.

    Raises SegmentFault, NvrError when there is none, OSError.
    """
    identities = GroupIdentities(membership.opening)
    for segment in _segments(store, request):
        try:
            record = _record_of(segment, choice)
            _copy(store, segment, record, identities, one_time, making)
        except _NotInChain as fault:
            making.left_out.append(str(fault))
        except SegmentFault as fault:
            if not request.keep_going:
                raise _nothing_exported(fault) from None
            making.left_out.append(str(fault))
        advance(segment.size_bytes)
    if not making.headers:
        raise NvrError(
            making.left_out[-1]
            if making.left_out
            else f"There is no footage of {request.camera} in that time; nvr list shows what there is."
        )


def bundle_bytes(store: Store, request: BundleRequest) -> int:
    """How many bytes of segments there are to copy. Raises OSError."""
    return sum(segment.size_bytes for segment in _segments(store, request))


def _segments(store: Store, request: BundleRequest) -> list[StoredSegment]:
    """The published segments of the span, in the order of streams and of recording."""
    found = [
        segment
        for stream in request.streams
        for hour in walk.hours(store.root, StreamName(request.camera, stream))
        if request.from_ms - LONGEST_MS - HOUR_MS < hour.start_ms < request.to_ms
        for segment in walk.segments(store.root, hour)
        if segment.name.start_ms < request.to_ms and segment.name.end_ms + 1 > request.from_ms
    ]
    return sorted(found, key=lambda segment: (segment.stream, segment.name.sequence))


class _NotInChain(Exception):
    """A segment that nothing can be proven of."""


def _record_of(segment: StoredSegment, choice: ChainChoice) -> Segment:
    record = choice.recorded.get((segment.stream.stream, segment.name.sequence))
    if record is None:
        raise _NotInChain(
            f"{segment.path} is not in the chain (yet), so nothing can be proven of it; if it is new, export "
            "again in a minute. nvr export without --bundle takes it along."
        )
    if name_of(record) != replace(segment.name, kept_until_ms=0):
        raise SegmentFault(f"{segment.path} was renamed: the chain knows it as {name_of(record)}.")
    return record


def _copy(
    store: Store,
    segment: StoredSegment,
    record: Segment,
    identities: GroupIdentities,
    one_time: X25519Identity | HybridIdentity,
    making: Making,
) -> None:
    path = path_of(segment)
    try:
        resealed = _resealed(store, segment, path, identities, one_time, making)
    except FileNotFoundError:
        raise SegmentFault(f"{segment.path} was deleted just now.") from None
    except (CryptoError, EOFError) as fault:
        making.output.remove(path)
        raise _fault(segment, fault) from None
    if (resealed.original.digest, resealed.original.size_bytes) != (record.content, record.size_bytes):
        making.output.remove(path)
        raise SegmentFault(f"{segment.path} was altered: it is not what the chain says was recorded.")
    making.files[path] = resealed.digest
    making.headers[path] = resealed.original.header_hash.hex()
    making.size_bytes += segment.size_bytes


def _resealed(
    store: Store,
    segment: StoredSegment,
    path: str,
    identities: GroupIdentities,
    one_time: X25519Identity | HybridIdentity,
    making: Making,
) -> Resealed:
    source, _ = open_stored(store.root, segment, _READ_AHEAD_BYTES)
    with source, making.output.create(path) as target:
        return reseal(source, target, [identities], one_time.recipient, unfinished=segment.name.unfinished)


def _fault(segment: StoredSegment, fault: Exception) -> SegmentFault:
    if isinstance(fault, WrongIdentity):
        text = f"{segment.path} is sealed to somebody else: this identity does not open it."
        return SegmentFault(text, WRONG_IDENTITY)
    clause = str(fault)[:1].lower() + str(fault)[1:].rstrip(".")
    return SegmentFault(f"{segment.path} is damaged: {clause}.")


def _nothing_exported(fault: SegmentFault) -> SegmentFault:
    return SegmentFault(
        f"{fault} Nothing was exported; --keep-going leaves such segments out, and nvr verify will say so.",
        fault.exit_code,
    )
