"""What a tracker hands on."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.scene import Box


@dataclass(frozen=True, slots=True)
class Track:
    """One thing over time, as it stands now.

    `label` is what most looks said, weighed by their scores. `score` and `box` are those of the newest look
    that found it, at `seen_ns` (UTC); `first_ns` is the first. `hits` counts looks that found it. `moved`: it
    has changed its place, or what moved there was of its shape, since it was first seen. `is_still`: it has
    stayed where it is for some time. A still thing that no look finds any more is held while nothing moves
    over its place.
    """

    number: int
    label: str
    score: float
    box: Box
    first_ns: int
    seen_ns: int
    hits: int
    is_still: bool
    moved: bool
