"""One camera's thread at a real tap, with the real detector: it finds, waits, falls back, and begins anew."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.detect import InferenceQueue
from pipeline.event import Began, Ended, Happening
from pipeline.health import CameraReport, State, StreamHealth, write_report
from pipeline.tap import tap_name
from pipeline.watch_report import LookState
from pipeline.watcher import camera as camera_module
from pipeline.watcher.camera import Shared, WatchedCamera
from pipeline.watcher.eye import Eye
from pipeline.watcher.settings import CameraSettings
from pipeline.wire import Message
from tests.support.household import STREET, until
from tests.support.looks import detector
from tests.support.tap_feed import playing


@dataclass
class Bench:
    """One camera and all that it tells."""

    place: Path
    queue: InferenceQueue
    kept: list[tuple[Happening, bool]] = field(default_factory=list)
    looked: list[int] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def watch(self, **settings: object) -> tuple[WatchedCamera, threading.Thread]:
        camera = WatchedCamera(CameraSettings("front", **settings), self._shared(), self.stop)  # type: ignore[arg-type]
        thread = threading.Thread(target=camera.run, daemon=True)
        thread.start()
        return camera, thread

    def _shared(self) -> Shared:
        return Shared(
            self.queue,
            detector().input_size,
            self.place,
            self.place,
            lambda _camera, happening, unsure: self.kept.append((happening, unsure)),
            lambda _camera, until_ns: self.looked.append(until_ns),
        )

    def report(self, *, unsure: bool = False, **states: State) -> None:
        """What a recorder would say of its streams."""
        streams = {}
        for name, state in states.items():
            health = StreamHealth(clock_unsure=unsure)
            health.set_state(state, 1)
            streams[name] = health.report(1.0, 0)
        write_report(self.place, CameraReport("front", os.getpid(), 1, 1, 0, 0, streams))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with InferenceQueue(detector()) as queue:
        bench = Bench(tmp_path, queue)
        yield bench
        bench.stop.set()


def shows(camera: WatchedCamera, state: LookState) -> Callable[[], bool]:
    return lambda: camera.report().state is state


def test_it_finds_what_moves_waits_for_its_recorder_and_ends_what_is_open(bench: Bench) -> None:
    camera, thread = bench.watch()
    until(shows(camera, LookState.WAITING))
    with playing(bench.place, "front", "main", STREET):
        until(shows(camera, LookState.LOOKING))
        until(lambda: bench.kept)
    until(shows(camera, LookState.WAITING))
    assert isinstance(bench.kept[0][0], Began)
    assert {label for happening, _ in bench.kept for label in happening.event.labels} <= {
        *CameraSettings("front").rules.labels
    }
    assert bench.looked == sorted(bench.looked)
    report = camera.report()
    assert (report.events, report.stream, report.restarts, report.damaged) == (1, "main", 0, 0)
    with playing(bench.place, "front", "main", STREET):
        until(shows(camera, LookState.LOOKING))
    bench.stop.set()
    thread.join(10)
    assert isinstance(bench.kept[-1][0], Ended)


def test_while_the_clock_is_unsure_events_say_so_and_nothing_counts_as_looked_at(bench: Bench) -> None:
    bench.report(unsure=True, main=State.RECORDING)
    camera, _ = bench.watch()
    until(lambda: camera.report().clock_unsure)
    with playing(bench.place, "front", "main", STREET):
        until(lambda: bench.kept)
    assert all(unsure for _, unsure in bench.kept)
    assert set(bench.looked) <= {0}


def test_a_sub_stream_that_does_not_come_gives_way_until_it_is_there(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_module, "NO_SUB_S", 0.5)
    bench.report(main=State.RECORDING, sub=State.AWAY)
    camera, _ = bench.watch(streams=("main", "sub"))
    assert camera.report().stream == "sub"
    with playing(bench.place, "front", "main", STREET):
        until(lambda: camera.report().stream == "main" and shows(camera, LookState.LOOKING)())
        assert "the sub stream that was promised does not come" in camera.report().reason
        bench.report(main=State.RECORDING, sub=State.RECORDING)
        until(lambda: camera.report().stream == "sub")
        assert camera.report().reason == ""


def test_an_error_that_nobody_foresaw_costs_a_pause_and_shows_no_text(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(camera_module, "PAUSES_S", (0.2,))
    real, calls = Eye.take, iter(range(1000))

    def take(self: Eye, message: Message) -> object:
        if next(calls) == 30:
            raise KeyError("hunter2")
        return real(self, message)

    monkeypatch.setattr(Eye, "take", take)
    with caplog.at_level(logging.INFO), playing(bench.place, "front", "main", STREET):
        camera, _ = bench.watch()
        until(lambda: camera.report().restarts == 1)
        until(shows(camera, LookState.LOOKING))
    assert "front: looking failed (KeyError at test_camera.py:" in caplog.text
    assert "hunter2" not in caplog.text


def test_garbage_on_the_tap_ends_the_connection_and_nothing_else(bench: Bench) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(bench.place / tap_name("front", "main")))
        listener.listen()
        camera, _ = bench.watch()
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"\xff" * 100)
    until(shows(camera, LookState.WAITING))
    assert camera.report().restarts == 0


def test_outside_its_schedule_nothing_is_looked_at(bench: Bench) -> None:
    switch = threading.Event()
    with playing(bench.place, "front", "main", STREET) as tap:
        camera, _ = bench.watch(wanted=lambda _utc_ns: switch.is_set())
        until(shows(camera, LookState.PAUSED))
        time.sleep(0.2)
        assert tap.readers == 0
        switch.set()
        until(shows(camera, LookState.LOOKING))
        switch.clear()
        until(shows(camera, LookState.PAUSED))
