"""Login by key: whoever holds the member's identity, once for each challenge, for this page alone."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from nvr.keyholder.changes import removed
from tests.support.dashboard import ORIGIN, DashboardHouse
from web.guard import COOKIE


@pytest.fixture
def house(tmp_path: Path) -> DashboardHouse:
    return DashboardHouse.found(tmp_path)


def test_who_signs_the_challenge_is_logged_in(house: DashboardHouse) -> None:
    browser = house.stranger()
    answer = browser.send_login(house.line("anna", browser.challenge()))
    assert answer.json is not None
    assert (answer.json["member"], answer.json["role"], answer.json["groups"]) == ("anna", "owner", ["home"])
    assert browser.get("/api/v1/cameras").status_code == 200


def test_a_post_quantum_member_logs_in_as_well(tmp_path: Path) -> None:
    assert DashboardHouse.found(tmp_path, post_quantum=True).browser("anna").get("/api/v1/cameras").json


def test_the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts(house: DashboardHouse) -> None:
    browser = house.stranger()
    said = browser.send_login(house.line("anna", browser.challenge())).headers["Set-Cookie"]
    assert said.startswith(f"{COOKIE}=")
    parts = {part.strip() for part in said.split(";")[1:]}
    assert parts == {
        "Secure",
        "HttpOnly",
        "Path=/",
        "SameSite=Strict",
    }


def test_a_challenge_is_good_once(house: DashboardHouse) -> None:
    browser = house.stranger()
    line = house.line("anna", browser.challenge())
    assert browser.send_login(line).status_code == 200
    again = house.stranger().send_login(line)
    assert (again.status_code, again.json and again.json["code"]) == (401, "login_challenge")


def test_a_login_for_another_page_is_worth_nothing_here(house: DashboardHouse) -> None:
    browser = house.stranger()
    answer = browser.send_login(house.line("anna", browser.challenge(), origin="https://evil.example"))
    assert (answer.status_code, answer.json and answer.json["code"]) == (401, "login_origin")


def test_a_challenge_given_to_one_of_our_names_is_not_good_for_another(house: DashboardHouse) -> None:
    client = house.dashboard.app.test_client()
    other = "https://192.168.1.5"
    given = client.post("/api/v1/login/challenge", base_url=other, headers={"Origin": other})
    assert given.json is not None
    answer = house.stranger().send_login(house.line("anna", given.json["challenge"]))
    assert (answer.status_code, answer.json and answer.json["code"]) == (401, "login_challenge")


def test_another_members_name_does_not_fit_ones_key(house: DashboardHouse) -> None:
    house.people.join("bob")
    browser = house.stranger()
    answer = browser.send_login(house.line("bob", browser.challenge(), name="anna"))
    assert (answer.status_code, answer.json and answer.json["code"]) == (401, "login_signature")


@pytest.mark.parametrize(
    "line",
    [
        "x" * 100,
        json.dumps({"challenge": 1, "member": "anna", "origin": ORIGIN}) + " " + "A" * 86 + "==",
        '{"member":"anna"} ' + "A" * 86 + "==",
        "\u00fc" * 200,
    ],
)
def test_nonsense_is_refused_in_the_one_shape(house: DashboardHouse, line: str) -> None:
    answer = house.stranger().send_login(line)
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == "login_signature"


def test_a_removed_member_is_out_at_once_and_cannot_come_back(house: DashboardHouse) -> None:
    house.people.join("bob")
    browser = house.browser("bob")
    house.people.change("anna", partial(removed, name="bob"))
    assert browser.get("/api/v1/cameras").status_code == 401
    answer = browser.send_login(house.line("bob", browser.challenge()))
    assert (answer.status_code, answer.json and answer.json["code"]) == (401, "login_member")


def test_too_many_logins_are_told_to_wait(house: DashboardHouse) -> None:
    answers = [house.stranger().change("POST", "/api/v1/login/challenge") for _ in range(25)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert answers[-1].json is not None
    assert "wait" in answers[-1].json["detail"]


def test_sessions_are_listed_and_ended_one_by_one_or_all(house: DashboardHouse) -> None:
    first, second = house.browser("anna"), house.browser("anna")
    listed = second.get("/api/v1/sessions").json
    assert listed is not None
    assert [one["is_this"] for one in listed["sessions"]] == [True, False]
    other = listed["sessions"][1]["session_id"]
    assert second.change("DELETE", f"/api/v1/sessions/{other}").status_code == 204
    assert first.get("/api/v1/sessions").status_code == 401
    assert second.change("DELETE", "/api/v1/sessions").status_code == 204
    assert second.get("/api/v1/sessions").status_code == 401


def test_nobody_ends_a_session_of_somebody_else(house: DashboardHouse) -> None:
    house.people.join("bob")
    anna, bob = house.browser("anna"), house.browser("bob")
    listed = anna.get("/api/v1/sessions").json
    assert listed is not None
    assert bob.change("DELETE", f"/api/v1/sessions/{listed['sessions'][0]['session_id']}").status_code == 404
    assert anna.get("/api/v1/sessions").status_code == 200
