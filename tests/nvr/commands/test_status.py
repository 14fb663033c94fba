"""`nvr status` says what is wrong with the household, and recording goes on meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.household import Household, make_household, until


@pytest.fixture
def house(tmp_path: Path) -> Household:
    """A camera, not recorded yet."""
    house = make_household(tmp_path)
    house.add_street()
    return house


def test_a_household_in_order_is_not_mentioned(house: Household) -> None:
    with house.running() as run:
        until(lambda: "street/main: recording" in run.log(), why=run.log)
        assert house.json("status")["household"] == []
        assert "Household" not in house.nvr("status").stdout


def test_a_manifest_that_is_gone_is_said_and_stops_nothing(house: Household) -> None:
    shutil.rmtree(house.store / "keys" / "manifest")
    with house.running() as run:
        until(lambda: "street/main: recording" in run.log(), why=run.log)
        until(lambda: house.json("status")["household"])
        (problem,) = house.json("status")["household"]
        assert "version 1 of the household is missing" in problem
        assert f"Household: {problem}." in house.nvr("status").stdout
        assert run.log().count(f"street: household: {problem}") == 1
    assert house.segments()
