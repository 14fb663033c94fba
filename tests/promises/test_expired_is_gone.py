"""What expired is gone for everybody: the keys of its generation go with its last segment.

A household of forty days ago, a real `nvr run` today: a segment that somebody copied then opens no more with
what is left, for the owner and the recovery sheet neither.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.errors import WrongIdentity
from crypto.unseal import unseal_bytes
from nvr.keyholder.household import HouseholdPlan, make_household
from pipeline.household.choosing import Choice
from pipeline.model import StreamName
from pipeline.sealing import Sealing
from tests.support.household import Household, until
from tests.support.people import People

pytestmark = pytest.mark.slow

LONG_AGO = timedelta(days=40)


def test_the_last_segment_of_a_generation_takes_its_keys_along(tmp_path: Path) -> None:
    then = datetime.now(UTC) - LONG_AGO
    plan = HouseholdPlan(tmp_path / "house", tmp_path / "keys", "owner", os.urandom(16), then)
    make_household(plan)
    files = {"owner": plan.key_file, "recovery-sheet": plan.sheet_file}
    people = People(plan, round(then.timestamp() * 1000), files)
    sealing = Sealing(people.root, plan.directory / "state", "yard", None)
    choice, sealed = _record(people, sealing, people.now_ms)
    copy = tmp_path / "kept aside.age"
    shutil.copy(sealed, copy)
    assert all(people.opens(who, copy) for who in files)
    _record(people, sealing, round(datetime.now(UTC).timestamp() * 1000) - 60_000)  # so the clock is believed

    house = Household(plan.directory, plan.keys_directory, tmp_path / "run")
    _in_run_directory_of_its_own(house)
    house.add_street()
    folder = people.root / "keys" / choice.group / str(choice.generation)
    assert len(list(folder.glob("*.age"))) == 2
    with house.running() as run:
        until(lambda: not sealed.exists(), 60, run.log)
        until(lambda: not folder.exists(), 30, run.log)
        until(lambda: house.segments("street"), 40, run.log)
    for who in files:
        identities = [one.identity for one in people.membership(who).opening.groups]
        assert identities
        with pytest.raises(WrongIdentity):
            unseal_bytes(copy.read_bytes(), identities)
    out = tmp_path / "today.mp4"
    span = ("--camera", "street", "--from", "-1h", "--to", "now")
    done = house.nvr("export", *span, "--identity", str(plan.key_file), "-o", str(out))
    assert done.returncode == 0, done.stderr
    verified = house.nvr("verify", "--camera", "street")
    assert verified.returncode == 0, verified.stdout


def _record(people: People, sealing: Sealing, at_ms: int) -> tuple[Choice, Path]:
    """A segment of the yard, as its recorder would have made it then."""
    choice = sealing.choose(at_ms * 1_000_000, unsure=False)
    sealing.begin(StreamName("yard", "main"), people.sequence + 1, choice)
    return choice, people.record("yard", at_ms)


def _in_run_directory_of_its_own(house: Household) -> None:
    text = house.config.read_text("utf-8")
    house.config.write_text(text.replace("[store]\n", f'[store]\nrun_dir = "{house.run_dir}"\n', 1), "utf-8")
