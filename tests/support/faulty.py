"""A camera of our own that can misbehave on command, and knows what it sent.

    with faulty_camera({"main": clip(audio="aac")}) as front:
        front.url("main")
        front.stall(); front.resume(); front.jump(3600.0); front.switch("main", clip(size="320x180"))
        front.sent                       # every access unit handed to a viewer, with its wall time

RTSP over interleaved TCP only. Each path is one live stream: whoever plays it gets the same bytes at the same
time, cut into RTP packets once, so sixteen viewers cost little more than one. Clips loop with timestamps that
never jump unless told to. Viewers start in the middle of a GOP, as with many real cameras.
As a program: `python -m tests.support.faulty --clip X --port N`.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from tests.support.live import LiveStream, Sent
from tests.support.rtp import read_tracks
from tests.support.rtsp import Login
from tests.support.rtsp_session import Behaviour, Session

Result = TypeVar("Result")
PR_SET_PDEATHSIG = 1
ANSWER_TIMEOUT_S = 10.0


class FaultyCamera:
    """The camera's controls, for any thread but its own. Each returns when it has taken effect."""

    def __init__(self, mounts: Mapping[str, Path], login: Login | None = None, port: int = 0) -> None:
        self.port = port
        self._behaviour = Behaviour(login)
        self._moved = threading.Condition()
        self._streams = {
            path: LiveStream(path, read_tracks(clip), self._moved) for path, clip in mounts.items()
        }
        self._sessions: set[Session] = set()
        self._ready, self._failure = threading.Event(), ""
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    # What it knows

    def url(self, path: str, user: str | None = None, password: str = "") -> str:
        """The URL of a path; with a user, the login stands in it."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user is not None else ""
        return f"rtsp://{login}127.0.0.1:{self.port}/{path}"

    @property
    def sent(self) -> list[Sent]:
        """Every access unit handed to at least one viewer, oldest first (the last 200,000 of each path)."""
        with self._moved:
            return sorted(
                (sent for stream in self._streams.values() for sent in stream.sent),
                key=lambda sent: sent.monotonic_ns,
            )

    @property
    def viewers(self) -> int:
        """How many sessions play now."""
        return sum(len(stream.viewers) for stream in self._streams.values())

    @property
    def skipped(self) -> int:
        """Access units not handed to a viewer that had not read for long: a camera's buffer is small."""
        return sum(stream.skipped for stream in self._streams.values())

    def wait_until(self, reached: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Waits for a condition, tried after each access unit sent; false when time is up."""
        with self._moved:
            return self._moved.wait_for(reached, timeout_s)

    # What it can be told

    def freeze(self) -> None:
        """Nothing is sent and nothing answered, new connections included; all stay open. Ends with `thaw`."""
        self._do(lambda: self._behaviour.freeze())
        self._each(lambda stream: stream.hold(keep=False))

    def thaw(self) -> None:
        """Ends a freeze. What was due meanwhile is lost."""
        self._do(lambda: self._behaviour.thaw())
        self._each(LiveStream.resume)

    def stall(self, *, keep: bool = False) -> None:
        """No more media, but answers. With `keep` it is sent in one burst by `resume`, else lost."""
        self._each(lambda stream: stream.hold(keep))

    def resume(self) -> None:
        """Ends a stall."""
        self._each(LiveStream.resume)

    def reset(self) -> None:
        """Resets every connection (RST); new ones are welcome."""
        self._do(self._reset_all)

    def refuse(self) -> None:
        """Resets every connection and listens no more, until `welcome`."""
        self._do(self._close)
        self.reset()

    def welcome(self) -> None:
        """Listens again, on the same port."""
        assert self._loop
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(ANSWER_TIMEOUT_S)

    def require(self, login: Login | None) -> None:
        """Asks this login (Basic) of every request from now on."""
        self._do(lambda: setattr(self._behaviour, "login", login))

    def answer_html(self, html: bool = True) -> None:
        """Answers every request with a web page."""
        self._do(lambda: setattr(self._behaviour, "html", html))

    def jump(self, seconds: float) -> None:
        """The camera's clock jumps, back if negative: RTP and sender reports alike."""
        self._each(lambda stream: stream.jump(seconds))

    def switch(self, path: str, clip: Path) -> None:
        """Goes on with another clip of the same codecs, from its first keyframe, in the same session."""
        tracks = read_tracks(clip)
        self._do(lambda: self._streams[path].switch(tracks))

    def drop(self, packets: int) -> None:
        """Loses the next RTP packets of each path: their sequence numbers are missing."""
        self._each(lambda stream: setattr(stream, "to_drop", stream.to_drop + packets))

    def duplicate(self, packets: int) -> None:
        """Sends the next RTP packets of each path twice."""
        self._each(lambda stream: setattr(stream, "to_duplicate", stream.to_duplicate + packets))

    # How it runs

    async def run(self) -> None:
        """Serves until `stop`."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._listen()
        except OSError as error:
            self._failure = f"The faulty camera cannot listen on port {self.port}: {error.strerror}."
            return
        finally:
            self._ready.set()
        playing = [asyncio.create_task(stream.play()) for stream in self._streams.values()]
        await self._stop.wait()
        self._close()
        self._reset_all()
        for task in playing:
            task.cancel()

    def wait_ready(self) -> None:
        """Waits until it listens; a RuntimeError says why it does not."""
        if not self._ready.wait(ANSWER_TIMEOUT_S) or self._failure:
            raise RuntimeError(self._failure or "The faulty camera did not start in time.")

    def stop(self) -> None:
        """Ends `run`."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, backlog=64)
            self.port = self._server.sockets[0].getsockname()[1]

    def _reset_all(self) -> None:
        for session in list(self._sessions):
            session.reset()

    def _close(self) -> None:
        if self._server:
            self._server.close()
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(reader, writer, self._behaviour, self._streams)
        self._sessions.add(session)
        try:
            await session.serve()
        finally:
            self._sessions.discard(session)

    def _each(self, change: Callable[[LiveStream], Any]) -> None:
        self._do(lambda: [change(stream) for stream in self._streams.values()])

    def _do(self, change: Callable[[], Result]) -> Result:
        async def changed() -> Result:
            return change()

        assert self._loop, "The faulty camera is not running."
        return asyncio.run_coroutine_threadsafe(changed(), self._loop).result(ANSWER_TIMEOUT_S)


@contextmanager
def faulty_camera(mounts: Mapping[str, Path], *, login: Login | None = None) -> Iterator[FaultyCamera]:
    """A camera in a thread of its own, until the block ends."""
    camera = FaultyCamera(mounts, login)
    thread = threading.Thread(target=lambda: asyncio.run(camera.run()), name="faulty-camera", daemon=True)
    thread.start()
    try:
        camera.wait_ready()
        yield camera
    finally:
        camera.stop()
        thread.join(ANSWER_TIMEOUT_S)


def main() -> None:
    """Serves until SIGTERM or the end of the parent, then prints what it did as one line of JSON."""
    parser = argparse.ArgumentParser(description="A looping RTSP camera for tests and measurements.")
    parser.add_argument("--clip", type=Path, required=True, help="served as /main")
    parser.add_argument("--sub", type=Path, help="served as /sub")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    camera = FaultyCamera(
        {"main": options.clip} | ({"sub": options.sub} if options.sub else {}), port=options.port
    )
    signal.signal(signal.SIGTERM, lambda *_: camera.stop())
    thread = threading.Thread(target=lambda: asyncio.run(camera.run()), name="faulty-camera")
    thread.start()
    try:
        camera.wait_ready()
    except RuntimeError as error:
        sys.exit(str(error))
    print(f"ready {camera.url('main')}", flush=True)
    thread.join()
    print(json.dumps({"units": len(camera.sent), "skipped": camera.skipped}), flush=True)


if __name__ == "__main__":
    main()
