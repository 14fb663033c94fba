"""Events go to the generation of their start, and its keys go only when its events are gone, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto.errors import WrongIdentity
from crypto.unseal import unseal_bytes
from pipeline import walk
from pipeline.household.destroying import Destroyed, destroy_spent
from pipeline.household.used_marks import used_marks
from pipeline.index import Index, index_path, rebuild
from pipeline.names import DAY_MS
from tests.support.events import Keeping, an_event, kept
from tests.support.founding import Founded
from tests.support.store_writing import NOON_MS

LATER_MS = NOON_MS + 3 * DAY_MS


@pytest.fixture
def founded(founded: Founded) -> Founded:
    """Generation 3 counts from a day after noon on."""
    founded.rotate("home", from_ms=NOON_MS + DAY_MS)
    return founded


def _pass(founded: Founded) -> Destroyed:
    rebuild(founded.store_root)
    with Index(index_path(founded.store_root)) as index:
        return destroy_spent(founded.store_root, founded.manifest, index, LATER_MS)


def _files(keeping: Keeping, stream: str) -> list[Path]:
    return sorted((keeping.store.root / "front" / stream).rglob("*.age*"))


def test_keys_go_with_the_last_event_and_the_last_thumbnail(keeping: Keeping, founded: Founded) -> None:
    events = keeping.begin()
    events.finish(kept(an_event(1)), NOON_MS)
    events.finish(kept(an_event(2, NOON_MS + 2 * DAY_MS)), NOON_MS)
    marks = [(str(one.used), one.generation) for one in used_marks(keeping.store.root)]
    expected = {f"front.{stream}.{n}.used": g for stream in ("events", "thumbs") for n, g in ((0, 1), (1, 3))}
    assert dict(marks) == expected
    for stream in ("events", "thumbs"):
        first, second = (path.read_bytes() for path in _files(keeping, stream))
        assert unseal_bytes(first, [founded.identity("home", 1)])
        assert unseal_bytes(second, [founded.identity("home", 3)])
        with pytest.raises(WrongIdentity):
            unseal_bytes(second, [founded.identity("home", 1)])
    for stream in ("events", "thumbs"):
        assert ("home", 1) not in _pass(founded).generations
        _files(keeping, stream)[0].unlink()
    assert ("home", 1) in _pass(founded).generations
    assert len(list(walk.event_streams(keeping.store.root, "front"))) == 2


def test_an_event_under_way_counts(keeping: Keeping, founded: Founded) -> None:
    keeping.begin().save(kept(an_event(1), picture=False))
    done = _pass(founded)
    assert (("home", 1) in done.generations, done.index_is_behind) == (False, True)
    _files(keeping, "events")[0].unlink()
    assert ("home", 1) in _pass(founded).generations


def test_an_event_is_sealed_to_one_generation_all_the_time(keeping: Keeping, founded: Founded) -> None:
    events = keeping.begin()
    start_ms = NOON_MS + DAY_MS - 2_000
    events.save(kept(an_event(1, start_ms, 1_000)))
    events.finish(kept(an_event(1, start_ms, 60_000)), NOON_MS)
    (record,) = _files(keeping, "events")
    assert unseal_bytes(record.read_bytes(), [founded.identity("home", 1)])
