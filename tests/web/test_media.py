"""Sealed bytes: as they lie in the store, by ranges, and nothing beside them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from crypto.unseal import unseal_bytes
from nvr.keyholder.changes import with_group
from tests.support.dashboard import DashboardHouse
from tests.support.people import NOW_MS

PAYLOAD = os.urandom(200_000)


@pytest.fixture
def house(tmp_path: Path) -> DashboardHouse:
    return DashboardHouse.found(tmp_path)


def url_of(house: DashboardHouse, sealed: Path) -> str:
    return f"/api/v1/media/{sealed.relative_to(house.people.root).as_posix()}"


def test_a_file_comes_as_it_lies_there(house: DashboardHouse) -> None:
    sealed = house.people.record("front", content=PAYLOAD)
    answer = house.browser("anna").get(url_of(house, sealed))
    assert answer.data == sealed.read_bytes()
    assert (answer.content_type, answer.headers["Accept-Ranges"]) == ("application/octet-stream", "bytes")


def test_what_comes_opens_with_what_the_dashboard_gives(house: DashboardHouse) -> None:
    sealed = house.people.record("front")
    opening = house.people.membership("anna").opening
    assert (
        unseal_bytes(
            house.browser("anna").get(url_of(house, sealed)).data, [one.identity for one in opening.groups]
        )
        == b"moof"
    )


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-183", 0, 183),
        ("bytes=184-65735", 184, 65735),
        ("bytes=-100", -100, None),
        ("bytes=5-", 5, None),
    ],
)
def test_a_range_is_that_range(house: DashboardHouse, asked: str, first: int, last: int | None) -> None:
    sealed = house.people.record("front", content=PAYLOAD)
    answer = house.browser("anna").get(url_of(house, sealed), Range=asked)
    assert answer.status_code == 206
    assert answer.data == sealed.read_bytes()[first : None if last is None else last + 1]


@pytest.mark.parametrize("asked", ["bytes=900000000-", "bytes=900000000-900000001"])
def test_a_range_behind_the_end_is_refused(house: DashboardHouse, asked: str) -> None:
    sealed = house.people.record("front", content=PAYLOAD)
    answer = house.browser("anna").get(url_of(house, sealed), Range=asked)
    assert (answer.status_code, answer.content_type) == (416, "application/problem+json")
    assert answer.headers["Content-Range"] == f"bytes */{sealed.stat().st_size}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "nonsense", "bytes=a-b", "bytes=0-1,4-5,8-9"])
def test_a_forged_range_does_no_harm(house: DashboardHouse, asked: str) -> None:
    sealed = house.people.record("front", content=PAYLOAD)
    answer = house.browser("anna").get(url_of(house, sealed), Range=asked)
    assert answer.status_code in {200, 206, 416}


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd/x/y/z",
        "front/main/..%2f..%2f..%2f/00/store.json",
        "keys/home/1/x/anna.age",
        "front/main/2026-11-22/14/1795356300000+1000.1.mp4.age%00",
        "front/main/2026-11-22/13/{name}",
        "front/main/2026-11-22/14/0{name}",
        "front/chain/2026-11-22/14/1.chain",
        "%ff%fe/main/2026-11-22/14/{name}",
    ],
)
def test_no_path_leads_out_of_the_sealed_files(house: DashboardHouse, path: str) -> None:
    sealed = house.people.record("front", content=PAYLOAD)
    answer = house.browser("anna").get(f"/api/v1/media/{path.format(name=sealed.name)}")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_a_link_in_the_store_is_not_followed(house: DashboardHouse) -> None:
    sealed = house.people.record("front", content=PAYLOAD)
    secret = house.people.root.parent / "secret"
    secret.write_text("not yours")
    sealed.unlink()
    sealed.symlink_to(secret)
    answer = house.browser("anna").get(url_of(house, sealed))
    assert answer.status_code in {404, 503}
    assert b"not yours" not in answer.data


def test_a_file_is_found_by_the_name_it_had_before_its_deadline_rose(house: DashboardHouse) -> None:
    sealed = house.people.record("front", content=PAYLOAD)
    wanted = url_of(house, sealed)
    later = sealed.with_name(sealed.name.replace(".mp4", ".k1800662400000.mp4"))
    content = sealed.read_bytes()
    sealed.rename(later)
    assert house.browser("anna").get(wanted).data == content


def test_a_camera_of_another_group_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    house = DashboardHouse.found(tmp_path, ("front", "nursery"))
    house.people.change("anna", partial(with_group, name="indoor", cameras=["nursery"]))
    house.people.join("bob", groups=["home"])
    sealed = house.people.record("nursery")
    bob = house.browser("bob")
    listed = bob.get("/api/v1/cameras").json
    assert listed is not None
    assert [one["name"] for one in listed["cameras"]] == ["front"]
    assert bob.get(url_of(house, sealed)).status_code == 404
    assert house.browser("anna").get(url_of(house, sealed)).status_code == 200


def test_footage_is_listed_as_the_index_has_it(house: DashboardHouse) -> None:
    for number in range(3):
        house.people.record("front", at_ms=NOW_MS + 1000 * number)
    house.index()
    answer = house.browser("anna").get(
        f"/api/v1/cameras/front/main/footage?from_ms={NOW_MS}&to_ms={NOW_MS + 10_000}"
    )
    assert answer.json is not None
    rows = [dict(zip(answer.json["columns"], row, strict=True)) for row in answer.json["rows"]]
    assert [row["start_ms"] - NOW_MS for row in rows] == [0, 1000, 2000]
    assert {row["duration_ms"] for row in rows} == {1000}


def test_without_an_index_it_says_so(house: DashboardHouse) -> None:
    answer = house.browser("anna").get("/api/v1/cameras/front/main/footage?from_ms=0&to_ms=1")
    assert (answer.status_code, answer.json and answer.json["code"]) == (503, "index")


@pytest.mark.parametrize(
    "query", ["", "from_ms=a&to_ms=1", "from_ms=-1&to_ms=1", "from_ms=9&to_ms=1", "from_ms=0"]
)
def test_a_span_that_is_none_is_refused(house: DashboardHouse, query: str) -> None:
    house.index()
    answer = house.browser("anna").get(f"/api/v1/cameras/front/main/footage?{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
