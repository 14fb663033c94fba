"""The JPEGs of an event's best frame: of the main stream, where only the sub stream is looked at.

Rules:
- Made once for each best frame, and at most every few seconds from the main stream, whose GOP is decoded
  for it.
- The main stream's picture counts only when it shows the same moment; else the one that was looked at serves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.event.nouns import CROP_PIXELS, WHOLE_PIXELS, BestPicture, PictureNote
from pipeline.picture import Picture
from pipeline.scene import WHOLE, Box
from pipeline.watcher.main_picture import main_picture

QUALITY = 85  # of the JPEGs: 20 to 40 kB and 60 to 120 kB of a street by day
SAME_NS = 150_000_000  # a walking person is still within the crop, which has a fifth of room on each side
FETCH_S = 2.0  # a GOP of 1080p takes a quarter of a CPU second; the best frame changes some times an event

Fetch = Callable[[int], tuple[int, Picture] | None]


@dataclass(frozen=True, slots=True)
class Made:
    """Both JPEGs, and what the crop shows; empty and None without a picture."""

    note: PictureNote | None = None
    crop: bytes = b""
    whole: bytes = b""


class Pictures:
    """Of one event. `fetch` gives the main stream's picture nearest to a time, or None."""

    def __init__(self, fetch: Fetch | None) -> None:
        self._fetch = fetch
        self._source: tuple[int, int] | None = None
        self._made = Made()
        self._fetched_s = 0.0

    def of(self, best: BestPicture | None) -> Made:
        """The JPEGs of the best frame now."""
        if best is None or (best.note.at_ns, best.note.object) == self._source:
            return self._made
        self._source = (best.note.at_ns, best.note.object)
        self._made = self._of_main(best) or Made(
            best.note,
            best.crop.jpeg(WHOLE, CROP_PIXELS, QUALITY),
            best.whole.jpeg(WHOLE, WHOLE_PIXELS, QUALITY),
        )
        return self._made

    def _of_main(self, best: BestPicture) -> Made | None:
        """Those of the main stream, where there is one and it shows the same moment."""
        if self._fetch is None or time.monotonic() - self._fetched_s < FETCH_S:
            return None
        self._fetched_s = time.monotonic()
        found = self._fetch(best.note.at_ns)
        if found is None or abs(found[0] - best.note.at_ns) > SAME_NS:
            return None
        at_ns, picture = found
        note = replace(best.note, at_ns=at_ns, width=picture.width, height=picture.height)
        return _made(note, picture, note.crop, picture)


def _made(note: PictureNote, cut: Picture, region: Box, whole: Picture) -> Made:
    crop = cut.jpeg(region, CROP_PIXELS, QUALITY)
    return Made(note, crop, whole.jpeg(WHOLE, WHOLE_PIXELS, QUALITY))


def from_main(tap: Path, wall_ns: Callable[[int], int]) -> Fetch:
    """Fetches from a main stream's tap."""

    def fetch(at_ns: int) -> tuple[int, Picture] | None:
        frame = main_picture(tap, at_ns, wall_ns)
        return (frame.at_ns, frame.picture) if frame else None

    return fetch
