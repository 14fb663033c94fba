"""`nvr run` with real recorders: alone on its store, keeping recorders alive, taking changes over, ending."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from nvr.errors import RUNNING, STORE, USAGE
from tests.support.household import STREET, Household, Running, is_alive, until

pytestmark = pytest.mark.slow
PASSWORD = "hunter2-of-the-porch"


def is_recording(run: Running, camera: str, times: int = 1) -> bool:
    return run.log().count(f"{camera}/main: recording") >= times


def recorder_of(run: Running, camera: str) -> int:
    """The process that records a camera; 0 for none."""
    for pid in run.children():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if camera.encode() in words:
            return pid
    return 0


def test_it_records_says_so_and_ends_cleanly(house: Household) -> None:
    house.add_street()
    with house.running() as run:
        until(lambda: is_recording(run, "street"), why=run.log)
        until(lambda: house.stream("street")["recording"])
        recorder = recorder_of(run, "street")
        asked_s = time.monotonic()
        run.process.terminate()
        assert run.process.wait(10) == 0
        assert time.monotonic() - asked_s < 10
    assert not is_alive(recorder)
    assert not house.stream("street")["recording"]
    assert house.segments()
    assert list(house.store.rglob("*.part")) == []


def test_a_second_run_on_the_same_store_is_refused(house: Household) -> None:
    with house.running() as run:
        until(lambda: "no camera is configured" in run.log(), why=run.log)
        second = house.nvr("run")
        assert second.returncode == RUNNING
        assert second.stderr.count("\n") == 1
        assert "is already running" in second.stderr
        assert run.process.poll() is None


def test_a_recorder_that_dies_is_back_within_seconds(house: Household) -> None:
    house.add_street()
    with house.running() as run:
        until(lambda: is_recording(run, "street"), why=run.log)
        before = recorder_of(run, "street")
        os.kill(before, signal.SIGKILL)
        until(lambda: is_recording(run, "street", times=2), timeout_s=10, why=run.log)
        assert recorder_of(run, "street") not in (0, before)
        assert "its recorder ended (SIGKILL); starting again in 1 s" in run.log()


def test_recorders_do_not_outlive_their_supervisor(house: Household) -> None:
    house.add_street()
    with house.running() as run:
        until(lambda: is_recording(run, "street"), why=run.log)
        recorder = recorder_of(run, "street")
        run.process.kill()
        until(lambda: not is_alive(recorder), timeout_s=10)


def test_sighup_takes_changes_over_and_leaves_the_others_alone(house: Household) -> None:
    house.add_street("street")
    with house.running() as run:
        until(lambda: is_recording(run, "street"), why=run.log)
        street = recorder_of(run, "street")
        house.add_street("lane")
        run.process.send_signal(signal.SIGHUP)
        until(lambda: is_recording(run, "lane"), why=run.log)
        lane = recorder_of(run, "lane")

        good = house.config.read_text()
        house.config.write_text(
            good.replace("days = 30", f'days = "{PASSWORD}"') + f'pasword = "{PASSWORD}"\n'
        )
        run.process.send_signal(signal.SIGHUP)
        until(lambda: run.log().count("configuration not taken over") >= 3, why=run.log)
        assert "did you mean password?" in run.log()
        assert PASSWORD not in run.log()
        assert (recorder_of(run, "street"), recorder_of(run, "lane")) == (street, lane)

        house.config.write_text(good + "audio = false\n")
        run.process.send_signal(signal.SIGHUP)
        until(lambda: is_recording(run, "lane", times=2), why=run.log)
        assert recorder_of(run, "lane") not in (0, lane)
        assert recorder_of(run, "street") == street

        house.config.write_text(good[: good.index("[cameras.lane]")])
        run.process.send_signal(signal.SIGHUP)
        until(lambda: not recorder_of(run, "lane"), why=run.log)
        assert recorder_of(run, "street") == street


def test_a_recorder_restarts_with_good_settings_while_the_file_is_faulty(house: Household) -> None:
    house.add_street()
    with house.running() as run:
        until(lambda: is_recording(run, "street"), why=run.log)
        house.config.write_text("this is = not TOML")
        os.kill(recorder_of(run, "street"), signal.SIGKILL)
        until(lambda: is_recording(run, "street", times=2), timeout_s=10, why=run.log)


def test_a_store_that_is_not_mounted_is_refused(house: Household) -> None:
    house.add_street()
    shutil.move(house.store, house.directory / "unmounted")
    house.store.mkdir()
    done = house.nvr("run")
    assert done.returncode == STORE
    assert "is not mounted" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(house.store.iterdir()) == []


def test_a_faulty_configuration_starts_nothing(house: Household) -> None:
    house.add("front", url="gopher://x", pasword=PASSWORD)
    done = house.nvr("run")
    assert done.returncode == USAGE
    assert f"{house.config}:" in done.stderr
    assert "did you mean password?" in done.stderr
    assert PASSWORD not in done.stderr


def test_it_warns_of_a_key_beside_the_footage(house: Household) -> None:
    shutil.copy(house.key_file, house.directory / "owner.key")
    with house.running() as run:
        until(lambda: "a key lies beside the footage" in run.log(), why=run.log)
    assert str(house.directory / "owner.key") in run.log()


def test_an_unreachable_camera_is_said_and_the_other_goes_on(house: Household) -> None:
    house.add("porch", url="rtsp://127.0.0.1:1/x", user="eye", password=PASSWORD)
    house.add_street()
    with house.running() as run:
        until(lambda: is_recording(run, "street") and "porch/main: away" in run.log(), why=run.log)
        until(lambda: house.stream("porch")["report"] is not None)
        assert house.stream("porch")["report"]["state"] == "away"
        command = Path(f"/proc/{recorder_of(run, 'porch')}/cmdline").read_bytes()
        environment = Path(f"/proc/{recorder_of(run, 'porch')}/environ").read_bytes()
        assert PASSWORD.encode() not in command + environment
        shown = house.nvr("status").stdout
    assert "away" in shown
    assert PASSWORD not in run.log() + shown


def test_a_recorder_stays_small(house: Household) -> None:
    house.add("street", url=STREET.as_uri(), sub=STREET.as_uri())
    with house.running() as run:
        until(lambda: is_recording(run, "street"), why=run.log)
        pid = recorder_of(run, "street")
        mapped = Path(f"/proc/{pid}/maps").read_text()
        for forbidden in ("numpy", "cv2", "_pydantic_core"):
            assert forbidden not in mapped
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().split()
        assert int(rollup[rollup.index("Rss:") + 1]) < 85_000
