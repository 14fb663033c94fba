"""Opens FFmpeg's demuxers: the only module that hands on a URL with its password; it lets no such text out.

Every wait is bounded: no call blocks for longer than TIMEOUT_S. FFmpeg's own log is off, for it prints
addresses.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import av
import av.error
import av.logging
from av.container import InputContainer

from pipeline.source.device import device_options
from pipeline.source.errors import NotVideo, SourceError, Unreachable, while_opening
from pipeline.source.settings import NETWORK_SCHEMES, SourceSettings

TIMEOUT_S = 5
_GENERATE_PTS = 1  # AVFMT_FLAG_GENPTS, which PyAV always sets
# 0.1 s finds what the SDP says and opens ten times faster than the default; the thorough values are for
# streams whose SDP says too little.
_QUICK = {"analyzeduration": "100000", "probesize": "500000"}
_THOROUGH = {"analyzeduration": "3000000", "probesize": "5000000"}
# What a camera may answer over HTTP. No playlists: they would send us to other hosts and files.
_HTTP_FORMATS = "mpjpeg,mjpeg,jpeg_pipe,mpegts,flv,live_flv,h264,hevc,mov,matroska"
_FILE_FORMATS = "mov,matroska,mpegts,avi,flv,h264,hevc,mjpeg,mpeg,asf"
_SYSTEM_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)

av.logging.set_level(None)


def open_container(settings: SourceSettings, *, thorough: bool = False) -> InputContainer:
    """Opens what `settings` names; a USB camera in the mode that the budget makes best.

    Blocks for about 2 * TIMEOUT_S at most. Only a USB camera's driver may block for ever, here and in
    reading: open one in a process that can be ended. Raises SourceError.
    """
    container = _try_open(settings, thorough)
    if isinstance(container, SourceError):
        raise container  # outside of `except`: FFmpeg's error, with the URL in it, must not hang on it
    container.flags &= ~_GENERATE_PTS  # it holds packets back to guess what we work out ourselves
    return container


def _try_open(settings: SourceSettings, thorough: bool) -> InputContainer | SourceError:
    began = time.monotonic()
    try:
        address, container_format, options = _request(settings, thorough)
        return av.open(
            address,
            format=container_format,
            options=options,
            timeout=(TIMEOUT_S, TIMEOUT_S),
            metadata_errors="replace",
        )
    except SourceError as error:
        return error
    except (av.error.FFmpegError, OSError) as error:
        if time.monotonic() - began > TIMEOUT_S * 0.95:  # FFmpeg calls that invalid data
            return Unreachable("camera does not answer", "check that it is on and not overloaded")
        return _explained(error, settings)
    except ValueError:
        return NotVideo("unknown kind of address", "the camera's address cannot be read as a URL")


def _request(settings: SourceSettings, thorough: bool) -> tuple[str, str | None, dict[str, str]]:
    """Address, format and options for FFmpeg."""
    probing = _THOROUGH if thorough else _QUICK
    scheme = settings.scheme
    if scheme == "device":
        return settings.path, "v4l2", device_options(settings.path, settings.encode)
    if scheme == "file":
        if not Path(settings.path).is_file():
            raise Unreachable("no such file", "check the path of the clip")
        # An absolute path with the protocol in front: a name such as "concat:…" is never taken for another
        # protocol.
        return (
            f"file:{settings.path}",
            None,
            {**_THOROUGH, "protocol_whitelist": "file", "format_whitelist": _FILE_FORMATS},
        )
    if scheme in ("rtsp", "rtsps"):
        return (
            settings.url_with_credentials(),
            "rtsp",
            {**probing, **_rtsp_options(settings), **_tls_options(settings)},
        )
    if scheme in NETWORK_SCHEMES:
        return settings.url_with_credentials(), None, {**probing, **_http_options(), **_tls_options(settings)}
    raise NotVideo(
        "unknown kind of address", "use rtsp://, rtsps://, http://, https://, file:// or /dev/video0"
    )


def _rtsp_options(settings: SourceSettings) -> dict[str, str]:
    return {
        # `timeout` bounds the socket, av.open's the whole call; `stimeout` and `rw_timeout` are ignored and
        # hang.
        "timeout": str(TIMEOUT_S * 1_000_000),
        "rtsp_transport": settings.transport,
        # ONVIF metadata is never asked for: it costs packets.
        "allowed_media_types": "video+audio" if settings.audio else "video",
    }


def _http_options() -> dict[str, str]:
    return {
        "format_whitelist": _HTTP_FORMATS,
        "protocol_whitelist": "http,https,tls,tcp",
        "multiple_requests": "0",
    }


def _tls_options(settings: SourceSettings) -> dict[str, str]:
    if settings.scheme not in ("rtsps", "https"):
        return {}
    if not settings.tls_verify:
        return {"tls_verify": "0"}
    if settings.tls_ca_file is not None and not Path(settings.tls_ca_file).is_file():
        raise Unreachable("no such certificate file", "check the path given as tls_ca")
    authorities = settings.tls_ca_file or next((p for p in _SYSTEM_AUTHORITIES if Path(p).is_file()), "")
    return {"tls_verify": "1", "ca_file": authorities}


def _explained(error: Exception, settings: SourceSettings) -> SourceError:
    if settings.scheme in ("rtsps", "https") and isinstance(error, OSError) and _is_tls(error):
        return Unreachable(
            "no encrypted connection",
            "the camera's certificate is not from a known authority: "
            "name it as tls_ca, or set tls_verify = false",
        )
    return while_opening(error)


def _is_tls(error: OSError) -> bool:
    """FFmpeg reports a failed handshake as EIO or as unknown; network errors keep their own numbers."""
    return error.errno is not None and (error.errno < 0 or os.strerror(error.errno) == os.strerror(5))
