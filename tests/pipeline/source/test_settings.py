"""Addresses, credentials and the guesses for sub streams."""

from __future__ import annotations

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.source import SourceSettings, sub_stream_candidates, without_secrets
from pipeline.source.errors import while_opening, while_reading

SECRET = "pa/ss:w@rd?#%ß"


def test_credentials_are_percent_encoded() -> None:
    made = SourceSettings("rtsp://10.0.0.2:554/a?b=1", "me@home", SECRET).url_with_credentials()

    assert made == "rtsp://me%40home:pa%2Fss%3Aw%40rd%3F%23%25%C3%9F@10.0.0.2:554/a?b=1"


def test_settings_win_over_the_address() -> None:
    made = SourceSettings("rtsp://old:x%2Fy@[fe80::2]/a", password="new").url_with_credentials()

    assert made == "rtsp://old:new@[fe80::2]/a"


def test_no_text_of_settings_shows_a_secret() -> None:
    settings = SourceSettings(f"rtsp://me:{'hunter2'}@10.0.0.2/a?password=hunter2", password="hunter2")

    assert "hunter2" not in f"{settings!r} {settings}"
    assert str(settings) == "rtsp://10.0.0.2/a"


@given(st.text(max_size=40))
def test_no_address_breaks_without_secrets(url: str) -> None:
    assert isinstance(without_secrets(url), str)
    assert "hunter2" not in without_secrets("rtsp://u:hunter2@" + url.replace("/", "").replace("@", ""))


@pytest.mark.parametrize("explain", [while_opening, while_reading])
@pytest.mark.parametrize("number", [1, 2, 5, 13, 110, 111, 113])
def test_no_error_carries_the_address(explain: object, number: int) -> None:
    assert callable(explain)
    error = explain(av.error.OSError(number, "rtsp://me:hunter2@10.0.0.2/", "rtsp://me:hunter2@10.0.0.2/"))

    assert "hunter2" not in f"{error} {error.reason} {error!r}"
    assert error.reason


@pytest.mark.parametrize(
    ("scheme", "url", "path"),
    [
        ("device", "/dev/video0", "/dev/video0"),
        ("file", "file:///a%20b/clip.mp4", "/a b/clip.mp4"),
        ("rtsps", "RTSPS://10.0.0.2/a", "/a"),
    ],
)
def test_scheme_and_path(scheme: str, url: str, path: str) -> None:
    assert (SourceSettings(url).scheme, SourceSettings(url).path) == (scheme, path)


@pytest.mark.parametrize(
    ("main", "sub"),
    [
        ("/Streaming/Channels/101", "/Streaming/Channels/102"),
        ("/Streaming/Channels/1201?transportmode=unicast", "/Streaming/Channels/1202?transportmode=unicast"),
        ("/h264/ch1/main/av_stream", "/h264/ch1/sub/av_stream"),
        ("/cam/realmonitor?channel=1&subtype=0", "/cam/realmonitor?channel=1&subtype=1"),
        ("/h264Preview_01_main", "/h264Preview_01_sub"),
        ("/Preview_02_main", "/Preview_02_sub"),
        ("/stream1", "/stream2"),
        ("/axis-media/media.amp", "/axis-media/media.amp?resolution=640x360"),
        ("/axis-media/media.amp?camera=2", "/axis-media/media.amp?camera=2&resolution=640x360"),
        ("/s0", "/s2"),
        ("/videoMain", "/videoSub"),
        ("/profile1/media.smp", "/profile2/media.smp"),
        ("/live/main", "/live/sub"),
    ],
)
def test_makers_sub_streams(main: str, sub: str) -> None:
    assert sub_stream_candidates(f"rtsp://me:x@10.0.0.2:554{main}")[0] == f"rtsp://me:x@10.0.0.2:554{sub}"


@pytest.mark.parametrize(
    "url",
    ["rtsp://10.0.0.2/", "file:///stream1.mp4", "/dev/video0", "rtsp://10.0.0.2:7447/aBcMain", "rtsp://[::1/stream1",
     "rtsp://10.0.0.2/domain", "rtsp://10.0.0.2/stream2"],
)  # fmt: skip
def test_nothing_is_guessed_where_nothing_is_known(url: str) -> None:
    assert sub_stream_candidates(url) == []
