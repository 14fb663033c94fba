"""Retention as the supervisor runs it: the configuration reaches the planner, troubles are said once."""

from __future__ import annotations

import itertools
import logging
import shutil
import threading
from pathlib import Path

import pytest

from nvr import upkeep as upkeep_module
from nvr.config_file import parse_config
from nvr.retention_policy import policy_of
from nvr.upkeep import HURRIED_PASS_S, PASS_S, Upkeep
from pipeline.expiry import Pass
from pipeline.retention import Limits, Policy
from pipeline.store import Store
from tests.support.store_writing import make_store

QUIET = Pass(0, 0, again=False, short_bytes=0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


def test_the_configuration_as_a_policy() -> None:
    text = """
[store]
days = 14
max_bytes = "1TB"
min_free = "3GB"
[cameras.front]
url = "/dev/video0"
[cameras.drive]
url = "/dev/video1"
days = 3
max_bytes = "100GB"
"""
    assert policy_of(parse_config(text, Path("nvr.toml"))) == Policy(
        cameras={"front": Limits(14.0), "drive": Limits(3.0, 100 * 10**9)},
        others=Limits(14.0),
        max_bytes=10**12,
        min_free_bytes=3 * 10**9,
    )


def test_passes_hurry_when_more_must_go_or_the_floor_is_near(store: Store) -> None:
    assert Upkeep(store, Policy(), lambda *_: QUIET).run_once() == PASS_S
    more = Pass(10, 1000, again=True, short_bytes=0)
    assert Upkeep(store, Policy(), lambda *_: more).run_once() == HURRIED_PASS_S
    assert Upkeep(store, Policy(min_free_bytes=10**18), lambda *_: QUIET).run_once() == HURRIED_PASS_S


def test_nothing_is_touched_while_the_store_is_away(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    passes: list[Path] = []

    def run(root: Path, _policy: Policy, _now_ms: int | None) -> Pass:
        passes.append(root)
        return QUIET

    upkeep = Upkeep(store, Policy(), run)
    upkeep.run_once()
    shutil.move(store.root, store.root.with_name("unmounted"))
    store.root.mkdir()
    with caplog.at_level(logging.INFO):
        upkeep.run_once()
        upkeep.run_once()
    assert len(passes) == 1
    assert [record.getMessage() for record in caplog.records if "not mounted" in record.getMessage()] != []
    assert len(caplog.records) == 1
    assert list(store.root.iterdir()) == []


def test_it_says_when_the_disk_cannot_be_freed(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    lacking = iter((5_000_000, 6_000_000))
    upkeep = Upkeep(store, Policy(), lambda *_: Pass(0, 0, False, next(lacking), ("the index is locked",)))
    upkeep.run_once()
    upkeep.run_once()
    said = caplog.text
    assert said.count("short of min_free") == 1
    assert "5.0 MB short of min_free" in said
    assert "the index is locked" in said


def test_a_disk_that_fills_between_two_passes_is_not_left_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute at 4 MB/s fills what a small disk has above its floor."""
    free_bytes = itertools.chain([10**9], itertools.repeat(10**6))
    monkeypatch.setattr(upkeep_module, "_free_bytes", lambda _root: next(free_bytes))
    passes = threading.Semaphore(0)

    def run(*_: object) -> Pass:
        passes.release()
        return QUIET

    upkeep = Upkeep(store, Policy(min_free_bytes=10**7), run)
    upkeep.start()
    try:
        assert passes.acquire(timeout=PASS_S / 4)
        assert passes.acquire(timeout=PASS_S / 4)
    finally:
        upkeep.stop()


def test_the_thread_ends_when_asked(store: Store) -> None:
    upkeep = Upkeep(store, Policy(), lambda *_: QUIET)
    upkeep.start()
    upkeep.stop()
