"""One connection to the faulty camera: RTSP requests in, answers out (RFC 2326, interleaved TCP only)."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.live import LiveStream, Viewer
from tests.support.rtsp import Login

PAGE = b"<!DOCTYPE html><title>Camera</title><p>This is a web page, not a video stream.\n"
REASONS = {
    200: "OK",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    461: "Unsupported Transport",
}
SESSION = "Session: 4711;timeout=60"


class Behaviour:
    """What all connections of one camera have in common at this moment."""

    def __init__(self, login: Login | None) -> None:
        self.login = login
        self.html = False
        self.thawed = asyncio.Event()
        self.thawed.set()

    def freeze(self) -> None:
        """No request is answered any more."""
        self.thawed.clear()

    def thaw(self) -> None:
        """Requests are answered again, those that came meanwhile first."""
        self.thawed.set()


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)

    @property
    def path(self) -> str:
        """Without scheme, host and slashes at the ends."""
        return self.url.partition("://")[2].partition("/")[2].split("?")[0].strip("/")


class Session:
    """Answers one connection's requests until it ends."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        behaviour: Behaviour,
        streams: Mapping[str, LiveStream],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._behaviour, self._streams = behaviour, streams
        self._set_up: set[int] = set()
        self._viewer: Viewer | None = None
        self._stream: LiveStream | None = None

    async def serve(self) -> None:
        """Returns when the connection has ended, however it did."""
        try:
            while (request := await self._request()) is not None:
                await self._behaviour.thawed.wait()
                self._answer(request)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # gone, or no RTSP: either way there is nobody to answer
        finally:
            self._leave()
            self._writer.close()

    def reset(self) -> None:
        """Ends the connection with RST, unless it is ending already."""
        if self._writer.transport.is_closing():
            return
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _request(self) -> Request | None:
        """The next request, past the viewer's own RTCP; `None` at the end."""
        while (first := await self._reader.read(1)) == b"$":
            head = await self._reader.readexactly(3)
            await self._reader.readexactly(int.from_bytes(head[1:], "big"))
        if not first:
            return None
        text = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = text.strip().split("\r\n")
        headers = dict(header.split(":", 1) for header in lines if ":" in header)
        method, url, _ = f"{line}  ".split(" ", 2)
        return Request(method, url, {name.lower(): value.strip() for name, value in headers.items()})

    def _answer(self, request: Request) -> None:
        if self._behaviour.html:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n\r\n"
            self._writer.write(head.encode() + PAGE)
            self._writer.close()
        elif request.method == "OPTIONS":
            self._reply(request, 200, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif not self._is_let_in(request):
            self._reply(request, 401, 'WWW-Authenticate: Basic realm="camera"')
        else:
            handler = {"DESCRIBE": self._describe, "SETUP": self._setup, "PLAY": self._play}
            handler.get(request.method, self._acknowledge)(request)

    def _is_let_in(self, request: Request) -> bool:
        login = self._behaviour.login
        if login is None:
            return True
        expected = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {expected}"

    def _describe(self, request: Request) -> None:
        stream = self._streams.get(request.path)
        if stream is None:
            self._reply(request, 404)
            return
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"]
        for index, playing in enumerate(stream.tracks):
            track = playing.track
            lines.append(f"m={track.kind} 0 RTP/AVP {track.payload_type}")
            lines += [f"a={line}" for line in track.description]
            lines.append(f"a=control:track{index}")
        base = f"Content-Base: {request.url.rstrip('/')}/"
        self._reply(
            request, 200, base, "Content-Type: application/sdp", body="\r\n".join([*lines, ""]).encode()
        )

    def _setup(self, request: Request) -> None:
        path, _, track = request.path.rpartition("/track")
        stream = self._streams.get(path)
        if "TCP" not in request.headers.get("transport", ""):
            self._reply(request, 461)
        elif stream is None or not track.isdigit() or int(track) >= len(stream.tracks):
            self._reply(request, 404)
        else:
            channel = stream.tracks[int(track)].channel
            self._set_up.add(channel)
            transport = f"Transport: RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
            self._reply(request, 200, transport, SESSION)

    def _play(self, request: Request) -> None:
        stream = self._streams.get(request.path)
        if stream is None or not self._set_up:
            self._reply(request, 454)
            return
        self._reply(request, 200, SESSION, "Range: npt=now-")
        self._leave()
        self._stream, self._viewer = stream, Viewer(self._writer.transport, tuple(self._set_up))
        stream.join(self._viewer)

    def _acknowledge(self, request: Request) -> None:
        """Keep-alives, and TEARDOWN."""
        if request.method == "TEARDOWN":
            self._leave()
        self._reply(request, 200, SESSION)

    def _leave(self) -> None:
        if self._stream and self._viewer:
            self._stream.leave(self._viewer)
        self._stream = self._viewer = None

    def _reply(self, request: Request, status: int, *headers: str, body: bytes = b"") -> None:
        number = request.headers.get("cseq", "0")
        size = [f"Content-Length: {len(body)}"] if body else []
        lines = [f"RTSP/1.0 {status} {REASONS[status]}", f"CSeq: {number}", *headers, *size, "", ""]
        self._writer.write("\r\n".join(lines).encode() + body)
