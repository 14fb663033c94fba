"""What a browser needs to open footage by itself: the manifest's history, and wrapped identities."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path

from crypto.identity import parse_identities
from crypto.unseal import unseal_bytes
from nvr.keyholder.changes import with_group
from pipeline.household.document import SignedManifest
from pipeline.household.files import verified
from tests.support.dashboard import DashboardHouse


def test_the_whole_history_comes_and_can_be_verified(tmp_path: Path) -> None:
    house = DashboardHouse.found(tmp_path)
    house.people.join("bob")
    answer = house.browser("bob").get("/api/v1/manifest").json
    assert answer is not None
    household = verified([SignedManifest.parse(line.encode()) for line in answer["versions"]])
    assert household.root == house.people.household.root
    assert household.manifest.member("bob") is not None


def test_a_member_gets_their_own_wrapped_identities_and_no_others(tmp_path: Path) -> None:
    house = DashboardHouse.found(tmp_path)
    house.people.change("anna", partial(with_group, name="indoor", cameras=["nursery"]))
    house.people.join("bob", groups=["home"])
    answer = house.browser("bob").get("/api/v1/identities").json
    assert answer is not None
    assert {one["group"] for one in answer["identities"]} == {"home"}
    (bob,) = parse_identities(house.people.files["bob"].read_text())
    opened = {unseal_bytes(base64.b64decode(one["sealed"]), [bob]) for one in answer["identities"]}
    assert len(opened) == len(answer["identities"])
    assert all(text.startswith(b"AGE-SECRET-KEY-1") for text in opened)


def test_every_answer_is_described(tmp_path: Path) -> None:
    house = DashboardHouse.found(tmp_path)
    described = house.browser("anna").get("/api/v1/openapi.json").json
    assert described is not None
    assert described["openapi"].startswith("3.1")
    routes = {rule.rule for rule in house.dashboard.app.url_map.iter_rules()} - {"/api/v1/openapi.json"}
    assert {path.replace("{", "<").replace("}", ">") for path in described["paths"]} == routes
