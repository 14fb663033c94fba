"""Events and thumbs come sealed, many in one answer, each with its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto.unseal import unseal_bytes
from pipeline.event import parse_record
from pipeline.index import Index, index_path, rebuild
from pipeline.store import Store
from tests.support.dashboard import Browser, DashboardHouse
from tests.support.events import Keeping, an_event, kept
from tests.support.people import NOW_MS

HOUR_MS = 3_600_000


def batch(browser: Browser, stream: str, from_ms: int = NOW_MS - HOUR_MS) -> dict[str, bytes]:
    """The files of a batch, which is checked to be whole."""
    asked = f"/api/v1/cameras/front/{stream}/batch?from_ms={from_ms}&to_ms={NOW_MS + HOUR_MS}"
    answer = browser.get(asked)
    assert (answer.status_code, answer.content_type) == (200, "application/vnd.sealed-nvr.batch")
    rest, files = answer.data, {}
    while (length := int.from_bytes(rest[:2], "big")) > 0:
        name, rest = rest[2 : 2 + length].decode("ascii"), rest[2 + length :]
        size = int.from_bytes(rest[:4], "big")
        files[name], rest = rest[4 : 4 + size], rest[4 + size :]
    assert rest == bytes(2)
    return files


@pytest.fixture
def house(tmp_path: Path) -> DashboardHouse:
    """With three events of `front`, a minute apart."""
    house = DashboardHouse.found(tmp_path)
    store = Store(house.people.root)
    store.open_check()
    events = Keeping(store, house.people.plan.directory / "state").begin(NOW_MS)
    for number in range(3):
        event = kept(an_event(number, NOW_MS + 60_000 * number))
        assert events.save(event)
        assert events.finish(event, NOW_MS)
    rebuild(house.people.root)
    return house


def test_the_events_of_a_time_come_in_one_answer_and_open(house: DashboardHouse) -> None:
    files = batch(house.browser("anna"), "events")
    identities = [one.identity for one in house.people.membership("anna").opening.groups]
    records = [parse_record(unseal_bytes(sealed, identities)) for sealed in files.values()]
    assert [record.start_ns // 1_000_000 for record in records] == [NOW_MS + 60_000 * one for one in range(3)]
    lying = {path.name: path.read_bytes() for path in (house.people.root / "front" / "events").rglob("*.age")}
    assert files == lying


def test_their_thumbs_too(house: DashboardHouse) -> None:
    assert len(batch(house.browser("anna"), "thumbs")) == 3


def test_who_got_many_asks_on_from_the_last(house: DashboardHouse) -> None:
    assert len(batch(house.browser("anna"), "events", from_ms=NOW_MS + 60_000)) == 2


def test_one_that_was_deleted_meanwhile_is_left_out(house: DashboardHouse) -> None:
    with Index(index_path(house.people.root), read_only=True) as index:
        gone, *_ = index.starting_in(index.streams()[0], 0, NOW_MS + HOUR_MS)
    (house.people.root / gone.path).unlink()
    assert len(batch(house.browser("anna"), "events")) == 2


def test_footage_does_not_come_in_batches(house: DashboardHouse) -> None:
    asked = f"/api/v1/cameras/front/main/batch?from_ms={NOW_MS}&to_ms={NOW_MS}"
    assert house.browser("anna").get(asked).status_code == 404
