"""Live streams over the API: who may, which, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from nvr.keyholder.changes import removed, with_group
from tests.support.dashboard import ORIGIN, Browser, DashboardHouse

OFFER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[DashboardHouse]:
    house = DashboardHouse.found(tmp_path, ("front", "nursery"))
    house.dashboard.live.start()
    yield house
    house.dashboard.live.close()


def offer(browser: Browser, stream: str, sdp: str, content_type: str = "application/sdp") -> tuple[int, str]:
    """Status and code."""
    answer = browser.client.post(
        f"/api/v1/live/whep/{stream}",
        base_url=ORIGIN,
        data=sdp,
        headers={"Origin": ORIGIN, "Content-Type": content_type},
        buffered=True,
    )
    return answer.status_code, answer.json["code"] if answer.json else ""


@pytest.mark.parametrize("sdp", ["", "nonsense", OFFER, "v=0\r\n" * 2000, "\x00\xff"])
def test_an_offer_that_is_none_is_refused_before_anything_is_waited_for(
    house: DashboardHouse, sdp: str
) -> None:
    assert offer(house.browser("anna"), "front/main", sdp) == (400, "bad_offer")


def test_an_offer_is_sdp(house: DashboardHouse) -> None:
    assert offer(house.browser("anna"), "front/main", "{}", "application/json")[0] == 415


@pytest.mark.parametrize("stream", ["front/events", "front/thumbs", "keys/main"])
def test_only_footage_is_live(house: DashboardHouse, stream: str) -> None:
    assert offer(house.browser("anna"), stream, OFFER) == (404, "not_found")


def test_a_camera_of_another_group_is_as_if_it_were_not_there(house: DashboardHouse) -> None:
    house.people.change("anna", partial(with_group, name="indoor", cameras=["nursery"]))
    house.people.join("bob", groups=["home"])
    bob = house.browser("bob")
    assert offer(bob, "nursery/main", OFFER) == (404, "not_found")
    assert bob.get("/api/v1/live/frames?stream=front/main&stream=nursery/main").status_code == 404


def test_a_session_that_is_not_there_cannot_be_ended(house: DashboardHouse) -> None:
    gone = house.browser("anna").change("DELETE", "/api/v1/live/whep/front/main/0000")
    assert gone.status_code == 404


@pytest.mark.parametrize(
    "query",
    ["", "?stream=", "?stream=front", "?stream=../..", "?stream=front/main" + "&stream=front/main" * 64],
)
def test_streams_that_are_none_are_refused(house: DashboardHouse, query: str) -> None:
    assert house.browser("anna").get(f"/api/v1/live/frames{query}").status_code in {400, 404}


def test_live_frames_end_when_their_member_is_removed(house: DashboardHouse) -> None:
    house.people.join("bob", groups=["home"])
    bob = house.browser("bob")
    watching = bob.client.get("/api/v1/live/frames?stream=front/main", base_url=ORIGIN)
    assert watching.status_code == 200
    assert len(house.dashboard.live.owners()) == 1
    house.people.change("anna", partial(removed, name="bob"))
    house.dashboard.sweep()
    assert house.dashboard.live.owners() == set()
    assert b"".join(watching.iter_encoded()).count(b"away") <= 1
    watching.close()


def test_watching_keeps_no_session_alive_beyond_its_end(house: DashboardHouse) -> None:
    anna = house.browser("anna")
    watching = anna.client.get("/api/v1/live/frames?stream=front/main", base_url=ORIGIN)
    anna.change("DELETE", "/api/v1/sessions")
    house.dashboard.sweep()
    assert house.dashboard.live.owners() == set()
    watching.close()
