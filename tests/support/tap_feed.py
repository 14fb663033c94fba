"""A tap that plays a clip at its own pace, as a recorder would serve it, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipeline.clip import clip_messages
from pipeline.model import Packet
from pipeline.tap import TapServer, tap_name
from pipeline.wire import Anchor, Hello


@contextmanager
def playing(run_dir: Path, camera: str, stream: str, clip: Path) -> Iterator[TapServer]:
    """Serves the clip in a loop of one thread."""
    server = TapServer(run_dir / tap_name(camera, stream), f"{camera}-tap")
    stop = threading.Event()
    thread = threading.Thread(target=_feed, args=(server, clip, stop), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        thread.join()
        server.close()


def _feed(server: TapServer, clip: Path, stop: threading.Event) -> None:
    began_ns = time.monotonic_ns()
    for message in clip_messages(clip, time.time_ns()):
        if isinstance(message, Hello):
            server.publish_info(message.info, message.anchor and Anchor(message.anchor.pts, time.time_ns()))
        elif isinstance(message, Packet):
            due_ns = began_ns + message.dts * 1_000_000_000 // 90_000
            if stop.wait(max(0.0, (due_ns - time.monotonic_ns()) / 1e9)):
                return
            server.publish(replace(message, arrived_ns=time.monotonic_ns()))
