"""What a USB camera offers, asked of its driver (V4L2). Without being asked, a camera stays in whatever mode
it was left or made in: 640×480, or five frames a second.

Nothing is set here and no picture is taken, so that a camera which another program uses can be asked too.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from errno import EINVAL, ENODATA, ENOTTY
from typing import Any

from pipeline.source.device_modes import DeviceMode, best_mode, ffmpeg_options
from pipeline.source.errors import NotVideo
from pipeline.source.settings import EncodeBudget

# Layouts and numbers of <linux/videodev2.h>, the same on every machine.
_FORMAT = struct.Struct("=III32s4s16x")
_SIZE = struct.Struct("=I4sI6I8x")
_INTERVAL = struct.Struct("=I4sIII6I8x")
_CAPTURE = 1
_DISCRETE = 1
_MOST = 256  # a driver that never ends its list is not believed
_COMMON_SIZES = ((1920, 1080), (1280, 720), (640, 480))  # asked of a camera that takes any size within limits
_COMMON_RATES = (30.0, 15.0)
_END = frozenset({EINVAL, ENOTTY, ENODATA})


def device_options(path: str, budget: EncodeBudget) -> dict[str, str]:
    """FFmpeg's options for the mode to record. Raises OSError as opening the device does, and NotVideo."""
    device = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        modes = list(offered_modes(device))
    finally:
        os.close(device)
    if not modes:
        raise NotVideo("no video there", "a USB camera has several devices: try the one before this")
    mode = best_mode(modes, budget)
    if mode is None:
        raise NotVideo("unknown kind of video", "the camera gives neither H.264, MJPEG nor plain YUV")
    return ffmpeg_options(mode)


def offered_modes(device: int) -> Iterator[DeviceMode]:
    """Every mode of an open V4L2 device; none when it takes no pictures."""
    for index in range(_MOST):
        answer = _ask(device, 2, _FORMAT, index, _CAPTURE, 0, b"", b"")
        if answer is None:
            return
        pixel_format = bytes(answer[4])
        for width, height in _sizes(device, pixel_format) or [(0, 0)]:
            for fps in _rates(device, pixel_format, width, height) or [0.0]:
                yield DeviceMode(pixel_format.decode("latin-1"), width, height, fps)


def _sizes(device: int, pixel_format: bytes) -> list[tuple[int, int]]:
    sizes: list[tuple[int, int]] = []
    for index in range(_MOST):
        answer = _ask(device, 74, _SIZE, index, pixel_format, *[0] * 7)
        if answer is None:
            break
        kind, least_width, most_width, _, least_height, most_height, _ = answer[2:]
        if kind != _DISCRETE:
            return _within((least_width, least_height), (most_width, most_height))
        sizes.append((least_width, most_width))  # the two fields of the discrete form
    return sizes


def _within(least: tuple[int, int], most: tuple[int, int]) -> list[tuple[int, int]]:
    common = [
        (width, height)
        for width, height in _COMMON_SIZES
        if least[0] <= width <= most[0] and least[1] <= height <= most[1]
    ]
    return common or [most]


def _rates(device: int, pixel_format: bytes, width: int, height: int) -> list[float]:
    rates: list[float] = []
    for index in range(_MOST if width else 0):
        answer = _ask(device, 75, _INTERVAL, index, pixel_format, width, height, *[0] * 7)
        if answer is None:
            break
        kind, numerator, denominator, slow_numerator, slow_denominator, *_ = answer[4:]
        if not numerator or not denominator:
            break
        fastest = denominator / numerator
        if kind != _DISCRETE:
            slowest = slow_denominator / slow_numerator if slow_numerator else 0.0
            return [rate for rate in _COMMON_RATES if slowest <= rate <= fastest] or [fastest]
        rates.append(fastest)
    return rates


def _ask(device: int, number: int, layout: struct.Struct, *values: object) -> tuple[Any, ...] | None:
    """One VIDIOC_ENUM… call; None at the end of a list, or when the driver has none."""
    request = 3 << 30 | layout.size << 16 | ord("V") << 8 | number
    buffer = bytearray(layout.pack(*values))
    try:
        fcntl.ioctl(device, request, buffer)
    except OSError as error:
        if error.errno in _END:
            return None
        raise
    return layout.unpack(buffer)
