"""What is sealed as an event's thumbnail: two JPEGs, one behind the other. Pure.

    the best frame's crop around what is shown │ the whole frame

Rules:
- Each carries its mark in a comment (COM): where it belongs, and which of both it is. Readers compare it with
  the name, as they do with footage.
- Viewers show the first and pass over what follows; `jpeg.end_of` says where the second begins.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from crypto.signing import canonical
from pipeline.event_store.jpeg import NotAJpeg, comments, end_of, with_comment
from pipeline.model import SegmentMark
from pipeline.names import NotAName, stored_stream_name

__all__ = ["NotAJpeg", "Thumbnail", "parse_thumbnail"]

PREFIX = b"sealed-nvr/thumb/v1\n"
CROP, WHOLE = "crop", "whole"
_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """Both pictures, JPEG, and where they belong. An empty `whole` stands for the same as `crop`."""

    mark: SegmentMark
    crop: bytes = field(repr=False)
    whole: bytes = field(repr=False)

    def __bytes__(self) -> bytes:
        """What is sealed. Raises NotAJpeg."""
        crop = with_comment(self.crop, _comment(self.mark, CROP))
        return crop + with_comment(self.whole or self.crop, _comment(self.mark, WHOLE))


def parse_thumbnail(data: bytes) -> Thumbnail:
    """What was sealed; the pictures keep their comments. Raises NotAJpeg."""
    middle = end_of(data)
    if end_of(data, middle) != len(data):
        raise NotAJpeg("something follows the second picture")
    crop, whole = data[:middle], data[middle:]
    marks = {_mark(crop, CROP), _mark(whole, WHOLE)}
    if len(marks) != 1:
        raise NotAJpeg("the two pictures do not belong together")
    return Thumbnail(marks.pop(), crop, whole)


def _comment(mark: SegmentMark, which: str) -> bytes:
    return PREFIX + canonical(
        {
            "device": mark.device.hex(),
            "camera": mark.name.camera,
            "stream": mark.name.stream,
            "sequence": mark.sequence,
            "start_ms": mark.start_ns // _MS,
            "generation": mark.generation,
            "clock_unsure": mark.clock_unsure,
            "picture": which,
        }
    )


def _mark(picture: bytes, which: str) -> SegmentMark:
    found = [one for one in comments(picture) if one.startswith(PREFIX)]
    if len(found) != 1:
        raise NotAJpeg("it has no mark")
    try:
        noun = json.loads(found[0][len(PREFIX) :])
        name = stored_stream_name(noun["camera"], noun["stream"])
        mark = SegmentMark(
            bytes.fromhex(noun["device"]),
            name,
            noun["sequence"],
            noun["start_ms"] * _MS,
            noun["generation"],
            noun["clock_unsure"],
        )
    except (ValueError, LookupError, TypeError, RecursionError, NotAName):
        raise NotAJpeg("its mark is none") from None
    if noun["picture"] != which or _comment(mark, which) != found[0]:
        raise NotAJpeg("its mark is none")
    return mark
