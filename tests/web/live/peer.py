"""A browser, as far as WHEP goes: aiortc as the receiver, which decodes what comes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from tests.web.live.serving import LIMIT_S, until

T = TypeVar("T")


def digest(frame: av.VideoFrame) -> bytes:
    """Of the decoded picture."""
    return sha256(frame.to_ndarray(format="yuv420p").tobytes()).digest()


def pictures_of(clip: Path) -> list[bytes]:
    """The digests of all pictures of a clip."""
    with av.open(str(clip)) as container:
        return [digest(frame) for frame in container.decode(video=0)]


class Peer:
    """Digests of the pictures, and the number of sound frames, that have been received and decoded."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.pictures: list[bytes] = []
        self.sounds = 0
        self.state = ""
        self._reading: set[asyncio.Task[None]] = set()
        self._peer = self._run(self._make())

    def offer(self, *, audio: bool = False, mime_type: str = "", direction: str = "recvonly") -> str:
        """An SDP offer for a video, of one codec if `mime_type` says so."""
        return self._run(self._offer(audio, mime_type, direction))

    def take(self, answer: str) -> None:
        """The answer to the offer."""
        self._run(self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer")))

    def wait(self, pictures: int) -> None:
        """Until so many pictures have come."""
        until(lambda: len(self.pictures) >= pictures)

    def close(self) -> None:
        """Hangs up."""
        self._run(self._peer.close())
        self._run(self._read_to_the_end())

    async def _make(self) -> RTCPeerConnection:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        peer.on("track", self._on_track)
        peer.on("connectionstatechange", lambda: setattr(self, "state", peer.connectionState))
        return peer

    async def _offer(self, audio: bool, mime_type: str, direction: str) -> str:
        video = self._peer.addTransceiver("video", direction=direction)
        if mime_type:
            known = RTCRtpReceiver.getCapabilities("video")
            assert known is not None
            video.setCodecPreferences([one for one in known.codecs if one.mimeType == mime_type])
        if audio:
            self._peer.addTransceiver("audio", direction=direction)
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._reading.add(self._loop.create_task(self._read(track)))

    async def _read(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    self.pictures.append(digest(frame))
                else:
                    self.sounds += 1
        except MediaStreamError:
            return

    async def _read_to_the_end(self) -> None:
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)


@contextmanager
def peer_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop in which peers live, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="peers")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
