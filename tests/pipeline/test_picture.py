"""Pictures: colours, sizes and parts are what FFmpeg's own conversion says."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.frames import picture_of
from pipeline.picture import Picture
from pipeline.scene import WHOLE, Box
from tests.support.footage import clip


@pytest.fixture(scope="module")
def decoded() -> av.VideoFrame:
    """A frame of the street."""
    return _frame(clip(size="320x180", seconds=4))


def _frame(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def test_colours_are_those_of_ffmpeg(decoded: av.VideoFrame) -> None:
    theirs = decoded.to_ndarray(format="rgb24").astype(int)
    ours = picture_of(decoded).rgb().astype(int)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).mean() < 2  # FFmpeg scales colours up in another way


def test_a_region_is_cut_and_scaled(decoded: av.VideoFrame) -> None:
    picture = picture_of(decoded)
    whole = picture.rgb()
    part = picture.rgb(Box(0.25, 0.5, 0.75, 1.0))
    assert part.shape == (90, 160, 3)
    assert np.abs(part.astype(int) - whole[90:180, 80:240]).mean() < 1
    assert picture.rgb(WHOLE, (300, 300)).shape == (300, 300, 3)


@pytest.mark.parametrize(
    "region", [Box(0, 0, 0, 0), Box(1, 1, 1, 1), Box(-3, 0.5, 9, 0.5), Box(0.999, 0, 1, 0.001)]
)
def test_no_region_is_empty(decoded: av.VideoFrame, region: Box) -> None:
    assert picture_of(decoded).rgb(region).size > 0
    assert picture_of(decoded).jpeg(region, 100)[:2] == b"\xff\xd8"


def test_brightness_keeps_its_mean_at_any_width(decoded: av.VideoFrame) -> None:
    picture = picture_of(decoded)
    mean = picture.luma(320).mean()
    for width in (320, 200, 160, 100, 80, 33):
        scaled = picture.luma(width)
        assert scaled.shape == (round(180 * width / 320), width)
        assert abs(float(scaled.mean()) - float(mean)) < 2


def test_a_jpeg_is_as_large_as_asked_and_never_larger_than_its_region(decoded: av.VideoFrame) -> None:
    picture = picture_of(decoded)
    assert _size(picture.jpeg(WHOLE, 100)) == (56, 100)
    assert _size(picture.jpeg(Box(0, 0, 0.5, 0.5), 1000)) == (90, 160)


def _size(jpeg: bytes) -> tuple[int, ...]:
    return _opened(jpeg).shape[:2]


def _opened(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def test_a_jpeg_shows_the_colours(decoded: av.VideoFrame) -> None:
    picture = picture_of(decoded)
    shown = _opened(picture.jpeg(WHOLE, 320, 95))[..., ::-1]
    assert np.abs(shown.astype(int) - picture.rgb()).mean() < 4


def test_rgb_survives_the_way_there_and_back(decoded: av.VideoFrame) -> None:
    pixels = picture_of(decoded).rgb()
    again = Picture.from_rgb(pixels).rgb()
    assert np.abs(again.astype(int) - pixels).max() <= 4


@pytest.mark.parametrize(
    "pixel_format", ["yuvj420p", "yuv422p", "yuv444p", "gray", "yuv420p10le", "nv12", "rgb24"]
)
def test_any_layout_gives_the_same_picture(decoded: av.VideoFrame, pixel_format: str) -> None:
    other = picture_of(decoded.reformat(format=pixel_format, dst_color_range=_range(pixel_format)))
    ours, theirs = picture_of(decoded).rgb().astype(int), other.rgb().astype(int)
    if pixel_format == "gray":
        ours = np.repeat(ours.mean(axis=2, keepdims=True), 3, axis=2).astype(int)
        theirs = np.repeat(theirs.mean(axis=2, keepdims=True), 3, axis=2).astype(int)
    assert np.abs(ours - theirs).mean() < 8


def _range(pixel_format: str) -> str:
    return "JPEG" if pixel_format in ("yuvj420p", "gray", "rgb24") else "MPEG"


def test_a_copy_shows_the_same_in_memory_of_its_own() -> None:
    picture = picture_of(_frame(clip(size="320x180", seconds=4)))
    region = Box(0.25, 0.5, 0.75, 1.0)
    before = picture.rgb(region).astype(int)
    small = cv2.resize(picture.rgb(), (160, 90), interpolation=cv2.INTER_AREA).astype(int)
    crop, whole = picture.copied(region), picture.copied(longest=160)
    assert (crop.width, crop.height, whole.width, whole.height) == (160, 90, 160, 90)
    assert np.abs(crop.rgb().astype(int) - before).mean() < 1
    assert np.abs(whole.rgb().astype(int) - small).mean() < 1
    assert not any(np.shares_memory(one._luma, picture._luma) for one in (crop, whole))
