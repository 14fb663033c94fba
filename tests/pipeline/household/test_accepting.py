"""What a device accepted once stays, whatever becomes of the store's files; and it is told what is wrong."""

from __future__ import annotations

import json
import shutil
import stat
import threading
from pathlib import Path

import pytest

from pipeline.household.accepting import AcceptedHousehold
from pipeline.household.errors import ManifestDamaged, ManifestMissing
from pipeline.household.files import read_household
from pipeline.household.remembered import Remembered, recall, remember
from pipeline.key_names import manifest_path
from pipeline.store import Store
from tests.support.founding import Founded, an_identity, found, signed


@pytest.fixture
def founded(store: Store, tmp_path: Path) -> Founded:
    """A household in its third version, of which the state directory knows the first."""
    founded = found(store.root, tmp_path / "state")
    founded.rotate()
    founded.rotate()
    return founded


def _accepted(founded: Founded) -> AcceptedHousehold:
    return AcceptedHousehold(founded.store_root, founded.state_dir)


def test_newer_versions_are_followed_and_remembered(founded: Founded) -> None:
    accepted = _accepted(founded)
    assert (accepted.manifest.version, accepted.problem) == (3, "")
    founded.rotate()
    assert accepted.look().version == 4
    remembered = recall(founded.state_dir)
    assert remembered and remembered.pin == read_household(founded.store_root).pin
    noun = json.loads((founded.state_dir / "household.json").read_text())
    assert noun["root"] == founded.root.hex()
    assert noun["line"].encode() == (founded.store_root / manifest_path(4)).read_bytes()


def test_an_older_manifest_is_told_and_not_followed(founded: Founded) -> None:
    accepted = _accepted(founded)
    newest = founded.store_root / manifest_path(3)
    kept = newest.read_bytes()
    newest.unlink()
    assert accepted.look().version == 3
    assert "shows version 2 of the household, but version 3 was seen before" in accepted.problem
    assert "version 3 was seen before" in _accepted(founded).problem, "a restart makes no difference"
    newest.write_bytes(kept)
    assert (accepted.look().version, accepted.problem) == (3, "")


def test_no_manifest_at_all_is_told_and_not_followed(founded: Founded) -> None:
    accepted = _accepted(founded)
    shutil.rmtree(founded.store_root / "keys")
    for device in (accepted, _accepted(founded)):
        assert device.look().version == 3
        assert "version 1 of the household is missing" in device.problem


def test_a_forged_version_is_told_and_not_followed(founded: Founded) -> None:
    accepted = _accepted(founded)
    forged = founded.next_version()
    (founded.store_root / manifest_path(4)).write_bytes(bytes(signed(forged.manifest, an_identity())))
    assert accepted.look().version == 3
    assert "does not bear alice's signature" in accepted.problem
    (founded.store_root / manifest_path(4)).write_bytes(bytes(forged))
    assert (accepted.look().version, accepted.problem) == (4, "")


def test_another_household_is_told_and_not_followed(founded: Founded, tmp_path: Path) -> None:
    accepted = _accepted(founded)
    other = found(tmp_path / "other", tmp_path / "other state")
    shutil.rmtree(founded.store_root / "keys")
    shutil.copytree(other.store_root / "keys", founded.store_root / "keys")
    assert accepted.look().version == 3
    assert "the store's household is another one" in accepted.problem


def test_a_device_that_remembers_nothing_takes_the_stores(founded: Founded) -> None:
    shutil.rmtree(founded.state_dir)
    accepted = _accepted(founded)
    assert (accepted.manifest.version, accepted.root, accepted.problem) == (3, founded.root, "")
    assert stat.S_IMODE(founded.state_dir.stat().st_mode) == 0o700
    remembered = recall(founded.state_dir)
    assert remembered and remembered.newest.manifest.version == 3


def test_a_device_that_remembers_nothing_stops_at_what_is_forged(founded: Founded) -> None:
    shutil.rmtree(founded.state_dir)
    (founded.store_root / manifest_path(3)).write_bytes(bytes(signed(founded.manifest, an_identity())))
    accepted = _accepted(founded)
    assert accepted.manifest.version == 2
    assert "does not bear alice's signature" in accepted.problem


def test_what_was_remembered_and_is_damaged_is_taken_anew(
    founded: Founded, caplog: pytest.LogCaptureFixture
) -> None:
    (founded.state_dir / "household.json").write_text('{"root": "00"')
    with pytest.raises(ManifestDamaged):
        recall(founded.state_dir)
    assert _accepted(founded).manifest.version == 3
    assert "what was remembered of the household is lost" in caplog.text
    assert recall(founded.state_dir) is not None


def test_nothing_here_and_nothing_there(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ManifestMissing):
        AcceptedHousehold(store.root, tmp_path / "state")


def test_a_state_directory_that_takes_nothing_is_told(founded: Founded) -> None:
    shutil.rmtree(founded.state_dir)
    founded.state_dir.touch()
    accepted = _accepted(founded)
    assert accepted.manifest.version == 3
    assert "cannot be kept in" in accepted.problem
    founded.state_dir.unlink()
    accepted.look()
    assert accepted.problem == ""


def test_a_disk_that_is_away_is_nobodys_fault(founded: Founded) -> None:
    accepted = _accepted(founded)
    founded.store_root.rename(founded.store_root.with_name("away"))
    assert (accepted.look().version, accepted.problem) == (3, "")


def test_of_several_processes_none_goes_back(founded: Founded) -> None:
    versions = read_household(founded.store_root).versions
    threads = [
        threading.Thread(target=remember, args=(founded.state_dir, Remembered(founded.root, version)))
        for version in (*versions, *reversed(versions)) * 5
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    remembered = recall(founded.state_dir)
    assert remembered and remembered.newest == versions[-1]
    assert sorted(path.name for path in founded.state_dir.iterdir()) == ["household.json", "household.lock"]
