"""Cameras that misbehave: each fault ends in the right kind of error, or in going on without loss."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.model import StreamInfo
from pipeline.source import Interrupted, NotVideo, SourceSettings, Unreachable
from tests.support.faulty import FaultyCamera, faulty_camera
from tests.support.footage import clip
from tests.support.rtsp import Camera, camera
from tests.support.sources import watch


@pytest.fixture
def faulty() -> Iterator[FaultyCamera]:
    with faulty_camera({"main": clip(audio="aac")}) as served:
        yield served


@pytest.fixture(scope="module")
def front() -> Iterator[Camera]:
    with camera({"main": clip(b_frames=True, audio="opus")}) as served:
        yield served


def test_a_resolution_change_gives_a_new_stream_info(faulty: FaultyCamera) -> None:
    small = clip(size="320x180", audio="aac")
    watched = watch(SourceSettings(faulty.url("main")), 120, at={40: lambda: faulty.switch("main", small)})

    assert watched.error is None
    assert [info.video.width for info in watched.infos] == [640, 320]
    following = itertools.islice(
        itertools.dropwhile(lambda i: i is not watched.infos[1], watched.items), 1, 2
    )
    assert [getattr(item, "is_keyframe", None) for item in following] == [True]


def test_a_jump_of_the_cameras_clock_goes_through(faulty: FaultyCamera) -> None:
    watched = watch(SourceSettings(faulty.url("main")), 100, at={40: lambda: faulty.jump(3600.0)})
    steps = [b.dts - a.dts for a, b in itertools.pairwise(watched.video)]

    assert watched.error is None
    assert [round(step / 90000) for step in steps if step > 90000] == [3600]
    assert all(0 < step < 18000 for step in steps if step < 90000)


def test_lost_and_doubled_packets_do_not_end_it(faulty: FaultyCamera) -> None:
    watched = watch(
        SourceSettings(faulty.url("main")),
        120,
        at={30: lambda: faulty.drop(10), 60: lambda: faulty.duplicate(40)},
    )

    assert watched.error is None
    assert all(a.dts < b.dts for a, b in itertools.pairwise(watched.video))


@pytest.mark.parametrize("nap_s", [0.0, 0.1])
def test_every_packet_the_camera_sent_arrives_unchanged(faulty: FaultyCamera, nap_s: float) -> None:
    watched = watch(SourceSettings(faulty.url("main")), 100, nap_s=nap_s)
    sent = [unit.unit for unit in faulty.sent if unit.viewers]

    got = {packet.data for packet in watched.audio}
    heard = [unit for unit in sent if bytes(unit.data) in got]
    assert len(heard) >= len(watched.audio) > 100
    assert all(a.pts + a.duration == b.pts for a, b in itertools.pairwise(watched.audio[20:]))
    assert all(abs(b.pts - a.pts - 3600) <= 3 for a, b in itertools.pairwise(watched.video))


def test_naps_delay_packets_no_longer_than_they_say(faulty: FaultyCamera) -> None:
    watched = watch(SourceSettings(faulty.url("main")), 150, nap_s=0.2)
    lags = [packet.arrived_ns - packet.pts * 1_000_000_000 // 90_000 for packet in watched.video[50:]]

    assert (max(lags) - min(lags)) / 1e9 < 0.2 + 0.5
    arrivals = [packet.arrived_ns for packet in watched.video[50:]]
    assert sum(b - a < 20_000_000 for a, b in itertools.pairwise(arrivals)) > 50  # bursts, not one by one


def test_a_reset_and_an_end_interrupt(faulty: FaultyCamera, front: Camera) -> None:
    reset = watch(SourceSettings(faulty.url("main")), 500, at={20: faulty.reset})
    killed = watch(SourceSettings(front.url("main")), 500, at={20: front.kill})
    front.start()

    assert isinstance(reset.error, Interrupted)
    assert isinstance(killed.error, Interrupted)
    assert reset.seconds < 10
    assert killed.seconds < 10
    assert watch(SourceSettings(front.url("main")), 5).error is None


@pytest.mark.slow
def test_a_silent_camera_interrupts_after_ten_seconds(faulty: FaultyCamera) -> None:
    watched = watch(SourceSettings(faulty.url("main")), 500, limit_s=40, at={20: faulty.freeze})
    silent_s = time.monotonic() - watched.video[-1].arrived_ns / 1e9

    assert isinstance(watched.error, Interrupted)
    assert watched.error.reason == "camera silent"
    assert 9 < silent_s < 16


@pytest.mark.slow
def test_a_short_silence_is_bridged_on_the_same_connection(front: Camera) -> None:
    thaw = threading.Timer(6.5, front.thaw)

    def freeze() -> None:
        front.freeze()
        thaw.start()

    watched = watch(SourceSettings(front.url("main")), 300, limit_s=20, at={20: freeze})
    thaw.join()

    assert watched.error is None
    assert len(watched.video) > 200
    assert len(watched.infos) == 1


@pytest.mark.slow
def test_stop_is_heard_while_the_camera_is_silent(faulty: FaultyCamera) -> None:
    watched = watch(SourceSettings(faulty.url("main")), 500, limit_s=3, at={20: faulty.freeze})

    assert watched.error is None
    assert watched.seconds < 3 + 5.5


@pytest.mark.slow
def test_a_camera_that_never_answers_is_unreachable(faulty: FaultyCamera) -> None:
    faulty.freeze()
    watched = watch(SourceSettings(faulty.url("main")))

    assert isinstance(watched.error, Unreachable)
    assert watched.error.reason == "camera does not answer"
    assert watched.seconds < 8


def test_refused_connections_and_web_pages(faulty: FaultyCamera) -> None:
    faulty.answer_html()
    page = watch(SourceSettings(faulty.url("main"))).error
    faulty.answer_html(False)
    faulty.refuse()
    refused = watch(SourceSettings(faulty.url("main"))).error
    faulty.welcome()
    again = watch(SourceSettings(faulty.url("main")), 5)

    assert isinstance(page, NotVideo)
    assert isinstance(refused, Unreachable)
    assert again.error is None
    assert isinstance(again.items[0], StreamInfo)
