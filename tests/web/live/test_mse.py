"""Live streams for MSE, read back as a player does: the same packets come out."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import pytest

from pipeline.model import Kind, Packet, StreamName
from tests.support.footage import STREET, clip
from tests.web.live.peer import digest, pictures_of
from tests.web.live.serving import FRONT, gops_of, messages_of, publish, tap, until
from web.live.errors import BadStreams, TooManySessions
from web.live.live import Live
from web.live.mse import MseAnswer
from web.live.multiplex import Frame, FrameType, parse

YARD = StreamName("yard", "sub")


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    made = Live(tmp_path, most_mse=2)
    yield made
    made.close()


def read_until(answer: MseAnswer, enough: Callable[[list[Frame]], bool]) -> list[Frame]:
    """Frames until there are enough."""
    frames: list[Frame] = []
    while not enough(frames):
        frames += parse(next(answer))
    return frames


def count(frames: list[Frame], stream: int = 0, kind: FrameType = FrameType.FRAGMENT) -> int:
    return sum(one.kind is kind and one.stream == stream for one in frames)


def read(answer: MseAnswer, least: int, stream: int = 0, kind: FrameType = FrameType.FRAGMENT) -> list[Frame]:
    """Frames until so many of a kind have come for a stream."""
    return read_until(answer, lambda frames: count(frames, stream, kind) >= least)


def file_of(frames: list[Frame], stream: int = 0) -> io.BytesIO:
    """The stream's first init segment and the fragments, one behind the other."""
    parts = []
    for one in frames:
        if one.stream == stream and one.kind is FrameType.INIT:
            parts.append(one.body[2 + int.from_bytes(one.body[:2], "big") :])
        elif one.stream == stream and one.kind is FrameType.FRAGMENT:
            parts.append(one.body)
    return io.BytesIO(b"".join(parts))


def all_of(answer: MseAnswer, packets: list[Packet]) -> list[Frame]:
    """Frames until all the bytes of the packets are in them."""
    whole = sum(len(one.data) for one in packets)
    return read_until(answer, lambda frames: sum(map(media_bytes, frames)) >= whole)


def media_bytes(frame: Frame) -> int:
    """How many bytes of packets a frame carries: what its `mdat` holds."""
    if frame.kind is not FrameType.FRAGMENT:
        return 0
    moof_bytes = int.from_bytes(frame.body[:4], "big")
    return len(frame.body) - moof_bytes - 8


def packets_in(file: io.BytesIO, kind: str) -> list[bytes]:
    with av.open(file, "r") as container:
        stream = container.streams.video[0] if kind == "video" else container.streams.audio[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def data_of(packets: list[Packet], kind: Kind) -> list[bytes]:
    return [one.data for one in packets if one.kind is kind]


def fed_slowly(
    tmp_path: Path, live: Live, path: Path, name: StreamName = FRONT
) -> tuple[list[Frame], list[Packet]]:
    """What one viewer gets of a whole clip, each packet of which is read before the next is published."""
    hello, packets = messages_of(path)
    with tap(tmp_path, hello, name) as server:
        answer = live.mse.open("anna", [name])
        until(lambda: server.readers == 1)
        frames: list[Frame] = []
        kept: list[Packet] = []
        for packet in packets:
            publish(server, [packet])
            kept.append(packet)
            if packet.kind is Kind.VIDEO:
                frames += read(answer, 1)
        answer.close()
    return frames, kept


def test_init_and_fragments_decode_to_the_same_packets_and_pictures(tmp_path: Path, live: Live) -> None:
    frames, packets = fed_slowly(tmp_path, live, STREET)
    assert packets_in(file_of(frames), "video") == data_of(packets, Kind.VIDEO)
    with av.open(file_of(frames), "r") as container:
        assert [digest(frame) for frame in container.decode(video=0)] == pictures_of(STREET)


def test_a_packet_goes_out_as_it_comes(tmp_path: Path, live: Live) -> None:
    frames, packets = fed_slowly(tmp_path, live, STREET)
    assert sum(one.kind is FrameType.FRAGMENT for one in frames) == len(packets)


def test_sound_comes_along(tmp_path: Path, live: Live) -> None:
    frames, packets = fed_slowly(tmp_path, live, clip(audio="aac", seconds=4))
    heard = packets_in(file_of(frames), "audio")
    sent = data_of(packets, Kind.AUDIO)
    begin = sent.index(heard[0])
    assert heard == sent[begin : begin + len(heard)]
    assert len(heard) > len(sent) * 3 // 4
    head = json.loads(
        next(one for one in frames if one.kind is FrameType.INIT).body[2:].split(b"}")[0] + b"}"
    )
    assert "mp4a.40.2" in head["type"]


def test_several_streams_share_an_answer(tmp_path: Path, live: Live) -> None:
    hello, packets = messages_of(STREET)
    h265, others = messages_of(clip("h265", seconds=4))
    with ExitStack() as stack:
        front, yard = (
            stack.enter_context(tap(tmp_path, hello, FRONT)),
            stack.enter_context(tap(tmp_path, h265, YARD)),
        )
        answer = live.mse.open("anna", [FRONT, YARD])
        until(lambda: front.readers == yard.readers == 1)
        publish(front, gops_of(packets)[0])
        publish(yard, gops_of(others)[0])
        frames = read_until(answer, lambda frames: min(count(frames, 0), count(frames, 1)) >= 4)
    for stream, sent in ((0, packets), (1, others)):
        found = packets_in(file_of(frames, stream), "video")
        assert found == data_of(sent, Kind.VIDEO)[: len(found)]


def test_a_client_that_is_slow_loses_whole_gops_of_that_stream_alone(tmp_path: Path, live: Live) -> None:
    hello, packets = messages_of(clip(seconds=4))
    gops = gops_of(packets)
    room = max(sum(len(one.data) for one in gop) for gop in gops)
    with tap(tmp_path, hello) as front, tap(tmp_path, hello, YARD) as yard:
        slow = live.mse.open("anna", [FRONT, YARD], limit_bytes=room)
        fast = live.mse.open("ben", [FRONT])
        until(lambda: front.readers == yard.readers == 1)
        publish(yard, gops[0])
        for gop in gops:
            publish(front, gop)
        assert packets_in(file_of(all_of(fast, packets)), "video") == [one.data for one in packets]
        frames = read(slow, 1, 0)
        publish(front, gops[0])
        frames += read_until(slow, lambda more: count(frames + more, 0, FrameType.DROPPED) > 0)
        frames += read_until(slow, lambda more: count(frames + more, 1) > 0)
    assert {one.stream for one in frames if one.kind is FrameType.DROPPED} == {0}
    found = packets_in(file_of(frames), "video")
    kept = [gop for gop in gops if gop[0].data in found]
    assert 0 < len(kept) < len(gops)
    assert all(one in {p.data for gop in kept for p in gop} for one in found)
    assert [report.lost_gops > 0 for report in live.reports()] == [True, False]


def test_a_recorder_that_starts_anew_brings_a_state_and_a_new_init_segment(
    tmp_path: Path, live: Live
) -> None:
    hello, packets = messages_of(STREET)
    gops = gops_of(packets)
    answer = live.mse.open("anna", [FRONT])
    with tap(tmp_path, hello) as server:
        publish(server, gops[0])
        frames = read(answer, 1)
    frames += read(answer, 1, 0, FrameType.STATE)
    while b"away" not in frames[-1].body:
        frames += read(answer, 1, 0, FrameType.STATE)
    with tap(tmp_path, hello) as server:
        publish(server, gops[1])
        again = read(answer, 3)
    kinds = [one.kind for one in again if one.kind is not FrameType.IDLE]
    assert kinds[:3] == [FrameType.STATE, FrameType.INIT, FrameType.FRAGMENT]
    assert json.loads(again[0].body) == {"state": "live"}
    found = packets_in(file_of(again), "video")
    assert found == [one.data for one in gops[1]][: len(found)]


def test_an_answer_ends_with_its_owners_login(tmp_path: Path, live: Live) -> None:
    hello, packets = messages_of(STREET)
    with tap(tmp_path, hello) as server:
        publish(server, gops_of(packets)[0])
        annas, bens = live.mse.open("anna", [FRONT]), live.mse.open("ben", [FRONT])
        read(annas, 1)
        reading = threading.Thread(target=lambda: list(annas))
        reading.start()
        assert live.owners() == {"anna", "ben"}
        assert live.end_owner("anna") == 1
        reading.join(20)
        assert not reading.is_alive()
        assert live.owners() == {"ben"}
        assert read(bens, 1)
        bens.close()
        until(lambda: server.readers == 0)


def test_places_are_limited(live: Live) -> None:
    first, second = live.mse.open("anna", [FRONT]), live.mse.open("anna", [YARD])
    with pytest.raises(TooManySessions):
        live.mse.open("ben", [FRONT])
    first.close()
    live.mse.open("ben", [FRONT]).close()
    second.close()


@pytest.mark.parametrize("names", [[], [FRONT] * 65, [FRONT, StreamName("..", "main")]])
def test_a_request_for_no_streams_is_refused_and_takes_no_place(live: Live, names: list[StreamName]) -> None:
    for _ in range(3):
        with pytest.raises(BadStreams):
            live.mse.open("anna", names)
    assert live.owners() == set()
