"""No packet leaves for anywhere that the user has not named: not even a question to a name server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.footage import clip

pytestmark = pytest.mark.slow

_ALONE = ("unshare", "--net") if os.getuid() == 0 else ("unshare", "--user", "--map-root-user", "--net")
_KNOCKING = "import socket; socket.socket(2, 2).sendto(b'', ('198.51.100.7', 9))"


def _seen(place: Path, *command: str) -> list[str]:
    """Where packets went while the command ran, in a network namespace of its own with a watched way out."""
    file = place / "seen.txt"
    file.touch()
    watched = (sys.executable, "-m", "tests.support.outside", str(file), *command)
    done = subprocess.run(
        (*_ALONE, *watched),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1:] in ([], ["done"])
    return file.read_text().splitlines()


def test_what_leaves_is_seen(tmp_path: Path) -> None:
    assert _seen(tmp_path, sys.executable, "-c", _KNOCKING) == ["198.51.100.7"]


def test_nothing_leaves_in_an_evening(tmp_path: Path) -> None:
    clip(audio="aac", seconds=6)  # made before: it is no part of the evening
    assert _seen(tmp_path, sys.executable, "-m", "tests.support.evening", str(tmp_path)) == []
