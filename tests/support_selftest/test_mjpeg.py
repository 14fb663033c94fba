"""The HTTP camera shows pictures, at its pace, to whom it should."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager

import av
import pytest

from tests.support.mjpeg import PICTURES, MjpegCamera, mjpeg_camera, pictures
from tests.support.rtsp import Login


def decoded(url: str, count: int) -> list[tuple[int, int]]:
    """The sizes of so many pictures."""
    with av.open(url, format="mpjpeg", timeout=(5, 5)) as opened:
        return [
            (frame.width, frame.height)
            for frame, _ in zip(opened.decode(video=0), range(count), strict=False)
        ]


@contextmanager
def asked(camera: MjpegCamera) -> Iterator[http.client.HTTPResponse]:
    """The answer to a plain GET."""
    connection = http.client.HTTPConnection("127.0.0.1", camera.port, timeout=0.5)
    connection.request("GET", "/video.mjpeg")
    with connection.getresponse() as response:
        yield response
    connection.close()


def test_pictures_loop_at_their_pace() -> None:
    assert len(pictures(fps=50)) == PICTURES
    with mjpeg_camera(fps=50) as front:
        began = time.monotonic()
        assert decoded(front.url(), PICTURES + 10) == [(640, 360)] * (PICTURES + 10)
        assert 1.0 < time.monotonic() - began < 5


def test_login() -> None:
    with mjpeg_camera(login=Login("eye", "s:cr@t", "basic")) as front:
        for url in (front.url(), front.url("eye", "wrong")):
            with pytest.raises(av.HTTPUnauthorizedError):
                decoded(url, 1)
        assert decoded(front.url("eye", "s:cr@t"), 2)


def test_stall_is_silence_and_resume_ends_it() -> None:
    with mjpeg_camera(fps=25) as front, asked(front) as opened:
        opened.read(20_000)
        front.stall()
        with pytest.raises(TimeoutError):
            opened.read(10_000_000)
        front.resume()
        assert decoded(front.url(), 2)


def test_web_page() -> None:
    with mjpeg_camera(html=True) as front:
        with asked(front) as page:
            assert page.headers["Content-Type"] == "text/html"
            assert b"not a video stream" in page.read()
        with pytest.raises(av.FFmpegError):
            decoded(front.url(), 1)
