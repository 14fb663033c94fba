"""Promise 6: the key that signed yesterday is nowhere, so that nobody can sign yesterday anew.

A real `nvr run` whose clock is moved to the next day; then every file and the memory of every process are
searched for what lay in the key file before.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.canaries import files_below
from tests.support.clock_setting import ClockSetting
from tests.support.household import make_household, until
from tests.support.memory import found_in_memory

pytestmark = pytest.mark.slow

DAY_S = 86_400
SEED_BYTES = 32


def test_after_midnight_no_file_and_no_memory_holds_yesterdays_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ClockSetting(tmp_path)
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)
    house = make_household(tmp_path)
    house.add_street()
    day_key, certificates = house.directory / "state/day.key", house.store / "keys/days.jsonl"
    with house.running() as run:
        until(lambda: len(house.segments()) >= 2, 60, run.log)
        yesterdays = day_key.read_bytes()[-SEED_BYTES:]
        assert [place for place, content in files_below(tmp_path).items() if yesterdays in content] == [
            str(day_key)
        ]
        clock.move(DAY_S)
        until(lambda: len(certificates.read_bytes().splitlines()) == 2, 150, run.log)
        count = len(house.segments())
        until(lambda: len(house.segments()) > count, 60, run.log)
        pids = [run.process.pid, *run.children()]
        assert len(pids) == 2
        known = str(house.store).encode()
        for pid in pids:
            assert found_in_memory(pid, [yesterdays, known]) == {known}
    assert day_key.read_bytes()[-SEED_BYTES:] != yesterdays
    assert [place for place, content in files_below(tmp_path).items() if yesterdays in content] == []
    verified = house.nvr("verify")
    assert verified.returncode == 0, verified.stdout
