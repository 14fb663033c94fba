"""`nvr record`, and what `nvr list` and `nvr status` say of what it did."""

from __future__ import annotations

import shutil
import signal
import time

import pytest

from nvr.errors import RUNNING, STORE, USAGE
from nvr.listing import BREAK_MS, NOT_RUNNING
from tests.support.household import Household, until

pytestmark = pytest.mark.slow


def test_one_camera_in_the_foreground(house: Household) -> None:
    house.add_street()
    for _ in range(2):
        with house.running("record", "street") as run:
            until(lambda: house.json("status")["streams"][0]["recording"], why=run.log)
            assert house.json("status")["supervisor_pid"] is None
            second = house.nvr("record", "street")
            assert second.returncode == RUNNING
            assert "is already running" in second.stderr
            run.process.send_signal(signal.SIGINT)
            assert run.process.wait(10) == 0
        ended_ms = max(segment.name.end_ms for segment in house.segments())
        until(lambda: time.time() * 1000 > ended_ms + BREAK_MS + 500)  # noqa: B023 - awaited at once
    listed = house.json("list")
    (street,) = listed["streams"]
    assert (street["camera"], street["stream"], len(street["runs"])) == ("street", "main", 2)
    assert [gap["to_ms"] is None for gap in street["gaps"]] == [False, True]
    assert street["gaps"][0]["reason"] not in ("", NOT_RUNNING)
    assert sum(run["segments"] for run in street["runs"]) == len(house.segments())

    text = house.nvr("list").stdout
    assert "street/main" in text
    assert "gap, " in text
    house.nvr("hold", "--camera", "street", "--from", "-10m", "--to", "now")
    held = house.nvr("list").stdout
    before = house.json("list")["holds"]
    assert "held" in held
    (house.store / "index.sqlite").unlink()
    assert house.nvr("index", "rebuild").stdout.startswith("The index is made anew: ")
    assert house.nvr("list").stdout == held
    assert house.json("list")["holds"] == before


def test_a_camera_by_schedule_that_is_not_wanted_now_keeps_nothing(house: Household) -> None:
    house.add("street", url="file:///nonexistent.mp4", record="off")
    with house.running() as run:
        until(lambda: "no camera is configured" in run.log(), why=run.log)
    assert house.segments() == []


def test_what_cannot_be_recorded_ends_in_one_sentence(house: Household) -> None:
    unknown = house.nvr("record", "attic")
    assert unknown.returncode == USAGE
    assert unknown.stderr == 'There is no camera "attic". Known cameras: none yet.\n'
    house.add_street()
    shutil.rmtree(house.store / "keys")
    shutil.rmtree(house.directory / "state")
    sealed_to_nobody = house.nvr("record", "street")
    assert sealed_to_nobody.returncode == STORE
    assert "There is no household" in sealed_to_nobody.stderr
    (house.store / "store.json").unlink()
    assert house.nvr("record", "street").returncode == STORE
    assert house.segments() == []
