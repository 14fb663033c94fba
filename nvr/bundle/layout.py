"""Which files a bundle consists of, and how they are called. Pure.

    README.txt  SHA256SUMS  bundle.json  household/<version>.json  certificates.jsonl
    chain/<number>.<count>.slice  segments/<stream>/<name>.mp4.age

There is exactly one spelling of each name, and nothing else in the folder.
"""

from __future__ import annotations

import re

from pipeline.model import StreamName
from pipeline.names import NotAName, SegmentName, StoredSegment, stream_name

README = "README.txt"
SUMS = "SHA256SUMS"
DOCUMENT = "bundle.json"
CERTIFICATES = "certificates.jsonl"
HOUSEHOLD = "household"
CHAIN = "chain"
SEGMENTS = "segments"
IDENTITY_SUFFIX = ".identity.txt"
"""What is appended to the folder's name for the one-time identity, which lies beside it."""

_NUMBER = "(?:0|[1-9][0-9]{0,14})"
_MANIFEST = re.compile(rf"{HOUSEHOLD}/({_NUMBER})\.json")
_SLICE = re.compile(rf"{CHAIN}/({_NUMBER})\.({_NUMBER})\.slice")


def manifest_path(version: int) -> str:
    """Where a version of the household's manifest lies."""
    return f"{HOUSEHOLD}/{version}.json"


def slice_path(number: int, count: int) -> str:
    """Where the records of chain file `number` lie, from the one before which `count` were written."""
    return f"{CHAIN}/{number}.{count}.slice"


def segment_path(stream: str, name: SegmentName) -> str:
    """Where a segment lies."""
    return f"{SEGMENTS}/{stream}/{name}"


def manifest_version(path: str) -> int | None:
    """The version of a manifest, from its path; None for another file."""
    found = _MANIFEST.fullmatch(path)
    return int(found[1]) if found else None


def slice_place(path: str) -> tuple[int, int] | None:
    """Number and count of a slice, from its path; None for another file."""
    found = _SLICE.fullmatch(path)
    return (int(found[1]), int(found[2])) if found else None


def segment_at(path: str, camera: str) -> tuple[StreamName, SegmentName] | None:
    """The segment that a path names; None for another file."""
    folder, _, rest = path.partition("/")
    stream, _, name = rest.partition("/")
    try:
        return (stream_name(camera, stream), SegmentName.parse(name)) if folder == SEGMENTS else None
    except NotAName:
        return None


def is_ours(path: str, camera: str) -> bool:
    """Whether a bundle can have a file called so, beside SHA256SUMS and bundle.json."""
    return (
        path in (README, CERTIFICATES)
        or manifest_version(path) is not None
        or slice_place(path) is not None
        or segment_at(path, camera) is not None
    )


def path_of(segment: StoredSegment) -> str:
    """Where a segment of the store lies in a bundle. Its deadline for expiry stays behind."""
    name = segment.name
    return segment_path(
        segment.stream.stream,
        SegmentName(name.start_ms, name.duration_ms, name.sequence, name.clock_unsure, name.unfinished),
    )
