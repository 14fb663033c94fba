"""Follows things from look to look. Pure: the same looks give the same tracks.

Rules:
- A sure detection chooses its track before a weak one does (the idea of Zhang et al., "ByteTrack"): weak ones
  keep a track alive rather than take it over.
- Numbers count from 1 and are never used twice.
- At most `MOST` things are followed: those not found for longest are dropped first.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.scene import WHOLE, Box, Detection
from pipeline.track.kinship import are_kin
from pipeline.track.living import Living
from pipeline.track.matching import matches
from pipeline.track.noun import Track

SURE = 0.4
MOST = 60
SAME_PLACE_IOU = 0.6  # a second box there is not a second thing


class Tracker:
    """One camera's."""

    def __init__(self) -> None:
        self._living: list[Living] = []
        self._last_number = 0

    def update(
        self,
        detections: Sequence[Detection],
        moved: Sequence[Box],
        at_ns: int,
        looked: Sequence[Box] = (WHOLE,),
    ) -> list[Track]:
        """Takes one look: what was found, which areas moved, when (UTC, not before the last look), and which
        regions were looked at. Returns all living tracks, in the order of their numbers.
        """
        for living in self._living:
            living.advance(at_ns)
        unmatched = list(self._living)
        rest: list[Detection] = []
        for group in _sure_and_weak(detections):
            unmatched, left = _assign(unmatched, group, moved)
            rest += left
        for living in unmatched:
            living.missed(moved, looked)
        self._living = [living for living in self._living if not living.is_lost]
        for detection in rest:
            self._begin(detection, moved, at_ns)
        self._living = sorted(self._living, key=lambda one: one.unseen_ns)[:MOST]
        return sorted((living.track() for living in self._living), key=lambda track: track.number)

    def _begin(self, detection: Detection, moved: Sequence[Box], at_ns: int) -> None:
        for living in self._living:
            if are_kin(living.label, detection.label) and living.box.iou(detection.box) > SAME_PLACE_IOU:
                return
        self._last_number += 1
        living = Living(self._last_number, detection, at_ns)
        living.found(detection, moved)
        self._living.append(living)


def _sure_and_weak(detections: Sequence[Detection]) -> tuple[list[Detection], list[Detection]]:
    sure = [one for one in detections if one.score >= SURE]
    return sure, [one for one in detections if one.score < SURE]


def _assign(
    tracks: list[Living], detections: list[Detection], moved: Sequence[Box]
) -> tuple[list[Living], list[Detection]]:
    """Tells the tracks that were found; returns the tracks and detections that are left."""
    pairs = matches(tracks, detections)
    for at, to in pairs:
        tracks[at].found(detections[to], moved)
    found, used = {at for at, _ in pairs}, {to for _, to in pairs}
    return (
        [track for at, track in enumerate(tracks) if at not in found],
        [detection for to, detection in enumerate(detections) if to not in used],
    )
