"""The tap: where a recorder hands out its packets, over a Unix stream socket of mode 0600.

A reader gets HELLO, the GOP so far (at most 8 MiB, so a late reader has a picture at once), then what is
live. Publishing never blocks and never waits for a reader: each has a bounded queue, and one that is too slow
loses whole GOPs, is told so by DROPPED, and goes on at a keyframe. Without readers it costs one list append.
A reader that sends a byte is in a hurry: the recorder then takes packets from the camera one by one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.model import Kind, Packet, StreamInfo
from pipeline.wire import Anchor, Decoder, Dropped, Message, encode_dropped, encode_hello, encode_packet_head

GOP_LIMIT_BYTES = 8 * 1024 * 1024
QUEUE_LIMIT_BYTES = 8 * 1024 * 1024
_RECEIVE_BYTES = 256 * 1024
_LONGEST_PATH_BYTES = 107  # sockaddr_un, with its end


@dataclass(slots=True)
class _Reader:
    """One connection: what is still to be sent, and what it has lost. Guarded by the server's lock."""

    connection: socket.socket
    queue: deque[Packet | bytes] = field(default_factory=deque)
    queued_bytes: int = 0
    sending: deque[memoryview] = field(default_factory=deque)
    lost_packets: int = 0
    lost_gops: int = 0
    told_packets: int = 0
    skipping: bool = False
    hurries: bool = False

    def put(self, item: Packet | bytes) -> None:
        self.queue.append(item)
        self.queued_bytes += _size(item)

    def offer(self, packet: Packet, limit_bytes: int) -> None:
        """Queues `packet`, or skips to the next keyframe when the queue is full."""
        starts_gop = packet.is_keyframe and packet.kind is Kind.VIDEO
        # Resumes only when half the queue is free: else the next GOP would be cut down at once as well.
        room_bytes = limit_bytes // 2 if self.skipping else limit_bytes
        full = self.queued_bytes + len(packet.data) > room_bytes
        if (self.skipping and not starts_gop) or full:
            self._lose(packet, starts_gop)
            return
        if self.skipping:
            self.put(encode_dropped(Dropped(self.lost_packets, self.lost_gops)))
            self.told_packets += self.lost_packets
            self.skipping, self.lost_packets, self.lost_gops = False, 0, 0
        self.put(packet)

    def _lose(self, packet: Packet, starts_gop: bool) -> None:
        self.lost_packets += 1
        self.lost_gops += starts_gop
        if not self.skipping:
            self.skipping = True
            if not starts_gop:
                self._cut_back_to_keyframe()

    def _cut_back_to_keyframe(self) -> None:
        """Takes the broken GOP out of the queue if its keyframe has not left yet: the loss is whole GOPs."""
        starts = [
            at
            for at, item in enumerate(self.queue)
            if isinstance(item, Packet) and item.is_keyframe and item.kind is Kind.VIDEO
        ]
        self.lost_gops += 1
        while starts and len(self.queue) > starts[-1] and isinstance(self.queue[-1], Packet):
            self.queued_bytes -= _size(self.queue.pop())
            self.lost_packets += 1

    def next_pieces(self) -> None:
        """Moves the next message from the queue to what is being sent."""
        item = self.queue.popleft()
        self.queued_bytes -= _size(item)
        if isinstance(item, Packet):
            self.sending.append(memoryview(encode_packet_head(item)))
            self.sending.append(memoryview(item.data))
        else:
            self.sending.append(memoryview(item))


class TapServer:
    """Serves one stream's packets at `path`. `publish*` may be called from one thread; the rest is its own.

    An old socket file at `path` is replaced: the recorder's lock says that its owner is gone.
    """

    def __init__(self, path: Path, thread_name: str, queue_limit_bytes: int = QUEUE_LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = queue_limit_bytes
        self._lock = threading.Lock()
        self._readers: dict[int, _Reader] = {}
        self._hello = b""
        self._epoch = 0
        self._gop: list[Packet] = []
        self._gop_bytes = 0
        self._lost_packets = 0
        self._hurried = 0
        self._stopping = False
        self._listener = _listen(path)
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_writer.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name=thread_name, daemon=True)
        self._thread.start()

    @property
    def readers(self) -> int:
        """How many connections there are now."""
        return len(self._readers)

    @property
    def hurried(self) -> bool:
        """Whether a reader wants packets as they come; the others take them several at a time, 0.1 s late."""
        return self._hurried > 0

    @property
    def lost_packets(self) -> int:
        """How many packets slow readers have lost in all."""
        with self._lock:
            return self._lost_packets + sum(r.lost_packets + r.told_packets for r in self._readers.values())

    def publish_info(self, info: StreamInfo, anchor: Anchor | None = None) -> None:
        """Announces new parameters: readers get a HELLO, and the GOP so far is forgotten."""
        with self._lock:
            self._epoch += 1
            self._hello = encode_hello(info, self._epoch, anchor)
            self._gop.clear()
            self._gop_bytes = 0
            for reader in self._readers.values():
                reader.put(self._hello)
            waiting = bool(self._readers)
        if waiting:
            self._wake()

    def publish(self, packet: Packet) -> None:
        """Hands `packet` to every reader and keeps it for those who come before the next keyframe."""
        with self._lock:
            self._keep(packet)
            if not self._readers:
                return
            for reader in self._readers.values():
                reader.offer(packet, self._limit_bytes)
        self._wake()

    def close(self) -> None:
        """Ends every connection and removes the socket file. Waits for the thread (milliseconds)."""
        self._stopping = True
        self._wake()
        self._thread.join()
        for endpoint in (self._listener, self._wake_reader, self._wake_writer):
            endpoint.close()  # only now: the thread may have ended before it was woken
        self._selector.close()
        self._path.unlink(missing_ok=True)

    def _keep(self, packet: Packet) -> None:
        if packet.is_keyframe and packet.kind is Kind.VIDEO:
            self._gop.clear()
            self._gop_bytes = 0
        elif not self._gop:
            return  # nothing can be decoded before the next keyframe
        self._gop.append(packet)
        self._gop_bytes += len(packet.data)
        if self._gop_bytes > GOP_LIMIT_BYTES:
            self._gop.clear()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full of wake-ups already
            self._wake_writer.send(b"\0")

    def _run(self) -> None:
        while not self._stopping:
            for selected, events in self._selector.select():
                self._serve(selected.fileobj, events)
        for reader in list(self._readers.values()):
            self._end(reader)

    def _serve(self, endpoint: object, events: int) -> None:
        if endpoint is self._listener:
            self._accept()
        elif endpoint is self._wake_reader:
            self._wake_reader.recv(65536)
            for reader in list(self._readers.values()):
                self._send(reader)
        elif isinstance(endpoint, socket.socket) and endpoint.fileno() in self._readers:
            self._serve_reader(self._readers[endpoint.fileno()], events)

    def _serve_reader(self, reader: _Reader, events: int) -> None:
        said = _receive(reader.connection) if events & selectors.EVENT_READ else None
        if said == b"":
            self._end(reader)
            return
        if said and not reader.hurries:
            reader.hurries = True
            self._hurried += 1
        self._send(reader)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        reader = _Reader(connection)
        with self._lock:
            if self._hello:
                reader.put(self._hello)
            for packet in self._gop:
                reader.put(packet)
            self._readers[connection.fileno()] = reader
        self._selector.register(connection, selectors.EVENT_READ)
        self._send(reader)

    def _send(self, reader: _Reader) -> None:
        """Sends until the socket is full; then waits for it to be writable again."""
        try:
            while self._next_pieces(reader):
                piece = reader.sending[0]
                sent = reader.connection.send(piece)
                if sent == len(piece):
                    reader.sending.popleft()
                else:
                    reader.sending[0] = piece[sent:]
            self._selector.modify(reader.connection, selectors.EVENT_READ)
        except BlockingIOError:
            self._selector.modify(reader.connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        except OSError:
            self._end(reader)

    def _next_pieces(self, reader: _Reader) -> bool:
        if not reader.sending:
            with self._lock:
                if not reader.queue:
                    return False
                reader.next_pieces()
        return True

    def _end(self, reader: _Reader) -> None:
        self._selector.unregister(reader.connection)
        with self._lock:
            del self._readers[reader.connection.fileno()]
            self._lost_packets += reader.lost_packets + reader.told_packets
        self._hurried -= reader.hurries
        reader.connection.close()


class TapClient:
    """Reads a tap. Iterating blocks; it ends when the recorder goes away. Close it to end from elsewhere.

    `hurry` asks for packets as they come, for somebody who watches; it costs the recorder half as much again.
    """

    def __init__(self, path: Path, timeout_s: float | None = None, *, hurry: bool = False) -> None:
        """Connects. Raises OSError when no recorder serves `path`."""
        self._room = memoryview(bytearray(_RECEIVE_BYTES))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
            if hurry:
                self._socket.send(b"h")
        except OSError:
            self._socket.close()
            raise

    def __iter__(self) -> Iterator[Message]:
        decoder = Decoder()
        while data := self._receive():
            yield from decoder.feed(data)

    def with_pauses(self, nap_s: Callable[[], float] = lambda: 0.0) -> Iterator[Message | None]:
        """As iterating, and None whenever nothing has come for `timeout_s`: nothing is lost by that.

        Before each burst it sleeps for `nap_s`, in seconds: what has come meanwhile is then taken in one go.
        """
        decoder = Decoder()
        while True:
            if nap := nap_s():
                time.sleep(nap)
            try:
                data = self._receive()
            except TimeoutError:
                yield None
                continue
            if not data:
                return
            yield from decoder.feed(data)

    def _receive(self) -> memoryview:
        """What has come, until the next call: in the same memory each time, for fresh pages cost more."""
        return self._room[: self._socket.recv_into(self._room)]

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()


def tap_name(camera: str, stream: str) -> str:
    """The socket's file name in the run-time directory."""
    return f"{camera}.{stream}.tap"


def _listen(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > _LONGEST_PATH_BYTES:
        why = "the path is too long for a socket; name a shorter run-time directory"
        raise OSError(errno.ENAMETOOLONG, why, str(path))
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)  # the directory is 0700 from the start, so nobody gets in between
    listener.listen(16)
    listener.setblocking(False)
    return listener


def _receive(connection: socket.socket) -> bytes | None:
    """What a reader says: anything at all means that it hurries. Empty: it has gone; None: nothing yet."""
    try:
        return connection.recv(4096)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _size(item: Packet | bytes) -> int:
    return len(item.data) if isinstance(item, Packet) else len(item)
