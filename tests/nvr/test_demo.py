"""The demonstration: the real machinery, and commands that can be pasted."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from tests.support.household import until

pytestmark = pytest.mark.slow


@pytest.fixture
def said(tmp_path: Path) -> Iterator[list[str]]:
    """What `nvr demo` prints while it records for some seconds, the folder being in `tmp_path`."""
    done = subprocess.run(
        [sys.executable, "-m", "nvr", "demo", "--seconds", "18"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    yield done.stdout.splitlines()
    shutil.rmtree(tmp_path)


def test_on_a_terminal_it_goes_on_until_ctrl_c_and_takes_everything_along(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    command = ["setsid", "--ctty", "--wait", sys.executable, "-m", "nvr", "demo"]
    environment = {"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as asking:
        os.close(theirs)
        said = b""
        while b" export --camera street " not in said:  # Ctrl-C throws away what a terminal has yet to show
            said += os.read(ours, 1000)
        assert b"Meanwhile, in another terminal:" in said
        os.write(ours, b"\x03")
        with contextlib.suppress(OSError):  # EIO: the other side has closed
            while more := os.read(ours, 1000):
                said += more
        assert asking.wait(30) == 0, said
    os.close(ours)
    assert said.count(b" export --camera street ") == 2
    assert b"rm -r " in said
    (recorder,) = {line.split()[-1] for line in said.decode().splitlines() if "A household for" in line}
    assert subprocess.run(["pgrep", "-f", recorder], check=False, capture_output=True).stdout == b""


def test_it_does_not_leave_a_recorder_behind(tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    demo = subprocess.Popen(
        [sys.executable, "-m", "nvr", "demo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert demo.stderr is not None
    while b"recording" not in demo.stderr.readline():
        assert demo.poll() is None
    demo.kill()
    demo.wait()
    demo.stderr.close()
    pgrep = ["pgrep", "-f", str(tmp_path)]
    until(lambda: not subprocess.run(pgrep, check=False, capture_output=True).stdout, timeout_s=20)


def test_it_records_and_says_what_to_try(said: list[str], tmp_path: Path) -> None:
    segments = [line for line in said if line.endswith(".mp4.age")]
    assert len(segments) >= 2
    export, events, show, listing, removal = (
        shlex.split(line) for line in said if line.startswith("  /") or "rm -r" in line
    )
    found = {match[1] for line in said if (match := re.search(r" (\w+) +found in street-0, score 0\.", line))}
    assert {"car", "person"} <= found
    assert events[events.index("events") :][:2] == ["events", "--identity"]
    assert show[show.index("show") :][:3] == ["show", "street-0", "--identity"]
    told = subprocess.run(events, capture_output=True, text=True, check=True, timeout=30).stdout
    assert "street-0" in told and "car" in told
    subprocess.run(show, capture_output=True, check=True, timeout=30)
    picture = cv2.imread(show[-1])
    assert picture is not None and picture.size
    assert export[export.index("export") :][:3] == ["export", "--camera", "street"]
    assert Path(export[export.index("--identity") + 1]).read_text().count("AGE-SECRET-KEY-") == 1
    listed = subprocess.run(listing, capture_output=True, text=True, check=True, timeout=30).stdout
    counted = [int(found) for found in re.findall(r" (\d+) segments?,", listed)]
    assert sum(counted) == len(segments), "one line each where they are kept for different times"
    assert Path(removal[-1]).parent == tmp_path
    subprocess.run(export, capture_output=True, check=True, timeout=60)
    probe = ["ffprobe", "-v", "warning", "-show_entries", "format=duration", "-of", "csv=p=0", export[-1]]
    probed = subprocess.run(probe, capture_output=True, text=True, check=True, timeout=30)
    assert probed.stderr == ""
    assert float(probed.stdout) > 8
    footage = (Path(removal[-1]) / "house" / "store").rglob("*.mp4.age")
    assert all(path.read_bytes().startswith(b"age-encryption.org/v1\n-> X25519 ") for path in footage)
