"""The encoder process: its budget, its output, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.encode import FrameLimit
from pipeline.model import Codec, Packet, StreamInfo
from pipeline.source import EncodeBudget, Interrupted, NotVideo, Refused, SourceSettings
from pipeline.source.device_modes import fitted
from tests.support.mjpeg import mjpeg_camera
from tests.support.rtsp import Login
from tests.support.sources import Watched, watch

BUDGET = EncodeBudget()


@given(st.integers(1, 8000), st.integers(1, 8000))
def test_pictures_fit_the_budget_and_keep_their_shape(width: int, height: int) -> None:
    made = fitted(width, height, BUDGET)

    assert made[0] <= BUDGET.max_width
    assert made[1] <= BUDGET.max_height
    assert made[0] % 2 == made[1] % 2 == 0
    assert made[0] <= max(2, width)
    if min(made) > 50:
        assert abs(made[0] / made[1] - width / height) < 0.05 * width / height


@pytest.mark.parametrize(("fps", "passed"), [(10, 100), (15, 150), (25, 150), (30, 150), (60, 150)])
def test_the_frame_limit_passes_what_is_within_it(fps: int, passed: int) -> None:
    limit = FrameLimit(15.0)
    jitter = (0, 900, -700, 300)
    taken = [limit.takes(n * 90000 // fps + jitter[n % 4]) for n in range(fps * 10)]

    assert abs(sum(taken) - passed) <= 2


def test_the_frame_limit_survives_a_jump() -> None:
    limit = FrameLimit(15.0)
    times = [n * 3000 for n in range(90)] + [-(10**9) + n * 3000 for n in range(90)]

    assert abs(sum(limit.takes(pts) for pts in times) - 90) <= 3


def decoded(watched: Watched) -> list[tuple[int, int]]:
    """Sizes of all pictures, by FFmpeg's decoder with our configuration alone."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = watched.infos[0].video.extradata
    frames = [f for p in watched.video for f in decoder.decode(av.Packet(p.data))]
    return [(f.width, f.height) for f in [*frames, *decoder.decode(None)]]


def test_an_mjpeg_camera_becomes_h264_at_the_pace_of_its_pictures() -> None:
    with mjpeg_camera(fps=10, login=Login("eye", "s:/@", "basic")) as front:
        watched = watch(SourceSettings(front.url(), "eye", "s:/@"), frames=40)

    assert watched.error is None
    assert isinstance(watched.items[0], StreamInfo)
    assert watched.infos[0].video.codec is Codec.H264
    assert watched.infos[0].note == "video: mjpeg 640x360 encoded to H.264 640x360, at most 15 fps"
    assert decoded(watched) == [(640, 360)] * len(watched.video)
    first, last = watched.video[0], watched.video[-1]
    assert first.is_keyframe
    assert sum(p.is_keyframe for p in watched.video) >= 2
    assert 0.08 < (last.pts - first.pts) / 90000 / (len(watched.video) - 1) < 0.13


def test_a_large_fast_camera_is_held_to_the_budget() -> None:
    budget = EncodeBudget(max_width=320, max_height=320, max_fps=5)
    with mjpeg_camera(fps=25, size="1280x720") as front:
        watched = watch(SourceSettings(front.url(), encode=budget), frames=12)

    assert set(decoded(watched)) == {(320, 180)}
    seconds = (watched.video[-1].pts - watched.video[0].pts) / 90000
    assert (len(watched.video) - 1) / seconds < 6  # and less where the machine has other work


def test_wrong_password_and_web_page() -> None:
    with mjpeg_camera(login=Login("eye", "secret", "basic")) as front:
        assert isinstance(watch(SourceSettings(front.url("eye", "wrong"))).error, Refused)
    with mjpeg_camera(html=True) as front:
        assert isinstance(watch(SourceSettings(front.url())).error, NotVideo)


def test_a_camera_that_goes_away_interrupts() -> None:
    with mjpeg_camera() as front:
        watched = watch(SourceSettings(front.url()), frames=100, at={5: front.ended.set})

    assert isinstance(watched.error, Interrupted)
    assert isinstance(watched.items[-1], Packet)


def run_child(settings: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.encode"],
        input=settings,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_the_process_says_why_it_ends_and_never_a_password(tmp_path: Path) -> None:
    settings = SourceSettings(f"rtsp://me:hunter2@127.0.0.1:1{tmp_path}", password="hunter3")
    done = run_child(json.dumps(asdict(settings)).encode())

    assert json.loads(done.stderr)["kind"] == "Unreachable"
    assert done.returncode == 1
    assert b"hunter" not in done.stdout + done.stderr


def test_the_process_ends_when_nobody_reads() -> None:
    with mjpeg_camera() as front:
        child = subprocess.Popen(
            [sys.executable, "-m", "pipeline.encode"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(asdict(SourceSettings(front.url()))).encode())
        child.stdin.close()
        assert child.stdout.read(4)
        child.stdout.close()
        assert child.wait(20) == 0
