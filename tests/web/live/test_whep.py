"""WHEP with a real peer, which decodes what comes: each picture is exactly one of the camera's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.model import StreamName
from tests.support.footage import STREET, clip
from tests.support.tap_feed import playing
from tests.web.live.peer import Peer, peer_loop, pictures_of
from tests.web.live.serving import FRONT, messages_of, tap, until
from web.live.errors import BadOffer, CameraAway, NotInTime, Reason, TooManySessions, UseMse
from web.live.live import Live

H264 = "video/H264"


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with peer_loop() as made:
        yield made


@pytest.fixture
def peer(loop: asyncio.AbstractEventLoop) -> Iterator[Peer]:
    made = Peer(loop)
    yield made
    made.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    made = Live(tmp_path, most_whep=2)
    made.start()
    yield made
    made.close()


def test_pictures_arrive_whole(tmp_path: Path, live: Live, peer: Peer) -> None:
    path = clip(seconds=20)
    with playing(tmp_path, "front", "main", path) as server:
        answer = live.whep.offer("anna", FRONT, peer.offer())
        assert (answer.has_audio, answer.note) == (False, "")
        peer.take(answer.sdp)
        peer.wait(60)
        assert server.hurried
        assert set(peer.pictures) <= set(pictures_of(path))
        sent = pictures_of(path)
        begin = sent.index(peer.pictures[0])
        assert peer.pictures == sent[begin : begin + len(peer.pictures)]  # none was lost
        assert live.whep.end(answer.session_id, "ben") is False
        assert live.whep.end(answer.session_id, "anna") is True
        until(lambda: server.readers == 0)
        until(lambda: peer.state == "closed")


def test_a_recorder_that_starts_anew_is_survived(tmp_path: Path, live: Live, peer: Peer) -> None:
    path = clip(seconds=20)
    with playing(tmp_path, "front", "main", path):
        peer.take(live.whep.offer("anna", FRONT, peer.offer()).sdp)
        peer.wait(10)
    seen = len(peer.pictures)
    with playing(tmp_path, "front", "main", path):
        peer.wait(seen + 40)
    assert set(peer.pictures) <= set(pictures_of(path))
    assert len(live.whep) == 1


def test_opus_comes_along(tmp_path: Path, live: Live, peer: Peer) -> None:
    with playing(tmp_path, "front", "main", clip(audio="opus", seconds=20)):
        answer = live.whep.offer("anna", FRONT, peer.offer(audio=True))
        assert (answer.has_audio, answer.note) == (True, "")
        peer.take(answer.sdp)
        peer.wait(10)
        until(lambda: peer.sounds >= 20)


def test_aac_does_not_and_that_is_said(tmp_path: Path, live: Live, peer: Peer) -> None:
    with playing(tmp_path, "front", "main", clip(audio="aac", seconds=20)):
        answer = live.whep.offer("anna", FRONT, peer.offer(audio=True))
        assert not answer.has_audio
        assert "aac" in answer.note
        peer.take(answer.sdp)
        peer.wait(5)
        assert peer.sounds == 0


@pytest.mark.parametrize(("path", "reason"), [(STREET, Reason.B_FRAMES), (None, Reason.H265)])
def test_what_webrtc_cannot_carry_is_refused(
    tmp_path: Path, live: Live, peer: Peer, path: Path | None, reason: Reason
) -> None:
    hello, _ = messages_of(path or clip("h265", seconds=4))
    with tap(tmp_path, hello), pytest.raises(UseMse) as refused:
        live.whep.offer("anna", FRONT, peer.offer())
    assert refused.value.reason is reason
    assert (refused.value.status, refused.value.code) == (406, "use_mse")
    assert len(live.whep) == 0


def test_a_stream_that_becomes_one_that_cannot_be_carried_ends_the_session(
    tmp_path: Path, live: Live, peer: Peer
) -> None:
    with playing(tmp_path, "front", "main", clip(seconds=20)) as server:
        peer.take(live.whep.offer("anna", FRONT, peer.offer()).sdp)
        peer.wait(5)
        server.publish_info(messages_of(STREET)[0].info)
        until(lambda: len(live.whep) == 0)


def test_a_browser_without_h264_is_refused(tmp_path: Path, live: Live, peer: Peer) -> None:
    hello, _ = messages_of(clip(seconds=4))
    with tap(tmp_path, hello) as server:
        with pytest.raises(UseMse) as refused:
            live.whep.offer("anna", FRONT, peer.offer(mime_type="video/VP8"))
        until(lambda: server.readers == 0)
    assert refused.value.reason is Reason.NO_H264
    assert live.owners() == set()


def test_an_offer_that_cannot_be_read_or_asks_for_nothing_is_refused(
    tmp_path: Path, live: Live, peer: Peer
) -> None:
    hello, _ = messages_of(clip(seconds=4))
    good = peer.offer()
    with tap(tmp_path, hello):
        for offer in (
            "",
            "v=0",
            "nonsense",
            good.replace("a=recvonly", "a=sendonly"),
            good[: len(good) // 2],
        ):
            with pytest.raises(BadOffer):
                live.whep.offer("anna", FRONT, offer)
        without_ice = "\r\n".join(one for one in good.split("\r\n") if "ice-" not in one)
        with pytest.raises(BadOffer):
            live.whep.offer("anna", FRONT, without_ice)
    assert len(live.whep) == 0


def test_a_camera_whose_recorder_is_not_there_is_away(live: Live, peer: Peer) -> None:
    with pytest.raises(CameraAway):
        live.whep.offer("anna", StreamName("shed", "main"), peer.offer(), 0.2)


def test_places_are_limited_and_an_owners_sessions_end_together(
    tmp_path: Path, live: Live, loop: asyncio.AbstractEventLoop
) -> None:
    viewers = [Peer(loop) for _ in range(3)]
    with playing(tmp_path, "front", "main", clip(seconds=20)) as server:
        for viewer in viewers[:2]:
            viewer.take(live.whep.offer("anna", FRONT, viewer.offer()).sdp)
            viewer.wait(3)
        assert server.readers == 1
        with pytest.raises(TooManySessions):
            live.whep.offer("ben", FRONT, viewers[2].offer())
        assert live.end_owner("ben") == 0
        assert live.end_owner("anna") == 2
        until(lambda: {viewer.state for viewer in viewers[:2]} == {"closed"})
        assert live.owners() == set()
    for viewer in viewers:
        viewer.close()


def test_a_peer_who_hangs_up_is_forgotten(
    tmp_path: Path, live: Live, loop: asyncio.AbstractEventLoop
) -> None:
    viewer = Peer(loop)
    with playing(tmp_path, "front", "main", clip(seconds=20)) as server:
        viewer.take(live.whep.offer("anna", FRONT, viewer.offer()).sdp)
        viewer.wait(3)
        viewer.close()
        until(lambda: len(live.whep) == 0)
        until(lambda: server.readers == 0)


def test_a_peer_who_never_connects_is_forgotten(
    tmp_path: Path, live: Live, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.live.session.CONNECT_S", 0.1)
    hello, _ = messages_of(clip(seconds=4))
    with tap(tmp_path, hello):
        live.whep.offer("anna", FRONT, peer.offer())
        until(lambda: len(live.whep) == 0)


def test_without_the_loop_there_is_no_session_and_no_thread_is_left(tmp_path: Path, peer: Peer) -> None:
    hello, _ = messages_of(clip(seconds=4))
    live, offer = Live(tmp_path), peer.offer()
    with tap(tmp_path, hello):
        with pytest.raises(NotInTime):
            live.whep.offer("anna", FRONT, offer)
        live.start()
        live.whep.offer("anna", FRONT, offer)
        live.close()
    assert {one.name for one in threading.enumerate()}.isdisjoint({"live-loop", "front-main-relay"})
