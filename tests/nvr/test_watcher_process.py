"""The watcher as a process: alone on its store, supervised or by hand, and what is said of its end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nvr.errors import RUNNING, USAGE
from nvr.watch_plan import NotifyPlan, WatchPlan
from nvr.watch_standing import WatchStanding, watch_lines, watch_noun
from nvr.watcher_process import Ends, WatcherProcess, read_ends
from pipeline.watch_report import LookReport, LookState, WatchReport, read_watch_report
from tests.support.household import is_alive, make_household, until

PLAN = WatchPlan((), "", "", 1, "/srv/store", "/srv/state", "/run/x", NotifyPlan())
NOW_MS = 1_795_000_000_000
LOOKS = LookReport(LookState.LOOKING, stream="main", mode="all", events=2, last_event_end_ms=NOW_MS - 90_000)
REPORT = WatchReport(4714, NOW_MS - 60_000, NOW_MS - 1_000, "model", cameras={"front": LOOKS})


def lines(report: WatchReport | None, ends: Ends | None = None, *, supervised: bool = True) -> list[str]:
    return watch_lines(WatchStanding(("front",), report, ends), NOW_MS, supervised=supervised)


@pytest.mark.slow
def test_it_is_alone_on_its_store_and_ends_with_its_supervisor(tmp_path: Path) -> None:
    house = make_household(tmp_path, watched=True)
    house.add_street()
    with house.running() as run:
        until(lambda: read_watch_report(house.run_dir), why=run.log)
        report = read_watch_report(house.run_dir)
        assert report is not None
        second = house.nvr("watch")
        assert second.returncode == RUNNING
        assert second.stderr.count("\n") == 1
        assert "nvr watch on" in second.stderr
        run.process.kill()
        until(lambda: not is_alive(report.pid), timeout_s=10)


@pytest.mark.slow
def test_by_hand_it_waits_for_recorders_and_ends_when_asked(tmp_path: Path) -> None:
    house = make_household(tmp_path, watched=True)
    house.add_street()
    with house.running("watch") as run:
        until(lambda: "looking at street" in run.log(), why=run.log)
        until(lambda: read_watch_report(house.run_dir), why=run.log)
        assert house.json("status")["watch"]["cameras"]["street"]["state"] == "waiting for the recorder"
        run.process.terminate()
        assert run.process.wait(10) == 0
    house.config.write_text("this is = not TOML")
    refused = house.nvr("watch")
    assert refused.returncode == USAGE
    assert "Traceback" not in refused.stderr


def test_how_it_ended_is_noted_until_the_supervisor_begins_anew(tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(_plan: WatchPlan) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"]))
        return started[-1]

    watcher = WatcherProcess(PLAN, tmp_path, start)
    assert read_ends(tmp_path) is None
    for now_s in (0.0, 100.0):
        watcher.tend(now_s)
        started[-1].wait(10)
        watcher.tend(now_s)
    ends = read_ends(tmp_path)
    assert ends is not None
    assert (ends.count, ends.how) == (2, "exit code 7")
    WatcherProcess(PLAN, tmp_path, start)
    assert read_ends(tmp_path) is None
    (tmp_path / "watch.ends.json").write_text('{"count": "many"}')
    assert read_ends(tmp_path) is None


def test_a_line_a_camera_and_what_went_wrong() -> None:
    assert lines(REPORT) == [
        "Looking at front: looking, main stream, decoding everything, last event ended 1 min 30 s ago."
    ]
    (line,) = lines(replace(REPORT, cameras={"front": replace(LOOKS, event_goes_on=True)}))
    assert line.endswith("decoding everything, an event goes on.")
    failing = replace(
        LOOKS, state=LookState.FAILED, reason="KeyError at eye.py:12", restarts=2, lost_events=3
    )
    assert lines(replace(REPORT, cameras={"front": failing})) == [
        "Looking at front: starting again (KeyError at eye.py:12), last event ended 1 min 30 s ago, "
        "began anew twice, 3 events lost."
    ]
    assert lines(replace(REPORT, problem="the model is missing", cameras={})) == [
        "Looking: the model is missing.",
        "Looking at front: not yet.",
    ]
    assert lines(replace(REPORT, written_ms=NOW_MS - 45_000))[0] == (
        "Looking: the watcher has said nothing for 45 s; what follows is from before."
    )


def test_without_a_watcher_it_is_said_only_where_one_should_be() -> None:
    ends = Ends(3, NOW_MS - 12_000, "SIGKILL")
    assert lines(None, ends) == [
        "Looking: no watcher is running; recording does not need it.",
        "The watcher ended by itself 3 times, last 12 s ago (SIGKILL); recording went on.",
    ]
    assert lines(None, ends, supervised=False) == []
    assert watch_lines(WatchStanding((), None, None), NOW_MS, supervised=True) == []
    noun = watch_noun(WatchStanding(("front",), None, ends), NOW_MS)
    assert noun["ended"] == {"count": 3, "last_ms": NOW_MS - 12_000, "how": "SIGKILL"}
    assert (noun["pid"], noun["cameras"]) == (None, {})


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"cameras": {"a": {"state": "dozing"}}}', '{"cameras": 3}']
)
def test_a_report_of_another_version_counts_for_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "watch.json").write_text(text)
    assert read_watch_report(tmp_path) is None


def test_a_report_is_read_as_it_was_written() -> None:
    assert WatchReport.from_json(REPORT.to_json()) == REPORT
