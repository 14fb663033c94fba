"""`nvr camera` against real cameras: tested, found sub streams, passwords asked for and never shown."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from nvr.config_file import load_config
from nvr.errors import FAULT, USAGE
from tests.support.footage import clip
from tests.support.household import STREET, Household
from tests.support.rtsp import Login, camera

PASSWORD = "hunter2/#of@the porch"
LOGIN = Login("eye", PASSWORD)


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return str(file)


@pytest.mark.slow
def test_a_camera_is_tested_and_its_sub_stream_found(house: Household, password_file: str) -> None:
    comments = house.config.read_text()
    with camera({"stream1": clip(audio="aac"), "stream2": clip(size="320x180")}, login=LOGIN) as front:
        done = house.nvr(
            "camera",
            "add",
            "front",
            front.url("stream1"),
            "--user",
            "eye",
            NVR_CAMERA_PASSWORD_FILE=password_file,
        )
        assert done.returncode == 0, done.stderr
        assert "640×360 H.264, 25 fps" in done.stdout
        assert "sound AAC" in done.stdout
        assert "small picture found: 320×180" in done.stdout
        tested = house.nvr("camera", "test", "front")
        assert "front/main: 640×360" in tested.stdout
        assert "front/sub: 320×180" in tested.stdout
        settings = load_config(house.config).config.cameras["front"]
        assert settings.url == front.url("stream1")
        assert settings.sub == front.url("stream2")
        assert settings.password.get_secret_value() == PASSWORD
        listed = house.nvr("camera", "list")
        as_json = house.nvr("camera", "list", "--json")
    assert house.config.read_text().startswith(comments.rstrip())
    assert house.config.stat().st_mode & 0o777 == 0o600
    for said in (done, tested, listed, as_json):
        assert PASSWORD not in said.stdout + said.stderr


@pytest.mark.slow
def test_a_wrong_password_adds_nothing(house: Household, tmp_path: Path) -> None:
    before = house.config.read_bytes()
    wrong = tmp_path / "wrong"
    wrong.write_text("not-the-password")
    with camera({"stream1": clip()}, login=LOGIN) as front:
        url = front.url("stream1")
        done = house.nvr("camera", "add", "front", url, "--user", "eye", NVR_CAMERA_PASSWORD_FILE=str(wrong))
        nobody = house.nvr("camera", "add", "front", url)
    for said in (done, nobody):
        assert said.returncode == FAULT
        assert "wrong user or password" in said.stderr
        assert "was not added" in said.stderr
        assert "not-the-password" not in said.stderr
    assert house.config.read_bytes() == before


def test_a_password_in_the_address_is_moved_and_said(house: Household) -> None:
    done = house.nvr("camera", "add", "porch", "rtsp://eye:hunter2%21@10.0.0.9:554/x?a=1", "--no-test")
    assert done.returncode == 0
    assert "The password was taken out of the address" in done.stderr
    text = house.config.read_text()
    assert 'url = "rtsp://10.0.0.9:554/x?a=1"' in text
    assert load_config(house.config).config.cameras["porch"].password.get_secret_value() == "hunter2!"
    shown = house.nvr("camera", "list").stdout
    assert "rtsp://10.0.0.9:554/x" in shown
    assert "hunter2" not in shown + done.stdout + done.stderr


def test_every_option_reaches_the_configuration(house: Household, password_file: str, tmp_path: Path) -> None:
    authority = tmp_path / "camera.pem"
    options = ["--transport", "udp", "--no-audio", "--no-test", "--insecure", "--tls-ca", str(authority)]
    words = ["rtsps://10.0.0.9/x", "--sub", "rtsps://eye:hunter2@10.0.0.9/y", "--user", "eye"]
    done = house.nvr("camera", "add", "porch", *words, *options, NVR_CAMERA_PASSWORD_FILE=password_file)
    assert done.returncode == 0, done.stderr
    porch = load_config(house.config).config.cameras["porch"]
    assert (porch.transport, porch.audio, porch.tls_verify, porch.user) == ("udp", False, False, "eye")
    assert (porch.tls_ca, porch.sub) == (str(authority), "rtsps://10.0.0.9/y")


def test_a_video_file_as_a_camera_and_its_removal(house: Household) -> None:
    assert "640×272 H.264" in house.nvr("camera", "add", "street", STREET.as_uri()).stdout
    again = house.nvr("camera", "add", "street", STREET.as_uri())
    assert again.returncode == USAGE
    assert 'There is a camera "street" already' in again.stderr
    assert house.json("camera", "list")["cameras"][0]["url"] == STREET.as_uri()
    assert house.nvr("camera", "remove", "street").returncode == 0
    assert house.json("camera", "list")["cameras"] == []
    assert house.nvr("camera", "remove", "street").returncode == USAGE


@pytest.mark.parametrize(
    ("name", "url", "code", "words"),
    [
        ("Front", "rtsp://10.0.0.9/x", USAGE, "is not a name"),
        ("keys", "rtsp://10.0.0.9/x", USAGE, "the store needs for itself"),
        ("front", "rtsp://eye:hunter2@", USAGE, "names no host"),
        ("front", "camera.local", USAGE, "is not an address of a camera"),
        ("front", "rtsp://eye:hunter2@127.0.0.1:1/x", FAULT, "camera refuses connections"),
        ("front", "file:///nonexistent/hunter2.mp4", FAULT, "no such file"),
    ],
)
def test_what_cannot_be_added_ends_in_one_sentence(
    house: Household, name: str, url: str, code: int, words: str
) -> None:
    before = house.config.read_bytes()
    done = house.nvr("camera", "add", name, url)
    assert done.returncode == code
    assert words in done.stderr.splitlines()[-1]
    assert "eye:hunter2" not in done.stderr
    assert house.config.read_bytes() == before


def test_a_user_without_a_password_needs_somebody_to_ask(house: Household) -> None:
    done = house.nvr("camera", "add", "front", "rtsp://127.0.0.1:1/x", "--user", "eye")
    assert done.returncode == USAGE
    assert "NVR_CAMERA_PASSWORD_FILE" in done.stderr


def test_a_person_is_asked_without_an_echo(house: Household) -> None:
    words = house.command("camera", "add", "front", "rtsp://eye@10.0.0.9/x", "--no-test")
    ours, theirs = os.openpty()
    with subprocess.Popen(
        ["setsid", "--ctty", "--wait", *words], stdin=theirs, stdout=theirs, stderr=theirs
    ) as asking:
        os.close(theirs)
        said = b""
        while b"Password of eye at the camera:" not in said:
            said += os.read(ours, 1000)
        os.write(ours, PASSWORD.encode() + b"\n")
        with contextlib.suppress(OSError):  # EIO: the other side has closed
            while more := os.read(ours, 1000):
                said += more
        assert asking.wait(30) == 0, said
    os.close(ours)
    assert PASSWORD.encode() not in said
    assert load_config(house.config).config.cameras["front"].password.get_secret_value() == PASSWORD


def test_a_file_that_is_no_video(house: Household, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("this is not a video")
    done = house.nvr("camera", "test", (tmp_path / "notes.mp4").as_uri())
    assert done.returncode == FAULT
    assert "no video there" in done.stderr
