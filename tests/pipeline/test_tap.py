"""The tap against real sockets: a picture at once for a late reader, whole GOPs lost for a slow one."""

import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.model import Codec, Kind, Packet, StreamInfo, Track
from pipeline.tap import TapClient, TapServer
from pipeline.wire import Decoder, Dropped, Hello, Message, encode_packet

_INFO = StreamInfo(Track(Kind.VIDEO, Codec.H264, 90_000, b"avcC", 640, 360))
_GOP = 10


def _packet(number: int, size: int = 1000) -> Packet:
    return Packet(Kind.VIDEO, number * 3600, number * 3600, 3600, number % _GOP == 0, number, bytes(size))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TapServer]:
    server = TapServer(tmp_path / "front.main.tap", "front-tap", queue_limit_bytes=1_000_000)
    yield server
    server.close()
    assert not (tmp_path / "front.main.tap").exists()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "front.main.tap"


def _take(client: TapClient, count: int) -> list[Message]:
    messages = iter(client)
    return [next(messages) for _ in range(count)]


def test_a_late_reader_gets_the_gop_so_far_and_then_what_is_live(server: TapServer, path: Path) -> None:
    server.publish_info(_INFO)
    for number in range(_GOP + 3):
        server.publish(_packet(number))
    client = TapClient(path, timeout_s=5)
    first = _take(client, 4)
    assert first[0] == Hello(_INFO, 1)
    assert first[1:] == [_packet(n) for n in (10, 11, 12)]
    client.close()


def test_nothing_undecodable_is_sent_before_the_first_keyframe(server: TapServer, path: Path) -> None:
    server.publish_info(_INFO)
    server.publish(_packet(3))
    client = TapClient(path, timeout_s=5)
    messages = iter(client)
    assert isinstance(next(messages), Hello)
    _wait(lambda: server.readers == 1)
    server.publish(_packet(10))
    assert next(messages) == _packet(10)
    client.close()


def test_a_path_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long for a socket; name a shorter run-time directory"):
        TapServer(tmp_path / f"{'x' * 108}.tap", "front-tap")


def test_only_the_owner_may_connect(server: TapServer, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_slow_reader_loses_whole_gops_and_is_told(server: TapServer, path: Path) -> None:
    server.publish_info(_INFO)
    slow = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(str(path))
    slow.settimeout(5)
    decoder, messages = Decoder(), list[Message]()
    messages += decoder.feed(slow.recv(4096))  # HELLO: it is served from here on
    number = 0
    while not any(isinstance(m, Dropped) for m in messages[:-1]):
        for _ in range(0 if number else 100):  # it reads nothing while a hundred packets pass
            server.publish(_packet(number, 30_000))
            number += 1
        messages += decoder.feed(slow.recv(65536))
        server.publish(_packet(number, 30_000))
        number += 1
        assert number < 2000
    slow.close()
    at, dropped = next((at, m) for at, m in enumerate(messages) if isinstance(m, Dropped))
    before = [m.pts // 3600 for m in messages[:at] if isinstance(m, Packet)]
    following = messages[at + 1]
    assert before == list(range(len(before)))
    assert isinstance(following, Packet)
    assert following.is_keyframe
    assert following.pts // 3600 == len(before) + dropped.packets
    assert dropped.gops == -(-dropped.packets // _GOP)
    assert server.lost_packets >= dropped.packets


def test_new_parameters_reach_a_reader_before_their_packets(server: TapServer, path: Path) -> None:
    server.publish_info(_INFO)
    server.publish(_packet(0))
    client = TapClient(path, timeout_s=5)
    assert len(_take(client, 2)) == 2
    larger = StreamInfo(Track(Kind.VIDEO, Codec.H264, 90_000, b"other", 1280, 720))
    server.publish_info(larger)
    server.publish(_packet(10))
    assert _take(client, 2) == [Hello(larger, 2), _packet(10)]
    client.close()


def test_the_end_of_the_server_ends_the_reader(path: Path) -> None:
    server = TapServer(path, "front-tap")
    client = TapClient(path, timeout_s=5)
    server.publish_info(_INFO)
    assert len(_take(client, 1)) == 1
    server.close()
    assert list(client) == []
    client.close()


def test_only_a_reader_that_says_so_hurries_the_recorder(server: TapServer, path: Path) -> None:
    server.publish_info(_INFO)
    patient = TapClient(path, timeout_s=5)
    assert len(_take(patient, 1)) == 1
    assert not server.hurried
    watching = TapClient(path, timeout_s=5, hurry=True)
    _wait(lambda: server.hurried)
    watching.close()
    _wait(lambda: not server.hurried)
    patient.close()


def _wait(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_pause_in_the_middle_of_a_message_loses_nothing(path: Path) -> None:
    whole = encode_packet(_packet(1))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        client = TapClient(path, timeout_s=0.05)
        connection, _ = listener.accept()
        with connection:
            messages = client.with_pauses()
            connection.sendall(whole[:100])
            assert next(messages) is None
            connection.sendall(whole[100:])
            assert next(message for message in messages if message is not None) == _packet(1)
        assert [message for message in messages if message is not None] == []
    client.close()
