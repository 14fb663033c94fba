"""A decoded picture as its planes, and what is made of it: brightness, colours of a part, a JPEG.

Rules:
- The planes are the decoder's own memory, seen through numpy: nothing is copied until somebody asks, and then
  only the part that is asked for, scaled before it is coloured. A kept picture keeps that memory (3 MB of
  1080p, 12 MB of 4K, and a decoder never gives back what it once needed): what is to stay is `copied`.
- Sizes are pixels; regions are fractions of the picture (`pipeline.scene`).
- OpenCV works in the thread that calls: a watcher has a thread for each camera, and more would only wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.scene import WHOLE, Box

Plane = NDArray[np.uint8]
cv2.setNumThreads(1)

_LEAST = 2  # pixels: a region has at least one of each plane
# Kr and Kb of ITU-R BT.601 and BT.709: the shares of red and blue in the brightness.
_BT601, _BT709 = (0.299, 0.114), (0.2126, 0.0722)


class Picture:
    """Brightness (`width` x `height`) and two colour planes of any lesser size, 8 bits each.

    `full_range` says that black is 0 and white 255, else they are 16 and 235. `is_bt709` names the colours'
    matrix: cameras use BT.709 for high definition and BT.601 below it.
    """

    __slots__ = ("_luma", "_u", "_v", "full_range", "height", "is_bt709", "width")

    def __init__(self, luma: Plane, u: Plane, v: Plane, *, full_range: bool, is_bt709: bool = False) -> None:
        self._luma, self._u, self._v = luma, u, v
        self.height, self.width = luma.shape
        self.full_range, self.is_bt709 = full_range, is_bt709

    @classmethod
    def from_rgb(cls, pixels: Plane) -> Picture:
        """A picture of `pixels`, height x width x 3 (red, green, blue)."""
        kr, kb = _BT601
        kg = 1 - kr - kb
        u, v = 0.5 / (1 - kb), 0.5 / (1 - kr)
        matrix = np.array(
            [
                [kr, kg, kb, 0],
                [-kr * u, -kg * u, (1 - kb) * u, 128],
                [(1 - kr) * v, -kg * v, -kb * v, 128],
            ],
            np.float32,
        )
        luma, blue, red = cv2.split(cv2.transform(pixels, matrix))
        return cls(_bytes(luma), _bytes(blue), _bytes(red), full_range=True)

    def luma(self, width: int) -> Plane:
        """The brightness at that width, the height in proportion; the plane itself where it fits.

        Halved as often as it goes, each pixel the mean of four: fifty times as fast as OpenCV's
        area scaling by other factors (14 us against 0.8 ms for 640x360 and 1920x1080).
        """
        plane = self._luma
        height = max(1, round(self.height * width / self.width))
        while plane.shape[1] >= 2 * width and plane.shape[0] >= 2:
            half = (plane.shape[1] // 2, plane.shape[0] // 2)
            even = plane[: half[1] * 2, : half[0] * 2]
            plane = _bytes(cv2.resize(even, half, interpolation=cv2.INTER_AREA))
        if plane.shape[1] == width:
            return plane
        return _bytes(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR))

    def rgb(self, region: Box = WHOLE, size: tuple[int, int] | None = None) -> Plane:
        """Height x width x 3 of a region, red first, scaled to `size` (width, height) if given."""
        return self._coloured(region, size, _to_rgb(self.full_range, self.is_bt709))

    def jpeg(self, region: Box = WHOLE, longest: int = 640, quality: int = 85) -> bytes:
        """A baseline JPEG of a region: its longer side `longest` pixels at most, never enlarged."""
        size = self._fitted(region, longest)
        matrix = _to_rgb(self.full_range, self.is_bt709)[::-1]  # OpenCV's encoder wants blue first
        written, data = cv2.imencode(
            ".jpg", self._coloured(region, size, matrix), [cv2.IMWRITE_JPEG_QUALITY, quality]
        )
        if not written:
            raise ValueError("the picture could not be written as a JPEG")
        return data.tobytes()

    def copied(self, region: Box = WHOLE, longest: int = 1280) -> Picture:
        """A region in memory of its own: its longer side `longest` pixels at most, never enlarged."""
        wide, high = self._fitted(region, longest)
        half = ((wide + 1) // 2, (high + 1) // 2)
        u, v = (_own(self._cut(region, plane), *half) for plane in (self._u, self._v))
        luma = _own(self._cut(region, self._luma), wide, high)
        return Picture(luma, u, v, full_range=self.full_range, is_bt709=self.is_bt709)

    def _fitted(self, region: Box, longest: int) -> tuple[int, int]:
        """Width and height of a region whose longer side has at most so many pixels."""
        left, top, right, bottom = self._pixels(region, self._luma)
        width, height = right - left, bottom - top
        scale = min(1.0, longest / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))

    def _coloured(self, region: Box, size: tuple[int, int] | None, matrix: NDArray[np.float32]) -> Plane:
        luma = self._cut(region, self._luma)
        wide, high = size or (luma.shape[1], luma.shape[0])
        planes = [_scaled(luma, wide, high)]
        planes += [_scaled(self._cut(region, plane), wide, high) for plane in (self._u, self._v)]
        return _bytes(cv2.transform(cv2.merge(planes), matrix))

    def _cut(self, region: Box, plane: Plane) -> Plane:
        left, top, right, bottom = self._pixels(region, plane)
        return plane[top:bottom, left:right]

    def _pixels(self, region: Box, plane: Plane) -> tuple[int, int, int, int]:
        height, width = plane.shape
        left, right = _span(region.left, region.right, width)
        top, bottom = _span(region.top, region.bottom, height)
        return left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded picture and when it was shown (UTC) and its packet arrived (monotonic clock)."""

    at_ns: int
    arrived_ns: int
    is_keyframe: bool
    picture: Picture


def _bytes(pixels: object) -> Plane:
    """OpenCV's answer with the type that it has: 8 bits in, 8 bits out."""
    return np.asarray(pixels, np.uint8)


def _span(begin: float, end: float, length: int) -> tuple[int, int]:
    """Whole pixels around a span of fractions: inside the plane, and never none."""
    least = min(_LEAST, length)
    first = min(max(int(begin * length), 0), length - least)
    last = min(max(int(np.ceil(end * length)), first + least), length)
    return first, last


def _scaled(plane: Plane, width: int, height: int) -> Plane:
    if plane.shape == (height, width):
        return plane
    shrinks = plane.shape[0] > height * 1.5 or plane.shape[1] > width * 1.5
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return _bytes(cv2.resize(plane, (width, height), interpolation=how))


def _own(plane: Plane, width: int, height: int) -> Plane:
    scaled = _scaled(plane, width, height)
    return scaled.copy() if scaled is plane else scaled


@lru_cache(maxsize=4)
def _to_rgb(full_range: bool, is_bt709: bool) -> NDArray[np.float32]:
    """The 3x4 matrix from Y, U, V to red, green, blue (ITU-R BT.601 and BT.709)."""
    kr, kb = _BT709 if is_bt709 else _BT601
    kg = 1 - kr - kb
    black, luma, chroma = (0, 1.0, 1.0) if full_range else (16, 255 / 219, 255 / 224)
    red, blue = 2 * (1 - kr) * chroma, 2 * (1 - kb) * chroma
    green_u, green_v = blue * kb / kg, red * kr / kg
    rows = [[luma, 0, red], [luma, -green_u, -green_v], [luma, blue, 0]]
    offsets = [-luma * black - 128 * (row[1] + row[2]) for row in rows]
    return np.array([[*row, offset] for row, offset in zip(rows, offsets, strict=True)], np.float32)
