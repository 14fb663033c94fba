"""What a household does in an evening, as a program: `python -m tests.support.evening PLACE`.

A camera by RTSP is recorded and watched live by WebRTC; then every kind of command is used once.
Says `done` at its end.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiortc import RTCConfiguration, RTCPeerConnection

from tests.support.faulty import faulty_camera
from tests.support.footage import clip
from tests.support.household import Household, make_household, until
from tests.support.https_client import Client, give_port


def watch_live(house: Household) -> None:
    """Somebody logs in at `nvr serve` and asks for the camera by WebRTC, which is where others ask Google."""
    client = Client.of(house)
    with house.running("serve") as serving:
        until(lambda: client.is_answered, 30, serving.log)
        client.log_in(house)
        asked = asyncio.run(an_offer())
        status, answer, _ = client.ask("POST", "/api/v1/live/whep/front/main", asked, "application/sdp")
        assert status == 201, answer
        assert answer.startswith(b"v=0")


async def an_offer() -> str:
    """As a browser makes it that wants to see."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    offer = str(peer.localDescription.sdp)
    await peer.close()
    return offer


def main(place: str) -> None:
    """Raises AssertionError when anything fails."""
    house = make_household(Path(place))
    give_port(house)
    with faulty_camera({"main": clip(audio="aac", seconds=6)}) as lens:
        house.add("front", url=lens.url("main"))
        with house.running() as run:
            until(lambda: len(house.segments("front")) >= 2, 60, run.log)
            house.json("status")
            watch_live(house)
        tested = house.nvr("camera", "test", lens.url("main"))
        assert tested.returncode == 0, tested.stderr
    out = str(house.directory / "out.mp4")
    span = ("--camera", "front", "--from", "-5m", "--to", "now")
    for words in (
        ("camera", "list"),
        ("list", "--camera", "front"),
        ("check",),
        ("index", "rebuild"),
        ("hold", *span),
        ("export", *span, "--identity", str(house.key_file), "-o", out),
    ):
        done = house.nvr(*words)
        assert done.returncode == 0, f"{words}: {done.stdout} {done.stderr}"
    print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
