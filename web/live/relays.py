"""The relays of all streams that are watched: one tap connection each, from the first viewer to the last.

Rules:
- A connection is opened when the first viewer comes and closed within `POLL_S` after the last has left. It
  asks for packets as they come, for somebody watches.
- A recorder that goes away is tried again every `RETRY_S`; viewers stay, and go on at the next keyframe.
- One thread a stream that is watched, named `front-main-relay`.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from pipeline.model import Kind, Packet, StreamInfo, StreamName
from pipeline.tap import TapClient, tap_name
from pipeline.wire import WireError
from web.live.errors import BadStreams
from web.live.feed import BOTH, LAG_NS, LIMIT_BYTES, Feed
from web.live.heard import Heard, Why
from web.live.relay import Notify, Relay, RelayReport

POLL_S = 0.5
RETRY_S = 0.5
SILENT_S = 5.0  # the slowest cameras in use send a picture every second
_log = logging.getLogger("nvr.web.live")


class Watch:
    """One viewer of one stream, until it is closed. `take` and `close` may be called from any thread."""

    def __init__(self, relay: Relay, feed: Feed) -> None:
        self._relay = relay
        self._feed = feed

    @property
    def lost_packets(self) -> int:
        """How many packets this viewer has lost for being slow."""
        return self._feed.lost_packets

    @property
    def lost_gops(self) -> int:
        """How many GOPs it has lost, wholly or in part."""
        return self._feed.lost_gops

    def take(self) -> Heard | None:
        """Removes and returns what is next. Never blocks: None when nothing waits."""
        return self._relay.take(self._feed)

    def restart(self) -> None:
        """Forgets what waits and begins anew: with the Hello and the GOP so far."""
        self._relay.restart(self._feed)

    def wait_info(self, limit_s: float) -> StreamInfo | None:
        """What the stream carries, as it was last told. Blocks until it is known; None after `limit_s`."""
        return self._relay.wait_info(limit_s)

    def close(self) -> None:
        """Watches no more; a second time does nothing."""
        self._relay.remove(self._feed)


class Relays:
    """All of them. Start none before the process has forked: they are threads."""

    def __init__(self, run_dir: Path, silent_s: float = SILENT_S) -> None:
        self._run_dir = run_dir
        self._silent_s = silent_s
        self._lock = threading.Lock()
        self._running: dict[StreamName, tuple[Relay, threading.Thread]] = {}
        self._known: dict[StreamName, Relay] = {}
        self._stopping = threading.Event()

    def watch(
        self,
        name: StreamName,
        notify: Notify,
        wants: frozenset[Kind] = BOTH,
        limit_bytes: int = LIMIT_BYTES,
        lag_ns: int = LAG_NS,
    ) -> Watch:
        """Begins to watch a stream of these kinds of tracks, whether its camera is there or not.

        `notify` is called, from another thread, whenever something waits: it must return at once. The caller
        has checked that the stream exists and that the viewer may see it; raises BadStreams for a name that
        cannot be one, or after `close`.
        """
        _check(name)
        feed = Feed(wants, limit_bytes, lag_ns)
        with self._lock:
            relay = self._known.setdefault(name, Relay(name))
            relay.add(feed, notify)
            if name not in self._running:
                self._start(relay)
        return Watch(relay, feed)

    def reports(self) -> list[RelayReport]:
        """Of every stream that has been watched, by name; for the dashboard's state."""
        with self._lock:
            relays = sorted(self._known.values(), key=lambda relay: relay.name)
        return [relay.report() for relay in relays]

    def close(self) -> None:
        """Ends every connection, and waits for the threads (at most a second)."""
        self._stopping.set()
        with self._lock:
            threads = [thread for _, thread in self._running.values()]
        for thread in threads:
            thread.join()

    def _start(self, relay: Relay) -> None:
        name = f"{relay.name.camera}-{relay.name.stream}-relay"
        thread = threading.Thread(target=self._run, args=(relay,), name=name, daemon=True)
        self._running[relay.name] = relay, thread
        thread.start()

    def _run(self, relay: Relay) -> None:
        path = self._run_dir / tap_name(relay.name.camera, relay.name.stream)
        while self._is_needed(relay):
            try:
                self._read(relay, TapClient(path, POLL_S, hurry=True))
                continue
            except OSError:
                pass  # nobody serves it, or no more: that is a state
            except WireError as fault:
                _log.warning("the tap of %s is of another version: %s", relay.name, fault)
            relay.lose(Why.RECORDER)
            self._stopping.wait(RETRY_S)

    def _read(self, relay: Relay, client: TapClient) -> None:
        """Until nobody watches. Raises OSError when the recorder has gone, WireError."""
        try:
            seen_s = time.monotonic()
            for message in client.with_pauses():
                if message is not None:
                    relay.hear(message)
                if isinstance(message, Packet) and message.kind is Kind.VIDEO:
                    seen_s = time.monotonic()
                elif time.monotonic() - seen_s > self._silent_s:
                    relay.lose(Why.CAMERA)
                if not relay.viewers or self._stopping.is_set():
                    return
            raise ConnectionResetError("the recorder has ended")
        finally:
            client.close()

    def _is_needed(self, relay: Relay) -> bool:
        """Whether somebody watches; if not, the thread is no longer the stream's. Decided under the lock."""
        with self._lock:
            if relay.viewers and not self._stopping.is_set():
                return True
            del self._running[relay.name]
            relay.forget()
            return False


def _check(name: StreamName) -> None:
    for part in (name.camera, name.stream):
        if not part or "/" in part or "\0" in part or part.startswith("."):
            raise BadStreams("There is no such stream here.")
