"""`nvr check` names what is wrong, and repairs what can be repaired."""

from __future__ import annotations

import pytest

from nvr.errors import FAULT
from tests.support.household import Household, until

pytestmark = pytest.mark.slow


def test_a_sound_store_and_one_that_is_not(house: Household) -> None:
    house.add_street()
    with house.running("record", "street") as run:
        until(lambda: "street/main: recording" in run.log(), why=run.log)
        until(lambda: list(house.store.rglob("*.part")))
    sound = house.nvr("check")
    assert sound.returncode == 0
    assert sound.stdout == "Store and index agree, and every file is as its name says.\n"

    segment = house.store / house.segments()[0].path
    segment.rename(segment.with_name(segment.name.replace("+", "+9", 1)))
    (house.store / "street" / "holiday.mp4").write_bytes(b"not ours")
    found = house.nvr("check")
    assert found.returncode == FAULT
    assert "street/holiday.mp4: nothing of the store is called so" in found.stdout
    assert "nvr check --repair" in found.stdout
    (left,) = house.json("check", "--repair", code=FAULT)["findings"]
    assert left == {"path": "street/holiday.mp4", "fault": "not_a_name"}
    (house.store / "street" / "holiday.mp4").unlink()
    assert house.nvr("check").returncode == 0
