"""Why a camera's packets do not come, by what the caller does next.

`reason` is a few words for gap marks and `nvr status`; the message is one sentence for a person. Neither ever
holds an address or a password: PyAV's own exceptions carry the whole URL, so their text is never used.
"""

from __future__ import annotations

from errno import EACCES, EBUSY, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENODEV, ENOENT, ENXIO

import av.error


class SourceError(Exception):
    """What every failure of a source is. Wait a little, then open it again."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason}: {advice}" if advice else reason)
        self.reason = reason
        self.advice = advice


class Unreachable(SourceError):
    """Nobody answers, or not in a way that lets us in: the camera is off, starting, or at another address."""


class Refused(SourceError):
    """The camera wants another user or password."""


class NotVideo(SourceError):
    """The camera answers with something that cannot be recorded."""


class Interrupted(SourceError):
    """It worked and then ended or fell silent: connect anew."""


REFUSED = Refused("wrong user or password", "correct the camera's user and password")
_NO_ANSWER = "check that the camera is on and that its address is right"


def silent() -> Interrupted:
    """The camera holds the connection open but sends nothing."""
    return Interrupted("camera silent", "it keeps the connection open but sends no video")


def ended() -> Interrupted:
    """The connection is gone. For a live stream an end of file is that too."""
    return Interrupted("camera ended the stream")


def while_opening(error: Exception) -> SourceError:
    """What a failure of PyAV before the first packet means."""
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return Refused(REFUSED.reason, REFUSED.advice)
    if isinstance(error, av.error.HTTPNotFoundError):
        return Unreachable("camera has no such stream", "check the path in the camera's address")
    if isinstance(error, (av.error.HTTPClientError, av.error.HTTPServerError)):
        return Unreachable("camera refuses the stream", "it may serve too many viewers already")
    if isinstance(error, (av.error.InvalidDataError, av.error.DemuxerNotFoundError)):
        return NotVideo("no video there", "what answers at this address is not a video stream")
    if isinstance(error, av.error.ProtocolNotFoundError):
        return NotVideo(
            "unknown kind of address", "use rtsp://, rtsps://, http://, https://, file:// or /dev/video0"
        )
    return Unreachable(
        *_UNREACHABLE.get(getattr(error, "errno", None) or 0, ("camera unreachable", _NO_ANSWER))
    )


def while_reading(error: Exception) -> SourceError:
    """What a failure of PyAV after the first packet means."""
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return Refused(REFUSED.reason, REFUSED.advice)
    if getattr(error, "errno", None) == ENODEV:
        return Interrupted(*_UNPLUGGED)
    return Interrupted("connection to the camera broke")


_UNPLUGGED = ("camera unplugged", "plug it in again")
_UNREACHABLE = {
    ECONNREFUSED: ("camera refuses connections", "check its address and port"),
    EHOSTUNREACH: ("no route to the camera", _NO_ANSWER),
    ENETUNREACH: ("no route to the camera", "check this machine's network"),
    EBUSY: ("camera in use", "another program is using it: close that one"),
    ENODEV: _UNPLUGGED,
    ENXIO: _UNPLUGGED,
    ENOENT: ("no such file or device", "check the path, and that a USB camera is plugged in"),
    EACCES: ("not allowed to open the file or device", "give the recorder's user access to it"),
}
