"""Why there is no live picture, by what the browser does next; `status` and `code` are for the API."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import ClassVar

from web.errors import WebError


class LiveError(WebError):
    """Base of what `web.live` raises; the message is one sentence for a person, without what was sent."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    code: ClassVar[str] = "live"


class BadOffer(LiveError):
    """The SDP offer cannot be read, or does not ask for one video to be sent."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_offer"


class BadStreams(LiveError):
    """No streams were asked for, too many, or one whose name cannot be one."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_streams"


class TooManySessions(LiveError):
    """All places are taken: try again later."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "too_many"


class CameraAway(LiveError):
    """Nothing is known of the stream, for its recorder has not been reached: try again later."""

    status = HTTPStatus.CONFLICT
    code = "camera_away"


class NotInTime(LiveError):
    """The answer was not ready within the time limit, or live view is being stopped: try again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not_in_time"


class Reason(StrEnum):
    """Why WebRTC cannot carry a stream."""

    B_FRAMES = "b_frames"
    H265 = "h265"
    NO_H264 = "no_h264"


_SENTENCES = {
    Reason.B_FRAMES: "This stream has B-frames, which WebRTC cannot carry; it plays by MSE.",
    Reason.H265: "This stream is H.265, which is not sent by WebRTC; browsers that know it play it by MSE.",
    Reason.NO_H264: "This browser takes no H.264 by WebRTC; it plays by MSE.",
}


class UseMse(LiveError):
    """WebRTC cannot carry this stream to this browser, for the `reason`: use MSE."""

    status = HTTPStatus.NOT_ACCEPTABLE
    code = "use_mse"

    def __init__(self, reason: Reason) -> None:
        super().__init__(_SENTENCES[reason])
        self.reason = reason
