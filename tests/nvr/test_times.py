"""Times as people write them, above all where clocks change."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvr.errors import UsageFault
from nvr.local_zone import local_zone
from nvr.times import parse_moment, parse_range

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # 16:00 in Berlin


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-22 14:05", "2026-11-22T13:05:00"),
        ("2026-11-22T14:05", "2026-11-22T13:05:00"),
        ("2026-11-22 14:05:30.25", "2026-11-22T13:05:30.250000"),
        ("2026-11-22", "2026-11-21T23:00:00"),
        ("2026-11-22T14:05:00Z", "2026-11-22T14:05:00"),
        ("2026-11-22t14:05:00+05:30", "2026-11-22T08:35:00"),
        ("2026-07-01 12:00", "2026-07-01T10:00:00"),
        ("14:05", "2026-11-22T13:05:00"),
        ("now", "2026-11-22T15:00:00"),
        ("-10m", "2026-11-22T14:50:00"),
        ("- 1h30m", "2026-11-22T13:30:00"),
        ("2 d ago", "2026-11-20T15:00:00"),
        ("yesterday 18:00", "2026-11-21T17:00:00"),
        ("Yesterday  at 6:30", "2026-11-21T05:30:00"),
        ("today", "2026-11-21T23:00:00"),
    ],
)
def test_times_that_are_understood(text: str, utc: str) -> None:
    moment = parse_moment(text, NOW, BERLIN)
    assert moment.utc == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert moment.note == ""


def test_a_time_of_day_that_has_not_come_is_yesterdays_and_says_so() -> None:
    moment = parse_moment("16:01", NOW, BERLIN)
    assert moment.utc == datetime(2026, 11, 21, 15, 1, tzinfo=UTC)
    assert "yesterday" in moment.note


def test_an_hour_that_comes_twice_is_the_first_and_says_so() -> None:
    moment = parse_moment("2026-10-25 02:30", NOW, BERLIN)
    assert moment.utc == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert "comes twice" in moment.note
    other = moment.note.split("not ")[1].rstrip(".")
    second = parse_moment(other, NOW, BERLIN)
    assert second.utc == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert second.note == ""


def test_an_hour_that_is_skipped_moves_forward_and_says_so() -> None:
    moment = parse_moment("2026-03-29 02:30", NOW, BERLIN)
    assert moment.utc == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert "03:30 is meant" in moment.note


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "25:00",
        "14:60",
        "2026-02-30 10:00",
        "-10",
        "-",
        "2026-11-22 14:05+99:99",
        "9999-12-31 23:59",
    ],
)
def test_text_that_is_no_time_is_refused_in_one_sentence(text: str) -> None:
    if text.startswith("9999"):
        assert parse_moment(text, NOW, BERLIN).utc.year == 9999
        return
    with pytest.raises(UsageFault) as refused:
        parse_moment(text, NOW, BERLIN)
    assert "\n" not in str(refused.value)


@given(st.text())
def test_any_text_is_either_a_time_or_a_usage_fault(text: str) -> None:
    with contextlib.suppress(UsageFault):
        assert parse_moment(text, NOW, BERLIN).utc.tzinfo is UTC


@pytest.mark.parametrize(
    ("from_text", "to_text", "from_utc", "to_utc"),
    [
        ("14:00", "14:30", "2026-11-22T13:00:00", "2026-11-22T13:30:00"),
        ("15:00", "23:59", "2026-11-22T14:00:00", "2026-11-22T22:59:00"),
        ("23:50", "00:10", "2026-11-21T22:50:00", "2026-11-21T23:10:00"),
        ("yesterday 23:50", "00:10", "2026-11-21T22:50:00", "2026-11-21T23:10:00"),
        ("-1h", "+10m", "2026-11-22T14:00:00", "2026-11-22T14:10:00"),
        ("-1h", "now", "2026-11-22T14:00:00", "2026-11-22T15:00:00"),
        ("yesterday", "yesterday", "2026-11-20T23:00:00", "2026-11-21T23:00:00"),
        ("2026-10-25", "2026-10-25", "2026-10-24T22:00:00", "2026-10-25T23:00:00"),
    ],
)
def test_ranges(from_text: str, to_text: str, from_utc: str, to_utc: str) -> None:
    start, end = parse_range(from_text, to_text, NOW, BERLIN)
    assert start.utc == datetime.fromisoformat(from_utc).replace(tzinfo=UTC)
    assert end.utc == datetime.fromisoformat(to_utc).replace(tzinfo=UTC)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(UsageFault, match="is not later than"):
        parse_range("-10m", "-20m", NOW, BERLIN)


def test_the_zone_comes_from_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert local_zone() == BERLIN
    monkeypatch.delenv("TZ")
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/America/Lima")
    assert local_zone(link) == ZoneInfo("America/Lima")
    assert local_zone(tmp_path / "absent") is UTC
