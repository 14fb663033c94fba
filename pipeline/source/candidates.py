"""Where common makers put the sub stream beside a main stream: pure, a guess for `nvr camera add` to try.

The patterns are the makers' documented RTSP paths. An address that shows its maker gives that maker's form
first.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# Main to sub, on path and query as one text. All that match are offered, in this order.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"(?i)(/streaming/channels/\d*)01\b", r"\g<1>02"),  # Hikvision, and many that copy it: 101 to 102
    (r"(?i)(/isapi/streaming/channels/\d*)01\b", r"\g<1>02"),
    (r"(?i)(/ch\d+)/main/", r"\g<1>/sub/"),  # older Hikvision: /h264/ch1/main/av_stream
    (r"(?i)([?&]subtype=)0\b", r"\g<1>1"),  # Dahua, Amcrest, Lorex
    (r"(?i)(preview_\d+_)main\b", r"\g<1>sub"),  # Reolink: h264Preview_01_main
    (r"(?i)(/bcs/channel\d+)_main\b", r"\g<1>_sub"),  # Reolink over FLV
    (r"(?i)([?&]stream=channel\d+)_main\b", r"\g<1>_sub"),
    (r"(?i)(/stream)1\b", r"\g<1>2"),  # TP-Link Tapo and VIGI
    (r"(?i)videomain\b", "videoSub"),  # Foscam
    (r"(?i)([?&]stream=)0(?=\.sdp|&|$)", r"\g<1>1"),  # XiongMai
    (r"(?i)(/live/ch\d+_)0\b", r"\g<1>1"),  # Sonoff and others of the same board
    (r"(?i)(/ch0_)0(\.h264)?\b", r"\g<1>1\g<2>"),  # Yi with free firmware
    (r"(?i)(/profile)1\b", r"\g<1>2"),  # Hanwha: /profile1/media.smp
    (r"(?i)(/live)0\b", r"\g<1>1"),
    (r"(?i)(/ch)0(\d)/0\b", r"\g<1>0\g<2>/1"),
    (r"(?i)(?<![a-z])main(?![a-z])", "sub"),  # /main, /cam_main, /live/main
)
_AXIS_PATH = "/axis-media/media.amp"
_AXIS_SUB = "resolution=640x360"
_UBIQUITI_PORT = 7447  # each quality has a token of its own there, so nothing can be guessed


def sub_stream_candidates(url: str) -> list[str]:
    """Addresses that may be the sub stream of `url`, likeliest first; [] when nothing can be guessed.

    Credentials in `url` stay in the results.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return []
    if parts.scheme.lower() not in ("rtsp", "rtsps", "http", "https") or port == _UBIQUITI_PORT:
        return []
    local = parts.path + (f"?{parts.query}" if parts.query else "")
    found = [*_axis(local), *_ubiquiti(local)]
    found += [re.sub(pattern, sub, local) for pattern, sub in _PATTERNS if re.search(pattern, local)]
    return [
        urlunsplit((parts.scheme, parts.netloc, "", "", "")) + path
        for path in dict.fromkeys(found)
        if path != local
    ]


def _axis(local: str) -> list[str]:
    """Axis has one address; its query picks the picture."""
    path, _, query = local.partition("?")
    if path.lower() != _AXIS_PATH:
        return []
    kept = [part for part in query.split("&") if part and not part.lower().startswith("resolution=")]
    return [f"{path}?{'&'.join([*kept, _AXIS_SUB])}"]


def _ubiquiti(local: str) -> list[str]:
    """Ubiquiti cameras on their own: /s0 high, /s1 medium, /s2 low."""
    found = re.fullmatch(r"/s0", local)
    return ["/s2", "/s1"] if found else []
