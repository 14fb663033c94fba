"""What is being recorded now, once and as it changes, until the session ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from nvr.keyholder.changes import removed
from pipeline.health import CameraReport, State, StreamHealth, write_report
from tests.support.dashboard import ORIGIN, Browser, DashboardHouse


def a_report(camera: str, state: State, pid: int = 0) -> CameraReport:
    """A recorder's word, of a process that lives."""
    health = StreamHealth()
    health.set_state(state, 1)
    return CameraReport(camera, pid or os.getpid(), 1, 1, 1, 0, {"main": health.report(0.0, 0)})


@pytest.fixture
def house(tmp_path: Path) -> DashboardHouse:
    house = DashboardHouse.found(tmp_path)
    (tmp_path / "run").mkdir()
    write_report(tmp_path / "run", a_report("front", State.RECORDING))
    return house


def events(browser: Browser) -> Iterator[str]:
    """The pieces of the stream, as they come."""
    answer = browser.client.get("/api/v1/state/events", base_url=ORIGIN)
    assert answer.status_code == 200
    try:
        yield from (piece.decode() for piece in answer.iter_encoded())
    finally:
        answer.close()


def test_a_camera_says_what_its_streams_do(house: DashboardHouse) -> None:
    state = house.browser("anna").get("/api/v1/state").json
    assert state is not None
    (camera,) = state["cameras"]
    assert (camera["camera"], camera["streams"]["main"]["state"]) == ("front", "recording")


def test_a_recorder_that_is_gone_is_not_there(house: DashboardHouse, tmp_path: Path) -> None:
    write_report(tmp_path / "run", a_report("front", State.RECORDING, pid=2**22 - 3))
    assert house.browser("anna").get("/api/v1/state").json == {"cameras": []}


def test_a_change_comes_by_itself_and_the_end_of_the_session_ends_it(
    house: DashboardHouse, tmp_path: Path
) -> None:
    browser = house.browser("anna")
    stream = events(browser)
    first = json.loads(next(stream).removeprefix("data: "))
    assert first["cameras"][0]["streams"]["main"]["state"] == "recording"
    write_report(tmp_path / "run", a_report("front", State.AWAY))
    second = json.loads(next(stream).removeprefix("data: "))
    assert second["cameras"][0]["streams"]["main"]["state"] == "away"
    house.browser("anna").change("DELETE", "/api/v1/sessions")
    assert list(stream) == ["event: over\ndata: {}\n\n"]


def test_who_is_removed_sees_no_more(house: DashboardHouse) -> None:
    house.people.join("bob", groups=["home"])
    stream = events(house.browser("bob"))
    assert next(stream).startswith("data: ")
    house.people.change("anna", partial(removed, name="bob"))
    assert list(stream) == ["event: over\ndata: {}\n\n"]
