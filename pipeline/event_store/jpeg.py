"""What is needed of JPEG files (ITU-T T.81, annex B): where one ends, its comments. Pure; decodes nothing.

Rules:
- A comment stands behind the application segments, where every reader expects it, and changes no picture.
- What does not have a JPEG's structure up to its end raises `NotAJpeg`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_COMMENT = 65_533  # its length, of two bytes, counts itself
_SOI, _EOI, _SOS, _COM, _TEM = 0xD8, 0xD9, 0xDA, 0xFE, 0x01
_APPLICATIONS = range(0xE0, 0xF0)
_RESTARTS = range(0xD0, 0xD8)


class NotAJpeg(ValueError):
    """The bytes are no JPEG; the message says why."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """A marker at `at` and what belongs to it, up to before `end`."""

    marker: int
    at: int
    end: int


def end_of(data: bytes, at: int = 0) -> int:
    """Where the JPEG that begins at `at` ends. Raises NotAJpeg."""
    for segment in _segments(data, at):
        if segment.marker == _EOI:
            return segment.end
    raise NotAJpeg("it breaks off")


def comments(data: bytes, at: int = 0) -> list[bytes]:
    """The comments of the JPEG that begins at `at`, in order. Raises NotAJpeg."""
    return [data[one.at + 4 : one.end] for one in _segments(data, at) if one.marker == _COM]


def with_comment(data: bytes, comment: bytes) -> bytes:
    """The JPEG with one comment more. Raises NotAJpeg, also for a comment that is too long."""
    if len(comment) > LONGEST_COMMENT:
        raise NotAJpeg("a comment has at most 65,533 bytes")
    place = 2
    for segment in _segments(data, 0):
        if segment.marker not in (_SOI, *_APPLICATIONS):
            break
        place = segment.end
    head = bytes([0xFF, _COM]) + (len(comment) + 2).to_bytes(2, "big")
    return data[:place] + head + comment + data[place:]


def _segments(data: bytes, at: int) -> Iterator[_Segment]:
    """All of one JPEG, EOI the last. Raises NotAJpeg."""
    if data[at : at + 2] != bytes([0xFF, _SOI]):
        raise NotAJpeg("it does not begin like a JPEG")
    yield _Segment(_SOI, at, at + 2)
    at += 2
    while True:
        marker, behind = _marker(data, at)
        if marker == _EOI:
            yield _Segment(marker, at, behind)
            return
        end = behind if marker == _TEM else behind + _length(data, behind)
        if marker == _SOS:
            end = _end_of_scan(data, end)
        yield _Segment(marker, at, end)
        at = end


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, which bytes 0xFF may fill up, and where it ends."""
    behind = at + 1
    while data[behind : behind + 1] == b"\xff":
        behind += 1
    if data[at : at + 1] != b"\xff" or behind >= len(data):
        raise NotAJpeg(f"there is no marker at byte {at}")
    marker = data[behind]
    if marker in (0x00, _SOI, *_RESTARTS):
        raise NotAJpeg(f"a marker at byte {at} cannot stand there")
    return marker, behind + 1


def _length(data: bytes, at: int) -> int:
    length = int.from_bytes(data[at : at + 2], "big")
    if length < 2 or at + length > len(data):
        raise NotAJpeg("it breaks off")
    return length


def _end_of_scan(data: bytes, at: int) -> int:
    """Where entropy-coded data that goes on at `at` ends: at the next marker that is no restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise NotAJpeg("it breaks off")
        following = data[at + 1]
        if following == 0xFF:
            at += 1
        elif following == 0x00 or following in _RESTARTS:
            at += 2
        else:
            return at
