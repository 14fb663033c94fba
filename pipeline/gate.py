"""Whether packets are worth decoding, judged by their sizes alone, as learnt from what motion found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What the sizes of the last packets say."""

    STILL = "still"
    MOVING = "moving"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class GateReport:
    """What the gate says now, whether sizes tell still from moving on this stream, and why."""

    verdict: Verdict
    separates: bool
    why: str


class Gate:
    """The gate of one stream. Times are UTC nanoseconds of the packets."""

    def packet(self, size_bytes: int, is_keyframe: bool, at_ns: int) -> None:
        """Takes the size of a video packet, decoded or not."""

    def taught(self, moved: bool, from_ns: int, to_ns: int) -> None:
        """Whether something moved between these times, as motion found."""

    def verdict(self) -> Verdict:
        """What the sizes up to now say."""
        return Verdict.UNSURE

    def report(self) -> GateReport:
        """What it has learnt."""
        return GateReport(Verdict.UNSURE, False, "nothing learnt yet")
