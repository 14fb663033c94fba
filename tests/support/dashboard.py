"""A dashboard over a household of several people, asked as a browser asks it.

house = DashboardHouse.found(tmp_path)
browser = house.browser("anna")
assert browser.get("/api/v1/cameras").status_code == 200
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crypto.identity import parse_identities
from crypto.member_key import member_key
from crypto.signing import sign
from pipeline.index import rebuild
from tests.support.people import People
from web.app import Dashboard, make_dashboard
from web.hosts import AllowedHosts
from web.plan import DashboardPlan

ORIGIN = "https://nvr.local"


@dataclass
class Browser:
    """One browser's cookies, and the page that it shows."""

    client: FlaskClient
    origin: str = ORIGIN

    def get(self, path: str, **headers: str) -> TestResponse:
        """As a page's fetch."""
        said = {"Sec-Fetch-Site": "same-origin", **headers}
        return self.client.get(path, base_url=ORIGIN, headers=said, buffered=True)

    def change(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """As a page's fetch that changes something."""
        said = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **headers}
        return self.client.open(path, method=method, base_url=ORIGIN, json=body, headers=said, buffered=True)

    def challenge(self) -> str:
        """A fresh one."""
        answer = self.change("POST", "/api/v1/login/challenge")
        assert answer.status_code == 200, answer.text
        return str(answer.json["challenge"]) if answer.json else ""

    def send_login(self, line: str) -> TestResponse:
        """The login's second half."""
        return self.change("POST", "/api/v1/login", {"line": line})


@dataclass
class DashboardHouse:
    """The people, and the dashboard of their store."""

    people: People
    dashboard: Dashboard

    @classmethod
    def found(
        cls, place: Path, cameras: tuple[str, ...] = ("front",), *, post_quantum: bool = False
    ) -> DashboardHouse:
        """Anna's household."""
        people = People.found(place, post_quantum=post_quantum)
        plan = DashboardPlan(people.root, place / "web-state", place / "run", cameras)
        hosts = AllowedHosts.of(["nvr.local", "192.168.1.5", "localhost"], 443)
        return cls(people, make_dashboard(plan, hosts))

    def stranger(self) -> Browser:
        """A browser that has not logged in."""
        return Browser(self.dashboard.app.test_client())

    def browser(self, who: str) -> Browser:
        """A browser in which `who` has logged in."""
        browser = self.stranger()
        answer = browser.send_login(self.line(who, browser.challenge()))
        assert answer.status_code == 200, answer.text
        return browser

    def line(self, who: str, challenge: str, *, origin: str = ORIGIN, name: str | None = None) -> str:
        """What their device signs."""
        (identity,) = parse_identities(self.people.files[who].read_text())
        noun = {"challenge": challenge, "member": name or who, "origin": origin}
        return bytes(sign("login", noun, member_key(identity))).decode()

    def index(self) -> None:
        """Makes the index know what was recorded."""
        rebuild(self.people.root)
