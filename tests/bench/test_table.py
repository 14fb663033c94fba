"""The benchmark measures and prints; what it measures is not judged here, for machines differ."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.scale import TINY
from bench.table import Findings, Goal, Row, markdown

MEASURED = {
    "record": "1080p30",
    "sixteen": "packets lost",
    "sealing": "opening 2 MiB",
    "index": "a camera's day",
    "rebuild": "nvr index rebuild",
    "export": "nvr export",
    "proof": "nvr verify",
}


@pytest.mark.parametrize("section", command.SECTIONS)
def test_each_section_measures_something(section: str, tmp_path: Path) -> None:
    page = command.run([section], TINY, tmp_path)
    row = next(line for line in page.splitlines() if MEASURED[section] in line)
    assert any(character.isdigit() for character in row.split("|")[2])
    assert (tmp_path / "bench.md").read_text("utf-8") == page
    assert "Linux" in page and "cryptography" in page
    assert list((tmp_path / "bench").iterdir()) == []  # gigabytes would stay otherwise


def test_goals_are_judged() -> None:
    rows = [
        Row("fast", "1 s", "3 s", 3.0, Goal("≥", 1.2, "×"), 3.0),
        Row("large", "90 MB", goal=Goal("≤", 85, "MB"), figure=90),
        Row("free", "1"),
    ]
    lines = markdown([Findings(rows, ["A note."])]).splitlines()
    judged = {cells[1].strip(): cells[-2].strip() for cells in (line.split("|") for line in lines[2:5])}
    assert judged == {"fast": "yes", "large": "**no**", "free": "–"}
    assert lines[-1] == "- A note."


def test_an_unknown_section_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--only", "nonsense"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "nonsense" in done.stderr
