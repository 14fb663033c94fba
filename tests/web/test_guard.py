"""Strangers, foreign names and foreign pages get nothing but the login."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dashboard import ORIGIN, DashboardHouse
from web.hosts import AllowedHosts, is_foreign


@pytest.fixture
def house(tmp_path: Path) -> DashboardHouse:
    return DashboardHouse.found(tmp_path)


def test_without_a_session_there_is_nothing_but_the_login(house: DashboardHouse) -> None:
    app = house.dashboard.app
    stranger = house.stranger()
    reached = set()
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for name in rule.arguments:
            path = path.replace(f"<{name}>", "front")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = stranger.change(method, path, {})
            if answer.status_code != 401:
                reached.add((rule.endpoint, answer.status_code))
    assert reached == {("login.challenge", 200), ("login.log_in_", 400)}


def test_an_address_that_is_not_there_says_nothing_to_a_stranger(house: DashboardHouse) -> None:
    assert house.stranger().get("/etc/passwd").status_code == 401
    assert house.browser("anna").get("/etc/passwd").status_code == 404


def test_a_foreign_host_name_leads_nowhere(house: DashboardHouse) -> None:
    client = house.dashboard.app.test_client()
    answer = client.post("/api/v1/login/challenge", base_url="https://evil.example")
    assert (answer.status_code, answer.json and answer.json["code"]) == (421, "host")
    assert client.get("/", headers={"Host": "nvr.local@evil.example"}).status_code == 421


def test_a_foreign_page_may_neither_read_nor_change(house: DashboardHouse) -> None:
    browser = house.browser("anna")
    assert browser.get("/api/v1/cameras", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.get("/api/v1/cameras", Origin="https://evil.example").status_code == 403
    assert browser.change("DELETE", "/api/v1/sessions", Origin="null").status_code == 403
    nothing_said = browser.client.delete("/api/v1/sessions", base_url=ORIGIN)
    assert nothing_said.status_code == 403
    assert browser.get("/api/v1/cameras").status_code == 200


def test_every_answer_forbids_what_we_never_do(house: DashboardHouse) -> None:
    for answer in (house.stranger().get("/"), house.browser("anna").get("/api/v1/cameras")):
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_ten_megabytes_of_json_are_refused(house: DashboardHouse) -> None:
    answer = house.stranger().send_login("x" * 10_000_000)
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("host", ["nvr.local", "NVR.local", "nvr.local:443", "[fe80::1]"])
def test_hosts_are_compared_as_browsers_spell_them(host: str) -> None:
    assert AllowedHosts.of(["nvr.local", "fe80::1"], 443).origin_of(host) is not None


@pytest.mark.parametrize("host", ["", "nvr.local:8443", "nvr.local.evil", "evil", "fe80::1"])
def test_other_hosts_are_none_of_ours(host: str) -> None:
    assert AllowedHosts.of(["nvr.local", "fe80::1"], 443).origin_of(host) is None


def test_a_port_belongs_to_the_origin() -> None:
    assert AllowedHosts.of(["nvr.local"], 8443).origin_of("nvr.local:8443") == "https://nvr.local:8443"


def test_the_address_bar_may_read_and_change_nothing() -> None:
    assert not is_foreign(ORIGIN, None, "none", changes=False)
    assert is_foreign(ORIGIN, None, "none", changes=True)
