"""Taps for tests of live view: real ones, fed by hand with the packets of real clips."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipeline.clip import clip_messages
from pipeline.model import Kind, Packet, StreamName
from pipeline.tap import TapServer, tap_name
from pipeline.wire import Hello
from web.live.heard import Heard
from web.live.relays import Watch

FRONT = StreamName("front", "main")
LIMIT_S = 20.0


def messages_of(clip: Path) -> tuple[Hello, list[Packet]]:
    """The HELLO and the packets of a clip."""
    hello, *rest = clip_messages(clip, 1_795_356_300_000_000_000)
    assert isinstance(hello, Hello)
    return hello, [one for one in rest if isinstance(one, Packet)]


def publish(server: TapServer, packets: list[Packet]) -> None:
    """Publishes the packets as having come just now."""
    for packet in packets:
        server.publish(replace(packet, arrived_ns=time.monotonic_ns()))


@contextmanager
def tap(run_dir: Path, hello: Hello, name: StreamName = FRONT) -> Iterator[TapServer]:
    """A recorder's tap that has told what it carries, and no packets."""
    server = TapServer(run_dir / tap_name(name.camera, name.stream), "test-tap")
    server.publish_info(hello.info, hello.anchor)
    try:
        yield server
    finally:
        server.close()


def until(condition: Callable[[], bool]) -> None:
    """Waits for it."""
    end_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.005)


def take_until(watch: Watch, condition: Callable[[list[Heard]], bool]) -> list[Heard]:
    """All that a viewer hears until then."""
    heard: list[Heard] = []

    def enough() -> bool:
        while (one := watch.take()) is not None:
            heard.append(one)
        return condition(heard)

    until(enough)
    return heard


def pictures(heard: list[Heard]) -> list[bytes]:
    """The video among it."""
    return [one.data for one in heard if isinstance(one, Packet) and one.kind is Kind.VIDEO]


def gops_of(packets: list[Packet]) -> list[list[Packet]]:
    """The packets cut before each keyframe."""
    gops: list[list[Packet]] = []
    for packet in packets:
        if packet.is_keyframe and packet.kind is Kind.VIDEO:
            gops.append([])
        gops[-1].append(packet)
    return gops
