"""A stream whose camera is away: tried for ever, said once. A clock that is set: said with the segment."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.health import StreamHealth
from pipeline.model import Codec, Kind, Packet, StreamInfo, StreamName, Track
from pipeline.names import GapMark
from pipeline.recorder import stream as recorded_stream
from pipeline.recorder.backlog import Backlog
from pipeline.recorder.refusals import Refusals
from pipeline.recorder.settings import always
from pipeline.recorder.stream import Reconnecting, StreamRecorder
from pipeline.recorder.writer import Footage, Lane, WriterItem
from pipeline.segmenter import SegmentOpened
from pipeline.source import Item, SourceSettings, Unreachable
from pipeline.tap import TapServer

_TRIES = 100
_YEAR_NS = 366 * 86_400 * 10**9


def believed(_now_ns: int) -> bool:
    """A clock that nobody doubts."""
    return False


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
            SourceSettings("rtsp://10.0.0.2/1"),
            lane,
            tap,
            backlog,
            always,
            believed,
            10.0,
            reconnecting,
            stop,
        ).run()
    tap.close()
    marks = []
    while isinstance(item := backlog.take(0), GapMark):
        marks.append(item.reason)
    assert marks == ["camera does not answer", "no route to the camera", "recorder stopped"]
    assert lane.health.reconnects == _TRIES - 1
    assert len(caplog.records) == 3


def test_a_segment_that_begins_when_the_clock_is_set_says_that_nobody_knows_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, ahead_ns = threading.Event(), [0]
    clock = SimpleNamespace(
        monotonic=time.monotonic,
        monotonic_ns=time.monotonic_ns,
        time_ns=lambda: time.time_ns() + ahead_ns[0],
    )

    def camera(_: SourceSettings, __: Callable[[], bool], ___: Callable[[], float]) -> Iterator[Item]:
        yield StreamInfo(Track(Kind.VIDEO, Codec.H264, 90_000, b"", 640, 360))
        for number in range(8):
            ahead_ns[0] = _YEAR_NS if number in (2, 3, 4) else 0  # it is set back between two frames, too
            arrived_ns = time.monotonic_ns()
            yield Packet(Kind.VIDEO, number * 90, number * 90, 90, number % 2 == 0, arrived_ns, b"frame")
        stop.set()

    started_ns = time.time_ns()
    monkeypatch.setattr(recorded_stream, "open_source", camera)
    monkeypatch.setattr(recorded_stream, "time", clock)
    backlog: Backlog[WriterItem] = Backlog(100_000)
    lane = Lane(StreamName("front", "main"), StreamHealth(), 0)
    tap = TapServer(tmp_path / "front.main.tap", "front-tap")
    StreamRecorder(
        SourceSettings("rtsp://10.0.0.2/1"),
        lane,
        tap,
        backlog,
        always,
        lambda now_ns: now_ns > started_ns + _YEAR_NS // 2,
        10.0,
        Reconnecting((0,), Refusals((0,))),
        stop,
    ).run()
    tap.close()
    opened = []
    while (item := backlog.take(0)) is not None:
        if isinstance(item, Footage) and isinstance(item.event, SegmentOpened):
            opened.append((item.event.start_ns > started_ns + _YEAR_NS // 2, item.event.unsure))
    assert opened == [(False, False), (True, True), (False, False)]
