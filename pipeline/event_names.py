"""The names of events that are under way: made and parsed here, nowhere else. Pure.

    <whole name>.part     what there is of the event so far, durable
    <whole name>.new      the same, being written: a crash leaves it, and it means nothing

Rules: as in `pipeline.names`, which has the names of everything else. The whole name is the one that the
event would get if it ended now, its deadline included: so what a crash left is finished without opening it.
"""

from __future__ import annotations

from pipeline.names import PART_SUFFIX, FileKind, NotAName, SegmentName

NEW_SUFFIX = ".new"


def part_name(name: SegmentName) -> str:
    """The file name of what there is so far."""
    return f"{name}{PART_SUFFIX}"


def new_name(name: SegmentName) -> str:
    """The file name that it has while it is being written."""
    return f"{name}{NEW_SUFFIX}"


def parse_under_way(text: str) -> SegmentName:
    """The whole name in one of both. Raises NotAName."""
    for suffix in (PART_SUFFIX, NEW_SUFFIX):
        if text.endswith(suffix):
            name = SegmentName.parse(text.removesuffix(suffix))
            if name.kind is not FileKind.FOOTAGE:
                return name
    raise NotAName(f"{text!r} is not the name of an event under way")
