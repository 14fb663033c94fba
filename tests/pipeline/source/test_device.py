"""What a driver answers, and what a failing one means. Answers are bytes as Linux lays them out."""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Callable
from errno import EACCES, EBUSY, EINVAL, EIO, ENODEV, ENOENT
from pathlib import Path

import av.error
import pytest

from pipeline.source import EncodeBudget, Interrupted, NotVideo, Unreachable
from pipeline.source.device import device_options, offered_modes
from pipeline.source.device_modes import DeviceMode
from pipeline.source.errors import while_opening, while_reading

ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B
Answers = dict[int, list[bytes]]


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answers], None]:
    """Lets a driver answer: for each request a list, of which it says its index and then EINVAL.

    A stand-in, for machines that run tests have no device; the layouts were tried with Linux's `vivid`.
    """

    def answer_with(answers: Answers) -> None:
        def ioctl(device: int, request: int, buffer: bytearray) -> int:
            (index,) = struct.unpack_from("=I", buffer)
            said = answers.get(request, [])
            if index >= len(said):
                raise OSError(EINVAL, "Invalid argument")
            assert len(buffer) == request >> 16 & 0x3FFF  # or the kernel would write beyond it
            offset = {ENUM_FMT: 44, ENUM_FRAMESIZES: 8, ENUM_FRAMEINTERVALS: 16}[request]
            buffer[offset : offset + len(said[index])] = said[index]
            return 0

        monkeypatch.setattr(fcntl, "ioctl", ioctl)

    return answer_with


def test_sizes_and_rates_of_a_list(driver: Callable[[Answers], None]) -> None:
    driver(
        {
            ENUM_FMT: [b"YUYV", b"MJPG"],
            ENUM_FRAMESIZES: [struct.pack("=III", 1, 640, 480), struct.pack("=III", 1, 1280, 720)],
            ENUM_FRAMEINTERVALS: [struct.pack("=III", 1, 1, 30), struct.pack("=III", 1, 2, 25)],
        }
    )
    assert list(offered_modes(0)) == [
        DeviceMode(pixel_format, width, height, fps)
        for pixel_format in ("YUYV", "MJPG")
        for width, height in ((640, 480), (1280, 720))
        for fps in (30.0, 12.5)
    ]


def test_sizes_and_rates_between_limits(driver: Callable[[Answers], None]) -> None:
    driver(
        {
            ENUM_FMT: [b"NV12"],
            ENUM_FRAMESIZES: [struct.pack("=I6I", 3, 32, 1600, 16, 32, 1200, 16)],
            ENUM_FRAMEINTERVALS: [struct.pack("=I6I", 2, 1, 60, 1, 1, 1, 60)],
        }
    )
    assert list(offered_modes(0)) == [
        DeviceMode("NV12", width, height, fps)
        for width, height in ((1280, 720), (640, 480))
        for fps in (30.0, 15.0)
    ]


def test_a_driver_that_says_little(driver: Callable[[Answers], None]) -> None:
    driver({ENUM_FMT: [b"MJPG"]})
    assert list(offered_modes(0)) == [DeviceMode("MJPG", 0, 0, 0.0)]


def test_a_driver_that_never_ends_its_list(driver: Callable[[Answers], None]) -> None:
    driver({ENUM_FMT: [b"MJPG"] * 100_000})
    assert len(list(offered_modes(0))) < 1000


@pytest.mark.parametrize(
    ("formats", "says"),
    [([], "try the one before"), ([b"BA81"], "neither H.264, MJPEG nor plain YUV")],
)
def test_a_device_without_pictures_that_can_be_read(
    driver: Callable[[Answers], None], tmp_path: Path, formats: list[bytes], says: str
) -> None:
    driver({ENUM_FMT: formats})
    node = tmp_path / "video1"
    node.touch()
    with pytest.raises(NotVideo, match=says):
        device_options(str(node), EncodeBudget())


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (EBUSY, "camera in use"),
        (ENODEV, "camera unplugged"),
        (ENOENT, "no such file or device"),
        (EACCES, "not allowed to open the file or device"),
    ],
)
def test_a_device_that_does_not_open(number: int, reason: str) -> None:
    error = while_opening(OSError(number, "…", "/dev/video0"))
    assert isinstance(error, Unreachable)
    assert error.reason == reason
    assert error.advice


@pytest.mark.parametrize(
    ("number", "reason"), [(ENODEV, "camera unplugged"), (EIO, "connection to the camera broke")]
)
def test_a_device_that_goes_away(number: int, reason: str) -> None:
    error = while_reading(av.error.OSError(number, "…", "/dev/video0"))
    assert isinstance(error, Interrupted)
    assert error.reason == reason
