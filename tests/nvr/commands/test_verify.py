"""`nvr verify` and `nvr head` on what a real recorder made, as a person types them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.names import StoredSegment
from tests.docs.test_json_shapes import documented, shape
from tests.support.chain_cutting import cut_before
from tests.support.household import Household, make_household, until


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """A household with some segments, recorded in two runs."""
    house = make_household(tmp_path_factory.mktemp("verify"))
    house.add_street()
    for count in (2, 4):
        with house.running("record", "street"):
            until(lambda count=count: len(house.segments()) >= count, 60)  # type: ignore[misc]
    return house


@pytest.fixture
def house(recorded: Household, tmp_path: Path) -> Household:
    """A copy to spoil, as a backup of the disk would be."""
    copied = replace(recorded, directory=tmp_path / "house")
    shutil.copytree(recorded.directory, copied.directory)
    return copied


def _middle(house: Household) -> StoredSegment:
    return sorted(house.segments(), key=lambda segment: segment.name.sequence)[1]


def test_what_was_recorded_verifies(house: Household) -> None:
    done = house.nvr("verify")
    assert done.returncode == 0, done.stdout
    assert f"street: {len(house.segments())} segments verified" in done.stdout
    assert "signed last" in done.stdout
    assert "complete and unaltered" in done.stdout
    noun = house.json("verify")
    assert noun["findings"] == []
    (street,) = noun["cameras"]
    assert (street["found_at_start"], street["unsigned"], street["gaps"]) == (0, 0, {"recorder stopped": 2})


def test_it_prints_what_the_reference_says(house: Household) -> None:
    (house.store / _middle(house).path).unlink()
    noun = house.json("verify", code=1)
    meant = documented("reference.md", "verify")
    assert shape(noun["findings"]) == shape(meant["findings"])
    for camera in (noun["cameras"][0], meant["cameras"][0]):
        camera["expired"] = camera["gaps"] = {}
    assert shape(noun["cameras"]) == shape(meant["cameras"])
    assert list(noun) == list(meant)


def test_the_exact_segment_is_named(house: Household) -> None:
    segment = _middle(house)
    content = bytearray((house.store / segment.path).read_bytes())
    content[1000] ^= 1
    (house.store / segment.path).write_bytes(content)
    done = house.nvr("verify", "--camera", "street")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{segment.path} (")
    assert "altered" in done.stdout
    assert "1 finding." in done.stdout
    assert house.nvr("verify", "--to", "yesterday").returncode == 0  # not looked at


def test_the_store_alone_is_enough(house: Household) -> None:
    done = house.nvr("verify")
    assert done.returncode == 0
    alone = Household(house.directory, house.keys, house.run_dir)
    shutil.rmtree(house.directory / "state")
    house.config.unlink()
    command = [*alone.command()[:3], "--store", str(house.store), "verify"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "XDG_STATE_HOME": str(house.directory)}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "compare its fingerprint" in done.stderr


def test_a_cut_end_shows_against_a_head_that_was_kept(house: Household, tmp_path: Path) -> None:
    kept = tmp_path / "head.json"
    assert house.nvr("head", "-o", str(kept)).returncode == 0
    assert json.loads(kept.read_bytes())["by"] == ""
    again = house.nvr("head", "-o", str(kept))
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert house.nvr("verify", "--head", str(kept)).returncode == 0
    chain = house.store / "street/chain/1.chain"
    last = max(house.segments(), key=lambda segment: segment.name.sequence)
    (house.store / last.path).unlink()
    data = chain.read_bytes()
    chain.write_bytes(cut_before(data, last.name.sequence))
    assert house.nvr("verify").returncode == 0  # nobody can know
    done = house.nvr("verify", "--head", str(kept))
    assert done.returncode == 1
    assert "the chain was cut" in done.stdout
    assert str(kept) in done.stdout


def test_a_countersigned_head_is_found_in_the_store(house: Household) -> None:
    done = house.nvr("head", "--identity", str(house.key_file))
    assert done.returncode == 0, done.stderr
    (kept,) = (house.store / "keys/heads").iterdir()
    assert kept.read_text() == done.stdout
    assert json.loads(done.stdout.rpartition(" ")[0])["by"] == "owner"
    assert house.nvr("verify").returncode == 0
    shutil.rmtree(house.store / "street")
    done = house.nvr("verify")
    assert done.returncode == 1
    assert "a whole chain was removed" in done.stdout
    assert "owner" in done.stdout


def test_a_head_that_was_changed_is_refused(house: Household, tmp_path: Path) -> None:
    signed = house.nvr("head", "--identity", str(house.key_file)).stdout
    changed = tmp_path / "changed.json"
    changed.write_text(signed.replace('"count":', '"count":1'))
    done = house.nvr("verify", "--head", str(changed))
    assert done.returncode == 1
    assert "was not signed by owner" in done.stderr
    changed.write_text("{}")
    done = house.nvr("verify", "--head", str(changed))
    assert done.returncode == 2
    assert "no head" in done.stderr
    (kept,) = (house.store / "keys/heads").iterdir()
    kept.write_text(signed.replace('"count":', '"count":1'))
    done = house.nvr("verify")
    assert "passed over" in done.stdout


def test_another_household_is_refused(house: Household) -> None:
    done = house.nvr("verify", "--root", "0" * 32)
    assert done.returncode != 0
    assert "another" in done.stderr


def test_a_recorder_that_lost_its_state_is_told_and_confirmed(house: Household) -> None:
    (house.directory / "state" / "day.key").unlink()
    count = len(house.segments())
    with house.running("record", "street"):
        until(lambda: len(house.segments()) > count, 60)
    done = house.nvr("verify")
    assert done.returncode == 1
    assert "no owner has confirmed" in done.stdout
    refused = house.nvr("head", "--accept-device")
    assert refused.returncode == 2
    done = house.nvr("head", "--accept-device", "--identity", str(house.key_file))
    assert done.returncode == 0, done.stderr
    assert "Confirmed" in done.stdout
    assert house.nvr("verify").returncode == 0
    done = house.nvr("head", "--accept-device", "--identity", str(house.key_file))
    assert "nothing to do" in done.stdout


def test_without_a_chain_there_is_no_head(tmp_path: Path) -> None:
    done = make_household(tmp_path).nvr("head")
    assert done.returncode == 1
    assert "no chain yet" in done.stderr
