"""`probe`: what one stream of a camera really sends, watched for a few seconds, for `nvr camera test`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.model import VIDEO_TIMESCALE, Kind, Packet, StreamInfo
from pipeline.source.errors import NotVideo
from pipeline.source.opening import open_source
from pipeline.source.settings import SourceSettings

_NS = 1_000_000_000
_WATCH_NS = 3 * _NS
_FIRST_PICTURE_NS = 30 * _NS


@dataclass(frozen=True, slots=True)
class Probed:
    """What was seen. `keyframe_distance_s` is 0 with fewer than two; `opened_s` is until the first."""

    info: StreamInfo
    fps: float
    bitrate_bps: int
    audio_bitrate_bps: int
    keyframe_distance_s: float
    opened_s: float


def probe(settings: SourceSettings, now_ns: Callable[[], int] = time.monotonic_ns) -> Probed:
    """Watches the stream for about three seconds after its first keyframe. Raises SourceError."""
    began = now_ns()
    seen = _Seen()

    def stop() -> bool:
        return now_ns() > (seen.first_ns + _WATCH_NS if seen.first_ns else began + _FIRST_PICTURE_NS)

    for item in open_source(settings, stop):
        seen.take(item, now_ns)
    if seen.info is None:
        raise NotVideo("no picture came", "the camera answers but sent no keyframe for half a minute")
    return seen.summary(seen.info, (seen.first_ns - began) / _NS)


class _Seen:
    def __init__(self) -> None:
        self.info: StreamInfo | None = None
        self.first_ns = 0
        self._last_ns = 0
        self._bytes = {Kind.VIDEO: 0, Kind.AUDIO: 0}
        self._dts: list[int] = []
        self._keyframes: list[int] = []

    def take(self, item: StreamInfo | Packet, now_ns: Callable[[], int]) -> None:
        """Counts an item."""
        self._last_ns = now_ns()
        if isinstance(item, StreamInfo):
            self.info = item
            return
        self.first_ns = self.first_ns or self._last_ns
        self._bytes[item.kind] += len(item.data)
        if item.kind is Kind.VIDEO:
            self._dts.append(item.dts)
            if item.is_keyframe:
                self._keyframes.append(item.pts)

    def summary(self, info: StreamInfo, opened_s: float) -> Probed:
        """Rates over the media time seen, or the time watched when there is less than two frames."""
        media_s = (self._dts[-1] - self._dts[0]) / VIDEO_TIMESCALE if len(self._dts) > 1 else 0.0
        seconds = media_s if media_s > 0 else max((self._last_ns - self.first_ns) / _NS, 1.0)
        distances = [b - a for a, b in zip(self._keyframes, self._keyframes[1:], strict=False)]
        return Probed(
            info,
            round((len(self._dts) - 1) / media_s, 2) if media_s > 0 else 0.0,
            round(self._bytes[Kind.VIDEO] * 8 / seconds),
            round(self._bytes[Kind.AUDIO] * 8 / seconds),
            round(max(distances) / VIDEO_TIMESCALE, 2) if distances else 0.0,
            round(opened_s, 2),
        )
