"""Looking at a camera before it is added: what it sends, and whether it has a smaller stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from nvr.address import shown
from nvr.errors import NvrError
from pipeline.model import Codec
from pipeline.source import Probed, Refused, SourceError, SourceSettings, probe, sub_stream_candidates

MOST_CANDIDATES = 4  # each may take seconds to fail
_CODECS = {Codec.H264: "H.264", Codec.H265: "H.265", Codec.AAC: "AAC", Codec.OPUS: "Opus"}


@dataclass(frozen=True, slots=True)
class CameraAccess:
    """One stream and how to get at it. The address holds no credentials."""

    url: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    transport: Literal["tcp", "udp"] = "tcp"
    tls_ca: str = ""
    tls_verify: bool = True

    def source(self) -> SourceSettings:
        """As the pipeline is told."""
        return SourceSettings(
            url=self.url,
            user=self.user,
            password=self.password,
            transport=self.transport,
            tls_ca_file=self.tls_ca or None,
            tls_verify=self.tls_verify,
        )


class WrongPassword(NvrError):
    """The camera answers, but lets nobody in with this user and password."""


def look_at(access: CameraAccess, consequence: str) -> Probed:
    """Watches the stream for a few seconds. Raises `NvrError`, with `consequence` at its end."""
    try:
        return probe(access.source())
    except SourceError as fault:
        rest = f" {consequence}." if consequence else ""
        kind = WrongPassword if isinstance(fault, Refused) else NvrError
        raise kind(f"{shown(access.url)}: {fault}.{rest}") from None


def find_sub_stream(access: CameraAccess, size: tuple[int, int], say: Callable[[str], object]) -> str:
    """The address of a stream of this camera with a smaller picture than `size`, "" when none was found."""
    for url in sub_stream_candidates(access.url)[:MOST_CANDIDATES]:
        try:
            probed = probe(replace(access, url=url).source())
        except SourceError:
            continue
        video = probed.info.video
        if video.width * video.height < size[0] * size[1]:
            say(f"  small picture found: {describe(probed)}")
            return url
    return ""


def describe(probed: Probed) -> str:
    """As in `1920×1080 H.264, 25 fps, 4.1 Mbit/s, keyframe every 2 s; sound AAC`."""
    video, audio = probed.info.video, probed.info.audio
    parts = [f"{video.width}×{video.height} {_CODECS[video.codec]}"]
    if probed.fps:
        parts.append(f"{probed.fps:g} fps")
    parts.append(f"{probed.bitrate_bps / 1e6:.1f} Mbit/s")
    if probed.keyframe_distance_s:
        parts.append(f"keyframe every {probed.keyframe_distance_s:g} s")
    sound = f"sound {_CODECS[audio.codec]}" if audio else "no sound"
    note = f" ({probed.info.note})" if probed.info.note else ""
    return f"{', '.join(parts)}; {sound}{note}"
