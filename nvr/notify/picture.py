"""The picture that goes along where the user allows it: cut out around what was found, small."""

from __future__ import annotations

from pipeline.event.nouns import BestPicture

LONGEST = 640  # pixels: enough for a phone's notification


def jpeg_of(best: BestPicture) -> bytes:
    """A JPEG of the event's best frame."""
    return best.picture.jpeg(best.note.crop, LONGEST)
