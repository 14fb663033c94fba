"""One tap connection for all viewers of a stream, from the first to the last, over a recorder's restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.model import Packet, StreamName
from pipeline.wire import Dropped, Hello
from tests.support.footage import clip
from tests.web.live.serving import FRONT, gops_of, messages_of, pictures, publish, take_until, tap, until
from web.live.errors import BadStreams
from web.live.heard import Away, Back, Why
from web.live.relays import Relays


@pytest.fixture
def relays(tmp_path: Path) -> Iterator[Relays]:
    made = Relays(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def recording() -> tuple[Hello, list[list[Packet]]]:
    hello, packets = messages_of(clip(seconds=4))
    return hello, gops_of(packets)


def data_of(*gops: list[Packet]) -> list[bytes]:
    return [one.data for gop in gops for one in gop]


def test_viewers_share_one_connection_that_ends_with_the_last(
    tmp_path: Path, relays: Relays, recording: tuple[Hello, list[list[Packet]]]
) -> None:
    hello, gops = recording
    with tap(tmp_path, hello) as server:
        publish(server, gops[0][:5])
        first = relays.watch(FRONT, lambda: None)
        take_until(first, lambda heard: len(pictures(heard)) == 5)
        late = relays.watch(FRONT, lambda: None)
        heard = take_until(late, lambda heard: len(pictures(heard)) == 5)
        assert isinstance(heard[0], Hello)
        assert pictures(heard) == data_of(gops[0][:5])
        assert (server.readers, server.hurried) == (1, True)
        first.close()
        publish(server, gops[0][5:])
        assert pictures(take_until(late, lambda h: len(pictures(h)) == len(gops[0]) - 5)) == data_of(
            gops[0][5:]
        )
        late.close()
        until(lambda: server.readers == 0)
        again = relays.watch(FRONT, lambda: None)
        assert pictures(take_until(again, lambda heard: len(pictures(heard)) == len(gops[0]))) == data_of(
            gops[0]
        )


def test_a_recorder_that_starts_anew_is_found_and_viewers_go_on(
    tmp_path: Path, relays: Relays, recording: tuple[Hello, list[list[Packet]]]
) -> None:
    hello, gops = recording
    watch = relays.watch(FRONT, lambda: None)
    assert take_until(watch, lambda heard: bool(heard)) == [Away(Why.RECORDER)]
    with tap(tmp_path, hello) as server:
        publish(server, gops[0])
        heard = take_until(watch, lambda heard: len(pictures(heard)) == len(gops[0]))
        assert [type(one) for one in heard[:3]] == [Hello, Back, Packet]
    take_until(watch, lambda heard: Away(Why.RECORDER) in heard)
    with tap(tmp_path, hello) as server:
        until(lambda: server.readers == 1)
        publish(server, gops[1][3:])  # no keyframe: nothing can be shown of it
        publish(server, gops[2])
        heard = take_until(watch, lambda heard: len(pictures(heard)) == len(gops[2]))
    assert [type(one) for one in heard[:3]] == [Hello, Back, Packet]
    assert pictures(heard) == data_of(gops[2])


def test_a_viewer_who_is_slow_loses_gops_and_the_other_none(
    tmp_path: Path, relays: Relays, recording: tuple[Hello, list[list[Packet]]]
) -> None:
    hello, gops = recording
    room = max(len(b"".join(data_of(gop))) for gop in gops)
    slow, fast = relays.watch(FRONT, lambda: None, limit_bytes=room), relays.watch(FRONT, lambda: None)
    with tap(tmp_path, hello) as server:
        until(lambda: server.readers == 1)
        for gop in gops:
            publish(server, gop)
        assert pictures(take_until(fast, lambda h: len(pictures(h)) == len(data_of(*gops)))) == data_of(*gops)
        assert (fast.lost_gops, fast.lost_packets) == (0, 0)
        lost = slow.lost_packets
        heard = take_until(slow, lambda h: len(pictures(h)) == len(data_of(*gops)) - lost)
        shown = pictures(heard)
        kept = [gop for gop in gops if gop[0].data in shown]
        assert shown == data_of(*kept)
        assert (0 < len(kept) < len(gops), slow.lost_gops) == (True, len(gops) - len(kept))
        publish(server, gops[0])
        heard += take_until(slow, lambda more: gops[0][0].data in pictures(more))
        assert sum(one.packets for one in heard if isinstance(one, Dropped)) == lost
        slow.close()
        (report,) = relays.reports()
        assert (report.lost_packets, report.viewers) == (lost, 1)


def test_a_camera_that_sends_nothing_is_away(
    tmp_path: Path, recording: tuple[Hello, list[list[Packet]]]
) -> None:
    hello, gops = recording
    relays = Relays(tmp_path, silent_s=0.1)
    with tap(tmp_path, hello) as server:
        publish(server, gops[0])
        watch = relays.watch(FRONT, lambda: None)
        take_until(watch, lambda heard: Away(Why.CAMERA) in heard)
        publish(server, gops[1])
        assert isinstance(take_until(watch, lambda heard: bool(heard))[0], Back)
        relays.close()
        assert server.readers <= 1


@pytest.mark.parametrize("camera", ["", "../front", "a/b", ".hidden", "nul\0"])
def test_a_name_that_is_none_is_refused(relays: Relays, camera: str) -> None:
    with pytest.raises(BadStreams):
        relays.watch(StreamName(camera, "main"), lambda: None)
