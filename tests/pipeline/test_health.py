"""Reports round-trip, tell the rate, and die with their process."""

import os
import subprocess
from pathlib import Path

import pytest

from pipeline.health import CameraReport, State, StreamHealth, read_report, report_path, write_report


def _report(pid: int) -> CameraReport:
    health = StreamHealth(video="h264 640x360", packets=3, lost_gops=1)
    health.set_state(State.AWAY, 5, "camera unreachable")
    return CameraReport("front", pid, 1, 2, 3, 4, {"main": health.report(1.0, 7)})


def test_a_report_round_trips_through_its_file(tmp_path: Path) -> None:
    report = _report(os.getpid())
    write_report(tmp_path, report)
    assert read_report(tmp_path, "front") == report
    assert report.streams["main"].reason == "camera unreachable"
    assert [p.name for p in tmp_path.iterdir()] == ["front.status.json"]


def test_the_report_of_a_dead_recorder_does_not_count(tmp_path: Path) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    write_report(tmp_path, _report(process.pid))
    assert read_report(tmp_path, "front") is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"streams":{"main":{"state":"asleep"}}}', '{"streams":[]}']
)
def test_nonsense_is_no_report(tmp_path: Path, text: str) -> None:
    report_path(tmp_path, "front").write_text(text)
    assert read_report(tmp_path, "front") is None


def test_the_rate_is_over_a_sliding_window() -> None:
    health = StreamHealth()
    for second in range(100):
        report = health.report(float(second), 0)
        health.total_bytes += 1000 if second < 50 else 3000
    assert report.bytes_per_s == 3000


def test_a_state_is_new_only_once() -> None:
    health = StreamHealth()
    assert health.set_state(State.RECORDING, 10)
    assert not health.set_state(State.RECORDING, 20)
    assert health.since_ms == 10
    assert health.set_state(State.AWAY, 30, "camera silent")
