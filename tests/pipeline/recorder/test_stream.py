"""A stream whose camera is away: tried for ever, said once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from pipeline.health import StreamHealth
from pipeline.model import StreamName
from pipeline.names import GapMark
from pipeline.recorder import stream as recorded_stream
from pipeline.recorder.backlog import Backlog
from pipeline.recorder.refusals import Refusals
from pipeline.recorder.settings import always
from pipeline.recorder.stream import Reconnecting, StreamRecorder
from pipeline.recorder.writer import Lane, WriterItem
from pipeline.source import Item, SourceSettings, Unreachable
from pipeline.tap import TapServer

_TRIES = 100


def test_a_camera_that_flaps_for_long_fills_neither_the_gap_marks_nor_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop, tries = threading.Event(), count(1)

    def away(_: SourceSettings, __: Callable[[], bool], ___: Callable[[], float]) -> Iterator[Item]:
        number = next(tries)
        if number == _TRIES:
            stop.set()
        raise Unreachable(("no route to the camera", "camera does not answer")[number % 2])

    monkeypatch.setattr(recorded_stream, "open_source", away)
    backlog: Backlog[WriterItem] = Backlog(1000)
    lane = Lane(StreamName("front", "main"), StreamHealth(), 0)
    tap = TapServer(tmp_path / "front.main.tap", "front-tap")
    reconnecting = Reconnecting((0,), Refusals((0,)))
    with caplog.at_level(logging.INFO, "nvr.recorder"):
        StreamRecorder(
            SourceSettings("rtsp://10.0.0.2/1"), lane, tap, backlog, always, 10.0, reconnecting, stop
        ).run()
    tap.close()
    marks = []
    while isinstance(item := backlog.take(0), GapMark):
        marks.append(item.reason)
    assert marks == ["camera does not answer", "no route to the camera", "recorder stopped"]
    assert lane.health.reconnects == _TRIES - 1
    assert len(caplog.records) == 3
