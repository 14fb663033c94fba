"""The faulty camera misbehaves exactly as told, sends what it says, and is cheap."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import av
import pytest

from tests.support.faulty import FaultyCamera, faulty_camera
from tests.support.footage import AudioCodec, VideoCodec, clip
from tests.support.rtsp import Login
from tests.support.viewer import Arrived, open_camera, packets, watch

SMALL = "320x180"


def until(arriving: Iterator[Arrived], pts_s: float) -> list[Arrived]:
    """Video packets up to a camera time."""
    seen = []
    for packet in arriving:
        if packet.kind == "video" and packet.pts_s is not None:
            seen.append(packet)
            if packet.pts_s >= pts_s:
                break
    return seen


@pytest.fixture
def front() -> Iterator[FaultyCamera]:
    """A camera with short loops."""
    with faulty_camera({"main": clip(audio="aac", size=SMALL, seconds=4)}) as camera:
        yield camera


@pytest.mark.parametrize(
    ("codec", "audio", "b_frames", "expected"),
    [
        ("h264", None, False, {"video": "h264"}),
        ("h264", "aac", False, {"video": "h264", "audio": "aac"}),
        ("h264", "opus", True, {"video": "h264", "audio": "opus"}),
        ("h265", "pcma", True, {"video": "hevc", "audio": "pcm_alaw"}),
    ],
)
def test_pictures_decode_and_times_are_even(
    codec: VideoCodec, audio: AudioCodec | None, b_frames: bool, expected: dict[str, str]
) -> None:
    with faulty_camera({"main": clip(codec, audio=audio, b_frames=b_frames)}) as camera:
        watched = watch(camera.url("main"), seconds=1.8)
        with open_camera(camera.url("main")) as opened:
            pictures = [frame.width for frame, _ in zip(opened.decode(video=0), range(10), strict=False)]
    assert {kind: name.removeprefix("lib") for kind, name in watched.codecs.items()} == expected
    assert pictures == [640] * 10
    assert all(step == pytest.approx(0.04, abs=0.001) for step in watched.steps("video")[4:-4])
    assert len(watched.of("video")) > 40


def test_time_goes_on_over_the_loop_seam(front: FaultyCamera) -> None:
    watched = watch(front.url("main"), seconds=5.0)
    assert all(step == pytest.approx(0.04, abs=0.001) for step in watched.steps("video"))
    assert all(step == pytest.approx(1024 / 48000, abs=0.001) for step in watched.steps("audio"))


def test_knows_what_it_sent(front: FaultyCamera) -> None:
    watched = watch(front.url("main"), seconds=1.5)
    for kind in ("video", "audio"):
        sent = [record.unit.data for record in front.sent if record.unit.kind == kind]
        arrived = [bytes(packet.data) for packet in watched.of(kind)][2:]
        if kind == "video":
            sent = [data[-64:] for data in sent]
            arrived = [data[-64:] for data in arrived]
        first = sent.index(arrived[0])
        assert sent[first : first + len(arrived)] == arrived
    walls = [record.wall_ns for record in front.sent]
    assert walls == sorted(walls)


def test_nothing_is_recorded_as_sent_while_nobody_watches(front: FaultyCamera) -> None:
    front.wait_until(lambda: False, timeout_s=0.2)
    assert front.sent == []
    assert front.viewers == 0


def test_freeze_answers_nobody_and_thaw_goes_on(front: FaultyCamera) -> None:
    with open_camera(front.url("main")) as opened:
        arriving = packets(opened)
        until(arriving, 0.3)
        front.freeze()
        count = len(front.sent)
        with pytest.raises(av.FFmpegError):
            open_camera(front.url("main"))
        assert len(front.sent) == count
    front.thaw()
    assert watch(front.url("main"), seconds=0.5).of("video")


def test_stall_loses_or_delays(front: FaultyCamera) -> None:
    for keep, lost in ((False, True), (True, False)):
        with open_camera(front.url("main")) as opened:
            arriving = packets(opened)
            until(arriving, 0.4)
            front.stall(keep=keep)
            front.wait_until(lambda: False, timeout_s=1.0)
            front.resume()
            steps = [later.pts_s - sooner.pts_s for sooner, later in pairwise(until(arriving, 2.5))]  # type: ignore[operator]
        assert (max(steps) > 0.9) == lost


def test_reset_refuse_welcome(front: FaultyCamera) -> None:
    with open_camera(front.url("main")) as opened:
        arriving = packets(opened)
        until(arriving, 0.3)
        front.reset()
        assert len(until(arriving, 60)) < 50, "FFmpeg takes a reset for an end"
    with socket.create_connection(("127.0.0.1", front.port), timeout=5) as raw:
        raw.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        assert raw.recv(4096).startswith(b"RTSP/1.0 200 OK")
        front.reset()
        with pytest.raises(ConnectionResetError):
            raw.recv(4096)
    front.refuse()
    with pytest.raises(av.ConnectionRefusedError):
        open_camera(front.url("main"))
    front.welcome()
    assert watch(front.url("main"), seconds=0.5).of("video")


def test_login_html_and_unknown_paths(front: FaultyCamera) -> None:
    front.require(Login("eye", "new", "basic"))
    with pytest.raises(av.HTTPUnauthorizedError):
        open_camera(front.url("main", "eye", "old"))
    assert watch(front.url("main", "eye", "new"), seconds=0.3).of("video")
    front.require(None)
    with pytest.raises(av.HTTPNotFoundError):
        open_camera(front.url("elsewhere"))
    front.answer_html()
    with pytest.raises(av.FFmpegError):
        open_camera(front.url("main"))
    front.answer_html(False)
    assert watch(front.url("main"), seconds=0.3).of("video")


def test_jump_moves_the_timestamps(front: FaultyCamera) -> None:
    with open_camera(front.url("main")) as opened:
        arriving = packets(opened)
        until(arriving, 0.5)
        front.jump(3600)
        jumped = until(arriving, 3600.5)
    steps = [later.pts_s - sooner.pts_s for sooner, later in pairwise(jumped)]  # type: ignore[operator]
    assert max(steps) == pytest.approx(3600.04, abs=0.5)


def test_switch_changes_the_resolution_in_the_session(front: FaultyCamera) -> None:
    with open_camera(front.url("main")) as opened:
        widths = []
        for number, frame in enumerate(opened.decode(video=0)):
            widths.append(frame.width)
            if number == 10:
                front.switch("main", clip(audio="aac"))
            if frame.width == 640 or number > 100:
                break
    assert widths[0] == 320
    assert widths[-1] == 640
    with pytest.raises(ValueError, match="same tracks"):
        front.switch("main", clip())


def test_drop_and_duplicate_change_what_arrives(front: FaultyCamera) -> None:
    with open_camera(front.url("main")) as opened:
        arriving = packets(opened)
        until(arriving, 0.4)
        front.duplicate(3)  # FFmpeg throws away what it knows by its sequence number
        assert len(until(arriving, 0.8)) == pytest.approx(10, abs=3)
        front.drop(40)
        steps = [later.pts_s - sooner.pts_s for sooner, later in pairwise(until(arriving, 2.0))]  # type: ignore[operator]
    assert max(steps) > 0.07


def test_sixteen_viewers_get_everything_for_little() -> None:
    with faulty_camera(
        {"main": clip(audio="aac", bitrate="4M", size="1280x720", fps=30, seconds=4)}
    ) as camera:
        counts: list[int] = []

        def view() -> None:
            counts.append(len(watch(camera.url("main"), seconds=2.0).of("video")))

        viewers = [threading.Thread(target=view) for _ in range(16)]
        for viewer in viewers:
            viewer.start()
        assert camera.wait_until(lambda: camera.viewers == 16)
        for viewer in viewers:
            viewer.join(20)
        assert len(counts) == 16
        assert min(counts) >= 58
        assert camera.skipped == 0
        assert max(record.viewers for record in camera.sent) == 16


def test_as_a_program() -> None:
    command = (sys.executable, "-m", "tests.support.faulty", "--clip", str(clip(size=SMALL, seconds=4)))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready, url = process.stdout.readline().split()
            assert ready == "ready"
            began = time.monotonic()
            assert len(watch(url, seconds=1.0).of("video")) >= 24
            assert time.monotonic() - began < 5
            process.terminate()
            assert '"skipped": 0' in process.stdout.readline()
        finally:
            process.kill()


def test_says_that_its_port_is_taken(front: FaultyCamera) -> None:
    second = FaultyCamera({"main": clip(size=SMALL, seconds=4)}, port=front.port)
    asyncio.run(second.run())
    with pytest.raises(RuntimeError, match="cannot listen on port"):
        second.wait_ready()
