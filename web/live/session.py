"""One WHEP session: a peer connection that sends one stream. Lives in the loop's thread.

Rules:
- No server is asked for addresses (`iceServers=[]`): only those of this machine are offered.
- H.264 is preferred before the offer is read; otherwise aiortc agrees on VP8 and sends nothing.
- Nothing is received: whatever the peer offers to send is declined, and so is a data channel.
- It closes itself when the peer is gone, has not connected within `CONNECT_S`, or its video track has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiortc.rtcrtpsender
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidStateError, OperationError
from aiortc.sdp import SessionDescription

from pipeline.model import StreamInfo, StreamName
from web.live.carrying import carries_audio
from web.live.errors import BadOffer, NotInTime, Reason, UseMse
from web.live.relays import Relays
from web.live.tracks import OpusTrack, VideoTrack

CONNECT_S = 20.0
# 128 packets are less than one large keyframe: at 2 % loss pictures froze until the next one.
setattr(aiortc.rtcrtpsender, "RTP_HISTORY_SIZE", 1024)  # noqa: B010 - not exported, says mypy
_UNREADABLE = (ValueError, KeyError, IndexError, AttributeError, TypeError, AssertionError)
_REFUSED = (InternalError, InvalidStateError, OperationError)
_GONE = frozenset({"failed", "closed"})


class WhepSession:
    """A viewer by WebRTC. `ended` is called once, in the loop, when it closes, for whatever reason."""

    def __init__(self, owner: str, name: StreamName, ended: Callable[[], object]) -> None:
        self.owner = owner
        self.name = name
        self._ended = ended
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._ours: list[RTCRtpTransceiver] = []
        self._closing: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.has_audio = False

    async def answer(self, relays: Relays, info: StreamInfo, offer: str) -> str:
        """The SDP answer, with all candidates. Raises BadOffer, UseMse, and NotInTime when it was closed."""
        kinds = wanted_kinds(offer)
        self._peer.on("connectionstatechange", self._on_state)
        self._send(VideoTrack(relays, self.name), "video/H264")
        if "audio" in kinds and carries_audio(info):
            self._send(OpusTrack(relays, self.name), "audio/opus")
            self.has_audio = True
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            self._decline_the_rest()
            await self._peer.setLocalDescription()
        except _UNREADABLE:
            raise BadOffer("The offer cannot be read.") from None
        except _REFUSED:
            raise self._refusal() from None
        self._deadline = asyncio.get_running_loop().call_later(CONNECT_S, self._give_up)
        return str(self._peer.localDescription.sdp)

    def close(self) -> asyncio.Task[None]:
        """Begins to end the connection; the task is done when it has ended. A second time does no more."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())
        return self._closing

    async def _close(self) -> None:
        self._ended()
        if self._deadline:
            self._deadline.cancel()
        for transceiver in self._ours:
            if transceiver.sender.track is not None:  # its sender forgets it when it has run
                transceiver.sender.track.stop()
        await self._peer.close()

    def _send(self, track: VideoTrack | OpusTrack, mime_type: str) -> None:
        transceiver = self._peer.addTransceiver(track, direction="sendonly")
        codecs = aiortc.RTCRtpSender.getCapabilities(track.kind).codecs
        transceiver.setCodecPreferences([one for one in codecs if one.mimeType in (mime_type, "video/rtx")])
        self._ours.append(transceiver)
        if track.kind == "video":
            track.on("ended", self.close)

    def _decline_the_rest(self) -> None:
        for transceiver in self._peer.getTransceivers():
            if transceiver not in self._ours:
                transceiver.direction = "inactive"

    def _refusal(self) -> BadOffer | UseMse | NotInTime:
        if self._closing:
            return NotInTime("The session was ended before it began.")
        return UseMse(Reason.NO_H264)

    def _on_state(self) -> None:
        if self._peer.connectionState in _GONE:
            self.close()
        elif self._peer.connectionState == "connected" and self._deadline:
            self._deadline.cancel()

    def _give_up(self) -> None:
        self.close()


def wanted_kinds(offer: str) -> set[str]:
    """The kinds of media that the offer asks for. Raises BadOffer, UseMse."""
    try:
        media = SessionDescription.parse(offer).media
    except _UNREADABLE:
        raise BadOffer("The offer cannot be read.") from None
    if any(one.kind not in ("audio", "video") for one in media):
        raise BadOffer("A viewer gets audio and video, nothing else.")
    asked = [one for one in media if one.direction in ("recvonly", "sendrecv")]
    videos = [one for one in media if one.kind == "video"]
    if len(videos) != 1 or videos[0] not in asked:
        raise BadOffer("The offer must ask for one video to be sent.")
    if not any(codec.mimeType.lower() == "video/h264" for codec in videos[0].rtp.codecs):
        raise UseMse(Reason.NO_H264)
    return {one.kind for one in asked}
