"""A disk that forgets at a power cut what it was not told to flush.

    python -m tests.support.lossy_disk DIR SIZE_MB

It serves one file, DIR/disk, over FUSE, for a loop device. Writes stay in its cache until a flush (FSYNC,
which a loop device makes of every barrier). A line `cut` on standard input loses a random half of the cached
writes, as a disk does that writes in an order of its own, and the power with them: everything fails until
`mend`. Each line is answered with how many writes were lost so far.

The protocol is that of linux/fuse.h, version 7.31, as far as a loop device needs it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import random
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_IN = struct.Struct("<IIQQIIIHH")
_OUT = struct.Struct("<IiQ")
_MAX_WRITE = 128 * 1024
_BIG_WRITES, _MAX_PAGES = 1 << 5, 1 << 22
_ROOT, _DISK = 1, 2


@dataclass
class Disk:
    """What is on the disk, what its cache makes of it, and which writes only the cache has."""

    size: int
    durable: bytearray = field(init=False)
    seen: bytearray = field(init=False)
    cached: list[tuple[int, bytes]] = field(default_factory=list)
    powered: bool = True
    lost_writes: int = 0

    def __post_init__(self) -> None:
        self.durable, self.seen = bytearray(self.size), bytearray(self.size)

    def write(self, at: int, data: bytes) -> None:
        """Into the cache."""
        self.seen[at : at + len(data)] = data
        self.cached.append((at, data))

    def flush(self) -> None:
        """The cache becomes durable."""
        self._apply(self.cached)
        self.cached = []

    def _apply(self, writes: list[tuple[int, bytes]]) -> None:
        for at, data in writes:
            self.durable[at : at + len(data)] = data

    def cut(self, chance: random.Random) -> None:
        """The power fails: half of what the cache has, in whatever order, is lost."""
        kept = [one for one in self.cached if chance.random() < 0.5]
        self.lost_writes += len(self.cached) - len(kept)
        self._apply(kept)
        self.cached, self.powered = [], False
        self.seen = bytearray(self.durable)


class Server:
    """Answers the kernel."""

    def __init__(self, disk: Disk, descriptor: int) -> None:
        self._disk = disk
        self._descriptor = descriptor
        self.lock = threading.Lock()
        self._answers: dict[int, Callable[[int, bytes], bytes]] = {
            1: self._lookup,
            3: lambda node, _: self._attributes(node),
            4: lambda node, _: self._attributes(node),
            14: lambda _node, _body: struct.pack("<QII", 1, 0, 0),  # OPEN
            15: self._read,
            16: self._write,
            17: lambda _node, _body: struct.pack("<5Q4I24x", 0, 0, 0, 0, 0, 4096, 255, 4096, 0),  # STATFS
            18: lambda _node, _body: b"",  # RELEASE
            20: self._fsync,
            25: lambda _node, _body: b"",  # FLUSH: of a descriptor that is closed, not of the disk
            26: lambda _node, _body: self._init(),
            38: lambda _node, _body: b"",  # DESTROY
        }

    def run(self) -> None:
        """Until it is unmounted."""
        while True:
            try:
                request = os.read(self._descriptor, _MAX_WRITE + 65_536)
            except OSError as error:
                if error.errno == errno.EINTR:
                    continue
                return
            length, code, unique, node, *_ = _IN.unpack_from(request)
            if code not in (2, 36, 42):  # FORGET, INTERRUPT, BATCH_FORGET: no answer
                self._answer(unique, code, node, request[_IN.size : length])

    def _answer(self, unique: int, code: int, node: int, body: bytes) -> None:
        reply, failed = b"", 0
        try:
            with self.lock:
                answer = self._answers.get(code)
                if answer is None:
                    raise OSError(errno.ENOSYS, "")
                reply = answer(node, body)
        except OSError as error:
            failed = -(error.errno or errno.EIO)
        os.write(self._descriptor, _OUT.pack(_OUT.size + len(reply), failed, unique) + reply)

    def _init(self) -> bytes:
        flags = _BIG_WRITES | _MAX_PAGES
        return struct.pack("<4I2H2I2H8I", 7, 31, 0, flags, 16, 12, _MAX_WRITE, 1, 32, 0, *([0] * 8))

    def _stat(self, node: int) -> bytes:
        mode, size = (0o100600, self._disk.size) if node == _DISK else (0o040700, 0)
        return struct.pack("<6Q10I", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _attributes(self, node: int) -> bytes:
        return struct.pack("<QII", 3600, 0, 0) + self._stat(node)

    def _lookup(self, _node: int, body: bytes) -> bytes:
        if body != b"disk\0":
            raise OSError(errno.ENOENT, "")
        return struct.pack("<QQQQII", _DISK, 0, 3600, 3600, 0, 0) + self._stat(_DISK)

    def _powered(self) -> Disk:
        if not self._disk.powered:
            raise OSError(errno.EIO, "")
        return self._disk

    def _read(self, _node: int, body: bytes) -> bytes:
        _, at, count = struct.unpack_from("<QQI", body)
        return bytes(self._powered().seen[at : at + count])

    def _write(self, _node: int, body: bytes) -> bytes:
        _, at, count = struct.unpack_from("<QQI", body)
        self._powered().write(at, body[40 : 40 + count])
        return struct.pack("<II", count, 0)

    def _fsync(self, _node: int, _body: bytes) -> bytes:
        self._powered().flush()
        return b""


def main(directory: str, size_mb: str) -> None:
    """Serves, and does what standard input says, until that ends."""
    disk = Disk(int(size_mb) << 20)
    descriptor = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other,max_read={_MAX_WRITE}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"lossy", os.fsencode(directory), b"fuse", 6, options.encode()) != 0:
        sys.exit(f"FUSE cannot be mounted: {os.strerror(ctypes.get_errno())}")
    server = Server(disk, descriptor)
    threading.Thread(target=server.run, daemon=True).start()
    chance = random.Random(7)
    print("ready", flush=True)
    for line in sys.stdin:
        with server.lock:
            if line.strip() == "cut":
                disk.cut(chance)
            else:
                disk.powered = True
        print(disk.lost_writes, flush=True)
    libc.umount2(os.fsencode(directory), 2)


if __name__ == "__main__":
    main(*sys.argv[1:])
