"""What a source needs to know of a camera. Values only: validation reads no file and asks no network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote, urlsplit, urlunsplit

Transport = Literal["tcp", "udp"]
NETWORK_SCHEMES = frozenset({"rtsp", "rtsps", "http", "https"})


@dataclass(frozen=True, slots=True)
class EncodeBudget:
    """What encoding may cost when a camera offers no H.264 or H.265.

    Measured on x86-64 with libx264 ultrafast, at 720p15: 0.10 core and 58 MB RSS from raw pictures, 0.11 to
    0.16 core and 60 MB from MJPEG; at 1080p30 0.44 core.
    """

    max_width: int = 1280
    max_height: int = 720
    max_fps: float = 15.0
    nice: int = 10


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One stream of one camera.

    `url` is `rtsp://`, `rtsps://`, `http://`, `https://`, `file:///clip.mp4` (loops) or `/dev/video0`. `user`
    and `password` win over those in the URL. `tls_ca_file` None means the system's authorities. Neither repr
    nor errors show the password.
    """

    url: str = field(repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    transport: Transport = "tcp"
    audio: bool = True
    tls_ca_file: str | None = None
    tls_verify: bool = True
    encode: EncodeBudget = EncodeBudget()

    @property
    def scheme(self) -> str:
        """The URL's scheme in lower case; `device` for a path under /dev."""
        return "device" if self.url.startswith("/dev/") else self.url.partition(":")[0].lower()

    @property
    def path(self) -> str:
        """The path of a clip or device on this machine."""
        return self.url if self.scheme == "device" else unquote(urlsplit(self.url).path)

    def __str__(self) -> str:
        return without_secrets(self.url)

    def url_with_credentials(self) -> str:
        """The URL as FFmpeg wants it, credentials percent-encoded. Never show it."""
        parts = urlsplit(self.url)
        user = self.user or unquote(parts.username or "")
        password = self.password or unquote(parts.password or "")
        host = parts.netloc.rpartition("@")[2]
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
        return urlunsplit((parts.scheme.lower(), login + host, parts.path, parts.query, parts.fragment))


def without_secrets(url: str) -> str:
    """The URL without user, password, query and fragment: cameras take passwords in queries too."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("://")[0] + "://…"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
