"""Which of a USB camera's modes is recorded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.source import EncodeBudget
from pipeline.source.device_modes import DeviceMode, best_mode, ffmpeg_options

BUDGET = EncodeBudget()
# What a usual USB 2 camera says: raw pictures are slow where they are large, for the cable is.
USUAL = [
    *(DeviceMode("YUYV", 640, 480, fps) for fps in (30.0, 15.0, 5.0)),
    DeviceMode("YUYV", 1280, 720, 10.0),
    DeviceMode("YUYV", 1920, 1080, 5.0),
    *(DeviceMode("MJPG", 640, 480, fps) for fps in (30.0, 15.0)),
    *(DeviceMode("MJPG", 1280, 720, fps) for fps in (30.0, 20.0, 15.0)),
    *(DeviceMode("MJPG", 1920, 1080, fps) for fps in (30.0, 15.0)),
]
SIZES = st.sampled_from([(0, 0), (160, 120), (640, 480), (1280, 720), (1920, 1080), (3840, 2160)])
MODES = st.builds(
    lambda pixel_format, size, fps: DeviceMode(pixel_format, size[0], size[1], fps),
    st.sampled_from(["YUYV", "MJPG", "H264", "NV12", "BA81"]),
    SIZES,
    st.sampled_from([0.0, 5.0, 7.5, 15.0, 30.0, 60.0]),
)


def test_a_usual_camera_gives_jpeg_as_large_and_fast_as_the_budget() -> None:
    assert best_mode(USUAL, BUDGET) == DeviceMode("MJPG", 1280, 720, 15.0)


def test_raw_wins_where_it_is_as_large_and_fast() -> None:
    fast_cable = [*USUAL, DeviceMode("YUYV", 1280, 720, 15.0)]
    assert best_mode(fast_cable, BUDGET) == DeviceMode("YUYV", 1280, 720, 15.0)


def test_a_slow_large_picture_yields_to_a_fast_small_one_only_when_much_slower() -> None:
    raw = [mode for mode in USUAL if mode.pixel_format == "YUYV"]
    assert best_mode(raw, BUDGET) == DeviceMode("YUYV", 1280, 720, 10.0)
    assert best_mode([raw[1], DeviceMode("YUYV", 1280, 720, 2.0)], BUDGET) == raw[1]


def test_the_cameras_own_h264_wins_and_is_not_held_to_the_budget_of_encoding() -> None:
    own = [
        DeviceMode("H264", width, height, 30.0) for width, height in ((640, 360), (1920, 1080), (3840, 2160))
    ]
    assert best_mode([*USUAL, *own], BUDGET) == own[1]


@given(st.lists(MODES))
def test_one_of_the_readable_modes_is_taken_if_there_is_one(modes: list[DeviceMode]) -> None:
    best = best_mode(modes, BUDGET)

    readable = [mode for mode in modes if mode.pixel_format != "BA81"]
    assert best in readable if readable else best is None


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        (
            DeviceMode("YUYV", 1280, 720, 12.5),
            {"input_format": "yuyv422", "video_size": "1280x720", "framerate": "12.5"},
        ),
        (DeviceMode("H264", 640, 480, 0.0), {"input_format": "h264", "video_size": "640x480"}),
        (DeviceMode("MJPG", 0, 0, 0.0), {"input_format": "mjpeg"}),
    ],
)
def test_ffmpeg_is_asked_for_what_the_driver_says_and_no_more(
    mode: DeviceMode, options: dict[str, str]
) -> None:
    assert ffmpeg_options(mode) == options
