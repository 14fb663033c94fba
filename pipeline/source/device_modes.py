"""Which of a USB camera's modes is recorded. Pure: modes in, FFmpeg's options out.

H.264 wins, for it costs nothing. Otherwise the mode that gives the most picture within the budget, and of
equals the one with the least to read, scale and drop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.source.settings import EncodeBudget

# V4L2's names and FFmpeg's. Raw is better than JPEG where both are as large and fast: nothing is lost twice.
_RAW = {"YUYV": "yuyv422", "UYVY": "uyvy422", "NV12": "nv12", "YU12": "yuv420p"}
_FFMPEG_NAMES = {"H264": "h264", **_RAW, "MJPG": "mjpeg", "JPEG": "mjpeg"}
_COPIED = "H264"
_LARGEST_COPIED = (1920, 1080, 30.0)  # what is copied costs disk only, but 4K would be a surprise


@dataclass(frozen=True, slots=True)
class DeviceMode:
    """One thing a camera offers. A size or rate of 0 means that the driver does not say."""

    pixel_format: str  # V4L2's four characters
    width: int
    height: int
    fps: float


def fitted(width: int, height: int, budget: EncodeBudget) -> tuple[int, int]:
    """The largest even size of the same shape within the budget, never larger than the picture."""
    scale = min(1.0, budget.max_width / width, budget.max_height / height)
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def best_mode(modes: Sequence[DeviceMode], budget: EncodeBudget) -> DeviceMode | None:
    """The mode to record; None when none can be read."""
    copied = [mode for mode in modes if mode.pixel_format == _COPIED]
    if copied:
        width, height, fps = _LARGEST_COPIED
        budget = EncodeBudget(width, height, fps)
    readable = copied or [mode for mode in modes if mode.pixel_format in _FFMPEG_NAMES]
    return max(readable, key=lambda mode: _worth(mode, budget), default=None)


def _worth(mode: DeviceMode, budget: EncodeBudget) -> tuple[float, ...]:
    """Pixels a second within the budget first, then as little besides them as can be."""
    width, height = mode.width or 1, mode.height or 1
    fits_width, fits_height = fitted(width, height, budget)
    within = fits_width * fits_height * min(mode.fps or budget.max_fps, budget.max_fps)
    preference = -list(_FFMPEG_NAMES).index(mode.pixel_format)
    return within, -width * height, -mode.fps, preference


def ffmpeg_options(mode: DeviceMode) -> dict[str, str]:
    """What FFmpeg's V4L2 demuxer is asked for."""
    options = {"input_format": _FFMPEG_NAMES[mode.pixel_format]}
    if mode.width and mode.height:
        options["video_size"] = f"{mode.width}x{mode.height}"
    if mode.fps:
        options["framerate"] = f"{mode.fps:g}"
    return options
