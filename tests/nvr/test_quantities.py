"""Sizes, durations, schedules and camera addresses: what is understood, what is refused, what is shown."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.address import check_address, shown, split_credentials
from nvr.quantities import format_duration, format_size, parse_duration_s, parse_size
from nvr.schedule import in_schedule, parse_span


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("20GB", 20 * 10**9), ("1.5 tib", 3 * 2**39), ("7", 7), ("2G", 2 * 10**9), ("0", 0), ("10 kB", 10_000)],
)
def test_sizes(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "1 parsec", "1.2.3", "20 GB free"])
def test_text_that_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_durations() -> None:
    assert parse_duration_s("1h30m") == 5400
    assert parse_duration_s("90 s") == 90
    assert parse_duration_s("500ms") == 0.5
    for text in ["", "10", "m", "10 fortnights"]:
        with pytest.raises(ValueError, match="is not a duration"):
            parse_duration_s(text)


def test_what_people_read() -> None:
    assert [format_size(n) for n in (0, 999, 1500, 123_456, 2.5e9, 7e13)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "123 kB",
        "2.5 GB",
        "70.0 TB",
    ]
    assert [format_duration(n) for n in (0.4, 59, 60, 3725, 90_000, 200_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "1 h 2 min",
        "1 day 1 h",
        "2 days 7 h",
    ]


SUNDAY = 22  # of November 2026


@pytest.mark.parametrize(
    ("line", "day", "clock", "inside"),
    [
        ("mon-fri 08:00-18:00", 23, "08:00", True),
        ("mon-fri 08:00-18:00", 23, "07:59", False),
        ("mon-fri 08:00-18:00", 23, "18:00", False),
        ("mon-fri 08:00-18:00", SUNDAY, "12:00", False),
        ("sat,sun", SUNDAY, "23:59", True),
        ("22:00-06:00", SUNDAY, "05:59", True),
        ("22:00-06:00", SUNDAY, "06:00", False),
        ("22:00-06:00", SUNDAY, "22:00", True),
        ("sun 22:00-06:00", 23, "05:00", True),
        ("mon 22:00-06:00", 23, "05:00", False),
        ("fri-mon", SUNDAY, "00:00", True),
        ("Monday - Friday 8:00 - 18:00", 24, "9:00", True),
        ("daily 00:00-24:00", SUNDAY, "23:59", True),
    ],
)
def test_schedules(line: str, day: int, clock: str, inside: bool) -> None:
    hour, minute = clock.split(":")
    local = datetime(2026, 11, day, int(hour), int(minute))  # noqa: DTZ001 - wall-clock time is meant
    assert in_schedule([parse_span(line)], local) is inside


@given(st.text())
def test_any_text_is_either_a_span_or_a_value_error(text: str) -> None:
    try:
        assert parse_span(text).days
    except ValueError as refused:
        assert "write it like" in str(refused)


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://192.168.1.20/stream1",
        "rtsps://[fe80::1]:322/x",
        "http://cam/video.mjpeg?fps=5",
        "file:///srv/my clip.mp4",
        "/dev/video0",
        "/dev/v4l/by-id/usb-cam-index0",
    ],
)
def test_addresses_that_are_understood(text: str) -> None:
    check_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "camera",
        "rtsp://",
        "rtsp:///x",
        "ftp://a/b",
        "file://clip.mp4",
        "/dev/sda",
        "/etc/passwd",
        "rtsp://a:x/",
        "rtsp://a:0/",
    ],
)
def test_addresses_that_no_source_opens(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has|names) "):
        check_address(text)


def test_credentials_are_taken_out() -> None:
    split = split_credentials("rtsp://ad%40min:p%3Aw:x@10.0.0.2:554/s?a=b@c")
    assert split.url == "rtsp://10.0.0.2:554/s?a=b@c"
    assert (split.user, split.password) == ("ad@min", "p:w:x")
    assert "p:w" not in repr(split)
    assert split_credentials("rtsp://10.0.0.2/s").user == ""


@pytest.mark.parametrize(
    "text",
    [
        "cannot open rtsp://admin:hunter2@10.0.0.2/s",
        "rtsp://admin:hunter2/#@10.0.0.2/s",
        "http://10.0.0.2/v.cgi?user=admin&pwd=hunter2&x=1",
    ],
)
def test_nothing_secret_is_shown(text: str) -> None:
    assert "hunter2" not in shown(text)
    assert "10.0.0.2" in shown(text)
