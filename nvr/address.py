"""Addresses of cameras: which ones are understood, and what of them may be shown. Pure.

No function here puts a user's password into a message; `shown` is the only form that goes to people and logs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

NETWORK_SCHEMES = ("rtsp", "rtsps", "http", "https")
_DEVICE = re.compile(r"/dev/(?:video\d+|v4l/by-(?:id|path)/[\w:.+-]+)")
_SECRET_ARGUMENT = re.compile(r"(?i)([?&;](?:pass|passwd|password|pwd|token|auth|secret)=)[^&;#]*")
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)\S*@")  # greedy: a password may hold an unescaped / or #
_WANTED = "it must begin with rtsp://, rtsps://, http://, https://, file:///, or be /dev/videoN"


@dataclass(frozen=True, slots=True)
class SplitAddress:
    """An address without credentials, and the credentials that stood in it (empty when none did)."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)


def check_address(text: str) -> None:
    """Raises `ValueError` with a sentence (never with the address) when no source could open this."""
    if text.startswith("/dev/"):
        if not _DEVICE.fullmatch(text):
            raise ValueError("is not a video device; write it like /dev/video0")
        return
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in (*NETWORK_SCHEMES, "file"):
        raise ValueError(f"is not an address of a camera; {_WANTED}")
    if any(character.isspace() and character != " " for character in text):
        raise ValueError("has a line break or tab in it")
    if scheme.lower() == "file":
        if not rest.startswith("/"):
            raise ValueError("names no absolute file; write it like file:///srv/clip.mp4")
        return
    _check_host(text)


def _check_host(text: str) -> None:
    try:
        parts = urlsplit(text)
        port_is_right = parts.port != 0
    except ValueError:
        raise ValueError("has a port or host that cannot be right") from None
    if not parts.hostname:
        raise ValueError("names no host; write it like rtsp://192.168.1.20/stream1")
    if not port_is_right or " " in text:
        raise ValueError("has a port of 0 or a space in it; write a space as %20")


def split_credentials(url: str) -> SplitAddress:
    """Takes user and password out of an address that passed `check_address`."""
    if "://" not in url or url.startswith("file:"):
        return SplitAddress(url)
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    userinfo, at, _host = authority.rpartition("@")
    if not at:
        return SplitAddress(url)
    user, _, password = userinfo.partition(":")
    return SplitAddress(f"{scheme}://{rest[len(userinfo) + 1 :]}", unquote(user), unquote(password))


def shown(text: str) -> str:
    """Any text with every password in an address taken out: for logs, lists and errors."""
    return _SECRET_ARGUMENT.sub(r"\1…", _USERINFO.sub(r"\1…@", text))
