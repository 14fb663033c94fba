"""`nvr list` of footage that is there by name only: deadlines, and what retention has left."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nvr.cli import main
from pipeline.model import StreamName
from pipeline.names import HOUR_MS, LAST_MS, GapMark, SegmentName, StoredSegment
from pipeline.store import Store, append_gap_mark
from tests.support.sparse_store import put

FRONT = StreamName("front", "main")
NOON_MS = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * 1000
DAY = ("--from", "2026-11-22", "--to", "2026-11-22")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    directory = tmp_path / "cabin"
    assert main(["init", str(directory), "--keys-to", str(tmp_path / "keys"), "--no-passphrase"]) == 0
    return directory / "nvr.toml"


def store(config: Path, sequence: int, start_ms: int | None = None, **more: Any) -> None:
    """A segment of ten seconds; by default where its number would be if recording had never stopped."""
    name = SegmentName(
        NOON_MS + sequence * 10_000 if start_ms is None else start_ms, 10_000, sequence, **more
    )
    put(config.parent / "store", StoredSegment(FRONT, name, 4096))


def listed(config: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["--config", str(config), "list", *DAY, *words]) == 0
    return capsys.readouterr().out


def test_deadlines_are_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    until_ms = int(datetime(2026, 12, 21, 23, 30, tzinfo=UTC).timestamp()) * 1000
    for sequence, kept_until_ms in enumerate((0, until_ms, until_ms, LAST_MS)):
        store(config, sequence, kept_until_ms=kept_until_ms)
    (stream,) = json.loads(listed(config, capsys, "--json"))["streams"]
    assert [(run["segments"], run["kept_until_ms"]) for run in stream["runs"]] == [
        (1, None),
        (2, until_ms),
        (1, LAST_MS),
    ]
    assert stream["gaps"] == []
    _, plain, kept, for_ever = listed(config, capsys).splitlines()
    assert "kept" not in plain
    assert kept.endswith("20 s, 2 segments, 8.2 kB, kept until 2026-12-22")
    assert "kept until 9999-12-3" in for_ever


def test_what_retention_removed_was_not_a_recorder_that_did_not_run(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for sequence in (0, 1, 6, 7, 90):
        store(config, sequence)
    store(config, 91, NOON_MS + HOUR_MS)
    append_gap_mark(Store(config.parent / "store"), GapMark(FRONT, NOON_MS + 85_000, "camera silent"))
    (stream,) = json.loads(listed(config, capsys, "--json"))["streams"]
    assert [gap["reason"] for gap in stream["gaps"]] == [
        "deleted by retention",
        "camera silent, and deleted by retention",
        "recorder was not running",
    ]
    assert "gap, 40 s: deleted by retention\n" in listed(config, capsys)


def test_what_lies_under_another_time_was_not_deleted(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clock was set to 2040 for forty seconds, and forward by an hour within the day."""
    for sequence in (0, 5, 10):
        store(config, sequence)
    for sequence in range(1, 5):
        store(config, sequence, int(datetime(2040, 1, 1, tzinfo=UTC).timestamp()) * 1000, clock_unsure=True)
    for sequence in range(6, 10):
        store(config, sequence, NOON_MS + HOUR_MS + sequence * 10_000)
    (stream,) = json.loads(listed(config, capsys, "--json"))["streams"]
    assert [gap["reason"] for gap in stream["gaps"]] == [
        "recorded under another time",
        "recorded under another time",
        "recorder was not running",
    ]
