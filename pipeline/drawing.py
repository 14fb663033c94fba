"""Pictures for people who try model and zones: read from a file, and drawn on. Nothing here is sealed.

Rules: only `nvr detect` uses it, for files that its user names. What the watcher keeps has nothing drawn on
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.picture import Picture
from pipeline.scene import Detection, Point, Polygon

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]
FOUND, ZONE, MASK, LINE = (230, 60, 40), (40, 200, 80), (120, 120, 120), (250, 200, 40)
LONGEST = 1920
LEAST = 16  # pixels: below this nothing can be found
LARGEST_BYTES = 256 * 1024 * 1024  # far above any photograph
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def read_picture(path: Path) -> Picture | None:
    """The picture in a file (JPEG, PNG, WebP and what else OpenCV reads), turned as it says; None: it is
    none.

    Raises OSError.
    """
    if path.stat().st_size > LARGEST_BYTES:
        return None  # a long video is not to be read into memory to find that out
    try:
        pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if pixels is None or min(pixels.shape[:2]) < LEAST:
        return None
    return Picture.from_rgb(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8))


def annotated(
    picture: Picture,
    found: Sequence[Detection],
    zones: Sequence[tuple[str, Polygon]] = (),
    masks: Sequence[Polygon] = (),
    lines: Sequence[tuple[str, Point, Point]] = (),
    *,
    ending: str = ".jpg",
) -> bytes:
    """A JPEG (or PNG, by `ending`) with boxes, zones, masks and lines drawn on it; its longer side is at most
    `LONGEST` pixels.
    """
    pixels = picture.rgb(size=_size(picture))
    for mask in masks:
        _area(pixels, mask, "", MASK)
    for name, zone in zones:
        _area(pixels, zone, name, ZONE)
    for name, start, end in lines:
        cv2.arrowedLine(pixels, _at(pixels, start), _at(pixels, end), LINE, 2, tipLength=0.04)
        _text(pixels, name, _at(pixels, start), LINE)
    for one in found:
        corner = _at(pixels, Point(one.box.left, one.box.top))
        cv2.rectangle(pixels, corner, _at(pixels, Point(one.box.right, one.box.bottom)), FOUND, 2)
        _text(pixels, f"{one.label} {one.score:.2f}", corner, FOUND)
    written, data = cv2.imencode(ending, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    if not written:
        raise ValueError("the picture could not be written")
    return data.tobytes()


def _size(picture: Picture) -> tuple[int, int]:
    scale = min(1.0, LONGEST / max(picture.width, picture.height))
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _at(pixels: Pixels, point: Point) -> tuple[int, int]:
    return round(point.x * (pixels.shape[1] - 1)), round(point.y * (pixels.shape[0] - 1))


def _area(pixels: Pixels, polygon: Polygon, name: str, colour: Colour) -> None:
    corners = [_at(pixels, corner) for corner in polygon.corners]
    cv2.polylines(pixels, [np.array(corners, np.int32)], True, colour, 2)
    _text(pixels, name, corners[0], colour)


def _text(pixels: Pixels, text: str, at: tuple[int, int], colour: Colour) -> None:
    """Dark around bright, so that it can be read on anything; never above the picture's edge."""
    place = (at[0] + 3, max(at[1] - 5, 14))
    cv2.putText(pixels, text, place, _FONT, 0.5, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(pixels, text, place, _FONT, 0.5, colour, 1, cv2.LINE_AA)
