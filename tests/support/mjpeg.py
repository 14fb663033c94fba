"""A cheap camera over HTTP: JPEG pictures as multipart/x-mixed-replace, or a web page instead of video.

    with mjpeg_camera(fps=10, login=Login("eye", "secret", "basic")) as front:
        front.url("eye", "secret")       # http://eye:secret@127.0.0.1:40123/video.mjpeg

The pictures are the street's, made by ffmpeg once; they loop at the pace given until the block ends.
"""

from __future__ import annotations

import base64
import itertools
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

from tests.support.footage import STREET
from tests.support.rtsp import Login

PAGE = b"<!DOCTYPE html><title>Camera</title><p>This is a web page, not a video stream.\n"
START_OF_IMAGE = b"\xff\xd8\xff"
BOUNDARY = "picture"
PICTURES = 50


@lru_cache(maxsize=4)
def pictures(size: str = "640x360", fps: int = 10) -> tuple[bytes, ...]:
    """So many JPEG pictures of the street, one after the other."""
    shape = f"fps={fps},scale={size.replace('x', ':')},setsar=1,format=yuvj420p"
    command = ("ffmpeg", "-v", "error", "-nostdin", "-stream_loop", "-1", "-i", str(STREET), "-vf", shape)
    output = ("-frames:v", str(PICTURES), "-q:v", "5", "-f", "mjpeg", "-")
    made = subprocess.run((*command, *output), capture_output=True, timeout=60, check=True).stdout
    return tuple(START_OF_IMAGE + picture for picture in made.split(START_OF_IMAGE)[1:])


class MjpegCamera:
    """A running one. `stall()` keeps connections open and sends nothing more; `resume()` goes on."""

    def __init__(self, fps: int, size: str, login: Login | None, html: bool) -> None:
        self.frames, self.fps = pictures(size, fps), fps
        self.login, self.html = login, html
        self.ended, self.flowing = threading.Event(), threading.Event()
        self.flowing.set()
        self.server = _Server(self)
        self.port = self.server.server_address[1]

    def url(self, user: str | None = None, password: str = "") -> str:
        """Where it is; with a user, the login stands in it."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user is not None else ""
        return f"http://{login}127.0.0.1:{self.port}/video.mjpeg"

    def stall(self) -> None:
        """Sends no more pictures."""
        self.flowing.clear()

    def resume(self) -> None:
        """Ends a stall."""
        self.flowing.set()

    def is_let_in(self, authorization: str | None) -> bool:
        """Whether a request shows the login, by Basic authentication."""
        if self.login is None:
            return True
        expected = base64.b64encode(f"{self.login.user}:{self.login.password}".encode()).decode()
        return authorization == f"Basic {expected}"


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them: `ended` lets them go
    block_on_close = True

    def __init__(self, camera: MjpegCamera) -> None:
        self.camera = camera
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        camera = self.server.camera
        if not camera.is_let_in(self.headers.get("Authorization")):
            self.send_response(HTTPStatus.UNAUTHORIZED)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif camera.html:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)
        else:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            self.end_headers()
            self._send_pictures(camera)

    def _send_pictures(self, camera: MjpegCamera) -> None:
        for picture in itertools.cycle(camera.frames):
            head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + picture + b"\r\n")
            except OSError:
                return  # the viewer went away
            while not camera.flowing.wait(0.1) and not camera.ended.is_set():
                pass
            if camera.ended.wait(1 / camera.fps):
                return

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a test's output is for its failures."""


@contextmanager
def mjpeg_camera(
    *, fps: int = 10, size: str = "640x360", login: Login | None = None, html: bool = False
) -> Iterator[MjpegCamera]:
    """An HTTP camera in threads of its own, until the block ends."""
    camera = MjpegCamera(fps, size, login, html)
    thread = threading.Thread(target=camera.server.serve_forever, args=(0.05,), name="mjpeg-camera")
    thread.start()
    try:
        yield camera
    finally:
        camera.ended.set()
        camera.server.shutdown()
        thread.join(10)
        camera.server.server_close()
