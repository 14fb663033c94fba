"""Every JSON shape in the documentation is what is printed, member by member."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.model import Codec, Kind, StreamInfo, Track
from pipeline.wire import Anchor, encode_hello
from tests.support.footage import STREET
from tests.support.household import Household, make_household, until

DOCS = Path(__file__).parents[2] / "docs"
BY_CAMERA = {"forecast_days"}  # members are names that people choose


def documented(page: str, title: str) -> Any:
    """The block that is fenced as ```json TITLE."""
    found = re.search(rf"^```json {title}\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.M | re.S)
    assert found, title
    return json.loads(found[1])


def shape(noun: Any) -> Any:
    """Members and their order; of a list its first item; no values."""
    if isinstance(noun, dict):
        return [(name, "…" if name in BY_CAMERA else shape(value)) for name, value in noun.items()]
    return [shape(noun[0])] if isinstance(noun, list) and noun else None


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """A camera, not recorded yet."""
    house = make_household(tmp_path_factory.mktemp("docs"), watched=True)
    house.add_street("front")
    return house


def test_what_status_and_list_print(house: Household) -> None:
    with house.running():
        until(lambda: house.stream("front")["recording"] and house.stream("front")["report"]["bytes_per_s"])
        until(lambda: house.json("status")["watch"]["cameras"])
        assert shape(house.json("status")) == shape(documented("reference.md", "status"))
    assert house.nvr("hold", "--camera", "front", "--from", "-1h", "--to", "now").returncode == 0
    assert shape(house.json("list")) == shape(documented("reference.md", "list"))


def test_what_camera_list_prints(house: Household) -> None:
    assert shape(house.json("camera", "list")) == shape(documented("reference.md", "camera list"))


def test_what_check_prints(house: Household) -> None:
    (house.store / "holds" / "a stranger").touch()
    done = house.nvr("check", "--json")
    assert done.returncode == 1
    assert shape(json.loads(done.stdout)) == shape(documented("reference.md", "check"))


def test_what_detect_prints(house: Household) -> None:
    told = documented("reference.md", "detect")
    tried = house.json("detect", str(STREET), "--seconds", "1")
    assert tried.keys() == told.keys()
    assert tried["pictures"][0].keys() == told["pictures"][0].keys()
    assert tried["pictures"][0]["found"][0].keys() == told["pictures"][0]["found"][0].keys()
    (event,) = house.json("detect", str(STREET), "--events")["events"]
    assert event.keys() == told["events"][0].keys()
    assert event["objects"][0].keys() == told["events"][0]["objects"][0].keys()


def test_what_the_tap_says_first() -> None:
    video = Track(Kind.VIDEO, Codec.H264, 90_000, b"\1", 1920, 1080)
    audio = Track(Kind.AUDIO, Codec.AAC, 16_000, b"\2", channels=1)
    said = encode_hello(StreamInfo(video, audio), 1, Anchor(0, 0))
    assert shape(json.loads(said[5:])) == shape(documented("tap.md", "hello"))
