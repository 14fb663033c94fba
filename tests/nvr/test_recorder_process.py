"""How a recorder process is kept alive, with processes of our own in its place and time as data."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nvr.recorder_process import BEGIN_S, PAUSES_S, SILENT_S, STEADY_S, RecorderProcess, report_time_ns
from nvr.recording_plan import RecordingPlan, StreamAddress

PLAN = RecordingPlan(
    camera="front",
    streams={"main": StreamAddress("rtsp://10.0.0.2/1", "eye", "hunter2")},
    transport="tcp",
    audio=True,
    tls_ca="",
    tls_verify=True,
    record="continuous",
    schedule=(),
    flush_s=2.0,
    store_root="/srv/store",
    run_dir="/run/x",
    state_dir="/srv/state",
)


class Processes:
    """Starts `python -c CODE` for every recorder and remembers them."""

    def __init__(self) -> None:
        self.code = "raise SystemExit(7)"
        self.started: list[tuple[RecordingPlan, subprocess.Popen[bytes]]] = []

    def start(self, plan: RecordingPlan) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", self.code])
        self.started.append((plan, process))
        return process

    def ended(self) -> None:
        self.started[-1][1].wait(10)


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    for _, process in made.started:
        process.kill()
        process.wait()


def test_pauses_grow_and_a_steady_run_resets_them(processes: Processes) -> None:
    recorder = RecorderProcess(PLAN, processes.start, lambda _: 0)
    now_s = 100.0
    for pause_s in (*PAUSES_S, PAUSES_S[-1]):
        recorder.tend(now_s)
        processes.ended()
        recorder.tend(now_s)
        assert recorder.ended
        recorder.tend(now_s + pause_s - 0.01)
        assert recorder.ended
        now_s += pause_s
    recorder.tend(now_s)
    processes.ended()
    recorder.tend(now_s + STEADY_S)
    recorder.tend(now_s + STEADY_S + PAUSES_S[0])
    assert not recorder.ended


def test_changed_settings_end_the_old_process_before_the_new_one(processes: Processes) -> None:
    processes.code = "import time; time.sleep(60)"
    recorder = RecorderProcess(PLAN, processes.start, lambda _: 0)
    recorder.tend(0)
    changed = replace(PLAN, audio=False)
    recorder.change(changed)
    processes.ended()
    recorder.tend(0.1)
    recorder.tend(0.1)
    assert [plan for plan, _ in processes.started] == [PLAN, changed]
    recorder.change(None)
    processes.ended()
    recorder.tend(0.2)
    recorder.tend(99)
    assert recorder.ended
    assert len(processes.started) == 2


def test_a_process_that_says_nothing_is_ended(processes: Processes) -> None:
    processes.code = "import time; time.sleep(60)"
    reports = iter([1, 2, 2, 2, 2])
    recorder = RecorderProcess(PLAN, processes.start, lambda _: next(reports))
    recorder.tend(0)
    recorder.tend(1)
    recorder.tend(SILENT_S)
    recorder.tend(2 * SILENT_S)
    assert processes.started[0][1].poll() is None
    recorder.tend(2 * SILENT_S + 1)
    processes.ended()
    assert processes.started[0][1].returncode == -9


def test_a_process_that_reads_a_large_store_has_time(processes: Processes) -> None:
    processes.code = "import time; time.sleep(60)"
    recorder = RecorderProcess(PLAN, processes.start, lambda _: 5)  # a report of the one before
    for now_s in (0.0, 1.0, SILENT_S + 2, BEGIN_S - 1):
        recorder.tend(now_s)
    assert processes.started[-1][1].poll() is None
    recorder.tend(BEGIN_S + 1)
    processes.ended()
    assert processes.started[-1][1].returncode == -signal.SIGKILL


def test_a_process_that_cannot_report_is_let_be(processes: Processes, tmp_path: Path) -> None:
    processes.code = "import time; time.sleep(60)"
    report = tmp_path / "run" / "front.status.json"
    recorder = RecorderProcess(PLAN, processes.start, lambda _: report_time_ns(report))
    for now_s in (0.0, 1.0, SILENT_S + 2, 3 * SILENT_S):
        recorder.tend(now_s)
    assert processes.started[0][1].poll() is None
    report.parent.mkdir()
    assert report_time_ns(report) == 0
    report.touch()
    assert report_time_ns(report) == report.stat().st_mtime_ns


def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    tried: list[str] = []

    def start(plan: RecordingPlan) -> subprocess.Popen[bytes]:
        tried.append(plan.camera)
        raise FileNotFoundError(2, "No such file or directory")

    recorder = RecorderProcess(PLAN, start, lambda _: 0)
    for now_s in (0.0, 0.5, 1.0, 2.9, 3.0):
        recorder.tend(now_s)
    assert len(tried) == 3


def test_a_plan_crosses_a_pipe_unchanged_and_never_shows_its_password() -> None:
    plan = replace(PLAN, record="schedule", schedule=("mon-fri 08:00-18:00",))
    assert RecordingPlan.from_json(plan.to_json()) == plan
    assert "hunter2" not in repr(plan)
