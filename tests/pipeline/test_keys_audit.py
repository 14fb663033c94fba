"""Whatever does not belong among the household's files, or is missing there, is found and named."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipeline.audit import Fault, Finding, check
from pipeline.index import Index, index_path, rebuild
from pipeline.key_names import UsedName
from pipeline.model import StreamName
from pipeline.store import Store
from tests.support.founding import Founded, found


@pytest.fixture
def founded(store: Store, tmp_path: Path) -> Founded:
    """A household, and an index of no footage."""
    rebuild(store.root)
    return found(store.root, tmp_path / "state")


def _findings(founded: Founded) -> list[Finding]:
    with Index(index_path(founded.store_root)) as index:
        return list(check(founded.store_root, index, time.time(), founded.state_dir))


def test_everything_that_a_household_has_is_known(founded: Founded) -> None:
    founded.rotate(from_ms=5_000_000_000_000)
    keys = founded.store_root / "keys"
    (keys / "heads").mkdir()
    for path in ("heads/alice.1795348800000.json", "days.jsonl", "home/1/front.main.7.used"):
        (keys / path).touch()
    for name in ("day.key", "day.key.next", "day.lock"):
        (founded.state_dir / name).touch()
    for path in ("feedback/front.json", "watched/front.json", "watched/.front.json.new"):
        (founded.state_dir / path).parent.mkdir(exist_ok=True)
        (founded.state_dir / path).touch()
    assert _findings(founded) == []
    (founded.state_dir / "watched" / "Front.json").touch()
    assert _findings(founded) == [Finding(str(founded.state_dir / "watched/Front.json"), Fault.NOT_A_NAME)]


def test_strangers_are_found_at_every_level(founded: Founded) -> None:
    strangers = [
        "Thumbs.db",
        "manifest/01.json",
        "manifest/.2.json.99.new",
        "heads/alice.json",
        "home/01",
        "home/1/recipient.txt",
        "home/1/Alice.age",
        "home/1/front.main.used",
        "home/1/front.main.01.used",
    ]
    (founded.store_root / "keys/heads").mkdir()
    for path in strangers:
        (founded.store_root / "keys" / path).touch()
    expected = {Finding(f"keys/{path}", Fault.NOT_A_NAME) for path in strangers}
    assert set(_findings(founded)) == expected


def test_a_members_missing_file_is_named(founded: Founded) -> None:
    (founded.store_root / "keys/home/2/alice.age").unlink()
    assert _findings(founded) == [Finding("keys/home/2/alice.age", Fault.FILE_MISSING)]


def test_versions_that_do_not_follow_are_found(founded: Founded) -> None:
    founded.rotate()
    (founded.store_root / "keys/manifest/1.json").unlink()
    assert _findings(founded) == [Finding("keys/manifest", Fault.NOT_FOLLOWING)]


def test_the_state_directory_is_looked_through(founded: Founded) -> None:
    (founded.state_dir / "notes").touch()
    founded.state_dir.chmod(0o755)
    assert _findings(founded) == [
        Finding(str(founded.state_dir / "notes"), Fault.NOT_A_NAME),
        Finding(str(founded.state_dir), Fault.OPEN_TO_OTHERS),
    ]


def test_a_mark_of_use_has_one_spelling() -> None:
    used = UsedName(StreamName("front-door_2", "main"), 12)
    assert str(used) == "front-door_2.main.12.used"
    assert UsedName.parse(str(used)) == used
