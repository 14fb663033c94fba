"""GStreamer's camera sends what a camera sends, refuses whom it should, and can be killed and frozen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import av
import pytest

from tests.support.certificates import make_certificate
from tests.support.footage import AudioCodec, VideoCodec, clip
from tests.support.rtsp import Login, camera
from tests.support.viewer import open_camera, packets, watch


@pytest.mark.parametrize(
    ("codec", "audio", "b_frames", "expected"),
    [
        ("h264", None, False, {"video": "h264"}),
        ("h264", "aac", False, {"video": "h264", "audio": "aac"}),
        ("h264", "opus", True, {"video": "h264", "audio": "opus"}),
        ("h264", "pcmu", False, {"video": "h264", "audio": "pcm_mulaw"}),
        ("h265", "pcma", True, {"video": "hevc", "audio": "pcm_alaw"}),
    ],
)
def test_serves_every_codec(
    codec: VideoCodec, audio: AudioCodec | None, b_frames: bool, expected: dict[str, str]
) -> None:
    with camera({"main": clip(codec, audio=audio, b_frames=b_frames)}) as front:
        watched = watch(front.url("main"), seconds=1.5)
    assert {kind: name.removeprefix("lib") for kind, name in watched.codecs.items()} == expected
    assert all(step == pytest.approx(0.04, abs=0.002) for step in watched.steps("video")[:-4])
    if audio:
        assert len(watched.of("audio")) > 40


def test_main_and_sub_over_udp() -> None:
    mounts = {"main": clip(audio="aac"), "sub": clip(size="320x180", seconds=4)}
    with camera(mounts) as front:
        for path, audio in (("main", "aac"), ("sub", None)):
            watched = watch(front.url(path), seconds=1, transport="udp")
            assert watched.codecs.get("audio") == audio
            assert len(watched.of("video")) > 20


def test_time_goes_on_over_the_loop_seam() -> None:
    short = clip(size="320x180", seconds=4, audio="aac")
    with camera({"main": short}) as front:
        watched = watch(front.url("main"), seconds=5.5)
    assert all(step == pytest.approx(0.04, abs=0.002) for step in watched.steps("video"))
    # A pause of one audio frame may be hidden in rounding; a seam of the clip's priming would be longer.
    assert all(step == pytest.approx(1024 / 48000, abs=0.002) for step in watched.steps("audio"))
    assert watched.packets[-1].at_s == pytest.approx(5.5, abs=1.0), "it must play at its own pace"


@pytest.mark.parametrize("method", ["basic", "digest"])
def test_lets_in_only_who_gives_the_login(method: Literal["basic", "digest"]) -> None:
    with camera({"main": clip()}, login=Login("eye", "s3cr:t@", method)) as front:
        for url in (
            front.url("main"),
            front.url("main", "eye", "wrong"),
            front.url("main", "you", "s3cr:t@"),
        ):
            with pytest.raises(av.HTTPUnauthorizedError):
                open_camera(url)
        assert watch(front.url("main", "eye", "s3cr:t@"), seconds=0.5).of("video")


def test_tls_is_verified_by_its_own_authority_only(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "others").mkdir()
    ours, others = make_certificate(tmp_path / "ours"), make_certificate(tmp_path / "others")
    with camera({"main": clip(audio="pcmu")}, login=Login("eye", "secret"), tls=ours) as front:
        url = front.url("main", "eye", "secret")
        assert url.startswith("rtsps://")
        assert watch(url, seconds=0.5, ca_file=ours.ca_file).of("audio")
        with pytest.raises(av.FFmpegError):
            open_camera(url, ca_file=others.ca_file)


def test_killed_frozen_and_restarted_on_the_same_port() -> None:
    with camera({"main": clip()}) as front:
        url = front.url("main")
        with open_camera(url) as opened:
            arriving = packets(opened)
            next(arriving)
            front.freeze()
            with pytest.raises(av.FFmpegError):
                watch(url, seconds=1)
            front.thaw()
            thawed = time.monotonic()
            while next(arriving).at_s < 6:
                assert time.monotonic() - thawed < 10
            front.kill()
            assert len(list(arriving)) < 500, "a killed server ends the stream"
        with pytest.raises(av.FFmpegError):
            open_camera(url)
        front.restart()
        assert watch(url, seconds=0.5).of("video")


def test_says_why_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "not-a-clip.mp4").write_bytes(b"<html>")
    with pytest.raises(RuntimeError, match="did not start"), camera({"main": tmp_path / "not-a-clip.mp4"}):
        pass
