"""Around the processes: log lines, run-time directory, keys nearby, recipients, commands to paste."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nvr.errors import StoreTrouble
from nvr.invocation import typed_command
from nvr.keys_nearby import keys_nearby
from nvr.recording_plan import RecordingPlan
from nvr.run_directory import find_run_directory, make_run_directory, run_directory

DEVICE = bytes.fromhex("0123456789abcdef" * 2)

LOGGING = """
import logging, threading
from nvr.logs import start_logging
start_logging(("s3cret-pass", ""))
log = logging.getLogger("nvr.recorder")
log.warning("cannot open %s", "rtsp://eye:other@10.0.0.2/x")
log.warning("the camera said s3cret-pass")
try:
    raise KeyError("s3cret-pass")
except KeyError:
    log.exception("trouble")
def fails(): raise ValueError("rtsp://eye:s3cret-pass@10.0.0.2")
thread = threading.Thread(target=fails, name="front-demux")
thread.start(); thread.join()
"""


def test_log_lines_carry_no_secret_and_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True, timeout=30
    )
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    assert "s3cret-pass" not in done.stderr
    assert "other" not in done.stderr
    assert "rtsp://…@10.0.0.2/x" in lines[0]
    assert lines[2].endswith("trouble (KeyError at <string>:9)")
    assert "unexpected fault in front-demux: ValueError" in lines[3]


def test_where_the_run_time_directory_is() -> None:
    assert run_directory("/x/y", DEVICE, {"RUNTIME_DIRECTORY": "/run/nvr"}, 7) == Path("/x/y")
    assert run_directory("", DEVICE, {"RUNTIME_DIRECTORY": "/run/nvr:/run/b"}, 7) == Path("/run/nvr")
    user = run_directory("", DEVICE, {"XDG_RUNTIME_DIR": "/run/user/7"}, 7)
    assert user == Path("/run/user/7/sealed-nvr-01234567")
    assert run_directory("", DEVICE, {}, 7) == Path("/tmp/sealed-nvr-7-01234567")


def test_reports_are_found_where_a_recorder_without_a_session_left_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    device = os.urandom(16)
    ours = tmp_path / f"sealed-nvr-{device.hex()[:8]}"
    assert find_run_directory("", device) == ours
    elsewhere = make_run_directory(run_directory("", device, {}, os.getuid()))
    try:
        (elsewhere / "front.status.json").touch()
        assert find_run_directory("", device) == elsewhere
    finally:
        shutil.rmtree(elsewhere)


def test_the_run_time_directory_is_ours_alone(tmp_path: Path) -> None:
    wide = tmp_path / "run"
    wide.mkdir(mode=0o755)
    assert make_run_directory(wide).stat().st_mode & 0o777 == 0o700
    assert find_run_directory(str(wide), DEVICE) == wide
    link = tmp_path / "link"
    link.symlink_to(wide)
    with pytest.raises(StoreTrouble, match="belongs to somebody else"):
        make_run_directory(link)


def test_keys_beside_the_footage_are_found(tmp_path: Path) -> None:
    plain = tmp_path / "notes.txt"
    plain.write_text("AGE-SECRET-KEY-1QQQ")
    below = tmp_path / "backup" / "sheet.html"
    below.parent.mkdir()
    below.write_text("<p>AGE-SECRET-KEY-PQ-1QQQ")
    wrapped = tmp_path / "owner.key"
    wrapped.write_text("-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBh\n")
    (tmp_path / "footage.mp4.age").write_bytes(b"age-encryption.org/v1\n-> X25519 abc\n")
    (tmp_path / "large").write_bytes(b"AGE-SECRET-KEY-" + bytes(70_000))
    assert keys_nearby([tmp_path, tmp_path / "absent"]) == [below, plain, wrapped]


def test_a_schedule_tells_when_footage_is_wanted() -> None:
    plan = RecordingPlan(
        camera="front",
        streams={},
        transport="tcp",
        audio=True,
        tls_ca="",
        tls_verify=True,
        record="schedule",
        schedule=("mon-fri 08:00-18:00",),
        flush_s=2.0,
        store_root="/srv",
        run_dir="/run",
        state_dir="/state",
    )
    wanted = plan.wanted(ZoneInfo("Europe/Berlin"))

    def at(utc: str) -> bool:
        return wanted(int(datetime.fromisoformat(f"{utc}+00:00").timestamp() * 1e9))

    assert at("2026-11-23T07:00")
    assert not at("2026-11-23T06:59")
    assert not at("2026-11-22T12:00")
    assert at("2026-07-20T06:00")


def test_commands_to_paste_are_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "nvr")])
    assert (
        typed_command("--config", "/srv/my house/nvr.toml")
        == f"{tmp_path}/nvr --config '/srv/my house/nvr.toml'"
    )
    monkeypatch.setattr(sys, "argv", ["/x/__main__.py"])
    assert typed_command("run") == f"{sys.executable} -m nvr run"
