"""Holds from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nvr.cli import main
from nvr.errors import USAGE
from pipeline import walk


@pytest.fixture
def config(tmp_path: Path) -> Path:
    directory = tmp_path / "cabin"
    assert main(["init", str(directory), "--keys-to", str(tmp_path / "keys"), "--no-passphrase"]) == 0
    file = directory / "nvr.toml"
    file.write_text(file.read_text() + '\n[cameras.front]\nurl = "/dev/video0"\n')
    return file


def test_hold_and_unhold(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    store = config.parent / "store"
    span = ["--camera", "front", "--from", "2026-11-22 14:00", "--to", "14:20"]
    assert main(["--config", str(config), "hold", *span]) == 0
    held = walk.holds(store)
    assert [(hold.camera, hold.to_ms - hold.from_ms) for hold in held] == [("front", 1_200_000)]
    assert held[0].from_ms == 1_795_352_400_000
    assert "2026-11-22 14:00:00 +0100" in capsys.readouterr().out
    middle = ["--camera", "front", "--from", "2026-11-22 14:05", "--to", "14:10"]
    assert main(["--config", str(config), "unhold", *middle]) == 0
    assert [(hold.to_ms - hold.from_ms) // 60_000 for hold in walk.holds(store)] == [5, 10]
    assert main(["--config", str(config), "unhold", *span]) == 0
    assert walk.holds(store) == []
    assert main(["--config", str(config), "unhold", *span]) == 0
    assert "Nothing of front is held" in capsys.readouterr().out


def test_an_unknown_camera_is_named(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["--config", str(config), "hold", "--camera", "frnt", "--from", "-1h", "--to", "now"]) == USAGE
    )
    assert capsys.readouterr().err == 'There is no camera "frnt". Known cameras: front.\n'
