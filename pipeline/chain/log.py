"""A camera's chain, to be appended to: by its recorder and by the supervisor, who take turns.

Rules:
- Records go in wholly or not at all; what could not be written may be given again.
- Nothing here waits for long: who finds the chain locked for two seconds is told so (`ChainBusy`).
- A torn end is cut off. Damage is left as evidence, and raises `ChainDamaged` until the day key was
  exchanged: then the chain goes on in the next file, from before the damage.
- The key is exchanged by `ChainKeeper.tend`, which one process does for all.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.chain.day_key import ChainBusy, KeyLabel, locked, opened, read_label
from pipeline.chain.folding import Fold, first_start
from pipeline.chain.reading import ChainFile, chain_numbers
from pipeline.chain.records import NONCE_BYTES, DamagedRecord, Record, Signed
from pipeline.chain.rotation import (
    HOUR_NS,
    ChainPlace,
    in_use,
    is_due,
    is_ready,
    prepare,
    rotate,
    standing_before,
    write_start,
    write_whole,
)
from pipeline.durable import DISK, DiskCalls, make_directories
from pipeline.names import CHAIN, LOCK, chain_path
from pipeline.plain_file import PLAIN, read_plain
from pipeline.store.errors import StoreError
from pipeline.store.layout import Store

__all__ = ["ChainBusy", "ChainDamaged", "ChainKeeper", "ChainLog", "ChainPlace", "Head"]

_log = logging.getLogger("nvr.chain")


class ChainDamaged(Exception):
    """The chain's current file is damaged: it goes on in another after the next exchange of the day key."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain stands: what a member remembers of it."""

    number: int
    count: int
    head: bytes


class ChainKeeper:
    """Sees to the day key for one process. `boot_ns` is CLOCK_BOOTTIME."""

    def __init__(self, place: ChainPlace, disk: DiskCalls = DISK) -> None:
        self.place = place
        self._store = Store(place.root)
        self._disk = disk
        self._ready_number = 0
        self.certified_ms = 0
        """When the key that was last appended under was certified, by the clock of then; 0 before."""
        self._seen = 0
        self._since_ns = 0
        self._came = False

    def tend(self, now_ms: int, boot_ns: int, *, sure: bool, damaged: bool = False) -> bool:
        """Exchanges the day key when that is due, or sooner for a damaged chain; whether it did. Raises
        ChainBusy, OSError.
        """
        self._look()
        label = read_label(self.place.day_key)
        if label is None or self.place.next_key.exists() or not is_ready(self.place):
            prepare(self.place, now_ms, self._disk)
            return False
        if label.number != self._seen:
            self._came = self._seen > 0
            self._seen, self._since_ns = label.number, boot_ns
        seen_ns = boot_ns - self._since_ns
        if not self._came and (sure or damaged):  # nobody knows for how long: it was there at our start
            seen_ns = max(seen_ns, HOUR_NS)
        if not (is_due(label, now_ms, sure=sure, seen_ns=seen_ns) or (damaged and seen_ns >= HOUR_NS)):
            return False
        rotate(self.place, label.number, now_ms, self._disk)
        self._seen, self._since_ns, self._came = label.number + 1, boot_ns, True
        return True

    @contextlib.contextmanager
    def turn(self, now_ms: int) -> Iterator[KeyLabel]:
        """Holds the day key's lock shared, the key being certified. Raises ChainBusy, OSError."""
        self._look()
        for _ in range(2):
            with locked(self.place.lock, alone=False):
                if (label := self._ready()) is not None:
                    yield label
                    return
            prepare(self.place, now_ms, self._disk)
        raise ChainBusy("the day key is being exchanged")

    def _look(self) -> None:
        """Nothing is written where the store's disk is away, or another. Raises OSError."""
        try:
            self._store.open_check()
        except StoreError as fault:
            raise OSError(errno.ENOENT, str(fault)) from None
        self.place.state_dir.mkdir(mode=0o700, exist_ok=True)

    def _ready(self) -> KeyLabel | None:
        label = read_label(self.place.day_key)
        if label is None or self.place.next_key.exists():
            return None
        if label.number != self._ready_number:
            certificate = in_use(self.place)
            if certificate is None:
                return None
            self._ready_number, self.certified_ms = label.number, certificate.at_ms
        return label


class ChainLog:
    """One camera's chain. `durably`: each append is flushed by itself; else somebody's syncfs does it."""

    def __init__(
        self, keeper: ChainKeeper, camera: str, *, durably: bool = True, disk: DiskCalls = DISK
    ) -> None:
        self._keeper = keeper
        self._root = keeper.place.root
        self._camera = camera
        self._durably = durably
        self._disk = disk
        self._fold: Fold | None = None
        self._size_bytes = 0
        self._lock = self._root / camera / CHAIN / LOCK

    @property
    def exists(self) -> bool:
        """Whether the camera has a chain at all."""
        return bool(chain_numbers(self._root, self._camera))

    def append(self, records: Sequence[Record], now_ms: int, *, sign: bool = False) -> Head:
        """Appends the records, and a signature if asked to (unless nothing is unsigned). Raises ChainBusy,
        ChainDamaged, and OSError for a disk that refuses: then nothing of it was appended.
        """
        with self._keeper.turn(now_ms) as label, self._alone():
            fold = self._caught_up(label.number).copy()
            data = b"".join(fold.append(record) for record in records)
            if sign and fold.unsigned:
                data += fold.append(self._signature(fold, now_ms))
            if data:
                self._write(data)
                self._fold, self._size_bytes = fold, self._size_bytes + len(data)
                self._flush()
            return Head(fold.number, fold.count, fold.head)

    def standing(self, now_ms: int) -> Fold:
        """Where the chain stands; it is begun if there was none. Raises as `append`."""
        with self._keeper.turn(now_ms) as label, self._alone():
            return self._caught_up(label.number).copy()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.parent.exists():
            make_directories(self._root, f"{self._camera}/{CHAIN}", self._disk)
        with locked(self._lock, alone=True):
            yield

    def _caught_up(self, number: int) -> Fold:
        """Takes what others appended since. Raises ChainDamaged, OSError."""
        path = self._path(number)
        size_bytes = _size_bytes(path)
        if self._fold is not None and self._fold.number == number and size_bytes >= self._size_bytes > 0:
            self._read_on(path, size_bytes)
        else:
            self._fold = None
            self._open_file(path, number)
        if self._fold is None:
            raise ChainDamaged(f"{self._camera}: the file {path} of its chain is damaged")
        return self._fold

    def _path(self, number: int) -> Path:
        return self._root / chain_path(self._camera, number)

    def _open_file(self, path: Path, number: int) -> None:
        data = read_plain(path) if os.path.lexists(path) else b""
        file = ChainFile(data)
        fold = file.read_out()
        if fold is None:
            if not file.is_torn:
                return
            fold = self._begun(number)
            self._size_bytes = path.stat().st_size
        elif file.fault is not None:
            if not file.is_torn:
                return
            os.truncate(path, file.at)
            self._size_bytes = file.at
        else:
            self._size_bytes = file.at
        self._fold = fold

    def _begun(self, number: int) -> Fold:
        before = standing_before(self._root, self._camera, number, self._disk)
        nonce = os.urandom(NONCE_BYTES)
        device = self._keeper.place.device
        start = (
            before.next_start(number, nonce) if before else first_start(number, device, self._camera, nonce)
        )
        write_start(self._root, start, self._disk)
        return Fold(start)

    def _read_on(self, path: Path, size_bytes: int) -> None:
        if self._fold is None or size_bytes == self._size_bytes:
            return
        with path.open("rb") as opened_file:
            opened_file.seek(self._size_bytes)
            rest = opened_file.read()
        fold, at = self._fold.copy(), 0
        try:
            while at < len(rest):
                _, at = fold.read(rest, at)
        except DamagedRecord:  # a process died while it wrote: all of the file is looked at anew
            self._fold = None
            self._open_file(path, fold.number)
            return
        self._fold, self._size_bytes = fold, self._size_bytes + at

    def _signature(self, fold: Fold, now_ms: int) -> Signed:
        with opened(self._keeper.place.day_key) as (label, signer):
            if label.number != fold.number:
                raise ChainBusy("the day key is being exchanged")
            return Signed(now_ms, signer.sign(fold.signed_message(now_ms)))

    def _write(self, data: bytes) -> None:
        if self._fold is None:
            raise AssertionError("written before it was read")
        path = self._path(self._fold.number)
        descriptor = os.open(path, os.O_WRONLY | PLAIN)
        try:
            write_whole(descriptor, data, self._size_bytes, self._disk)
        finally:
            os.close(descriptor)

    def _flush(self) -> None:
        """A flush that fails is not tried again, and nothing is appended twice for it: what the disk lost of
        the chain shows when it is next read.
        """
        if not self._durably or self._fold is None:
            return
        descriptor = os.open(self._path(self._fold.number), os.O_WRONLY | PLAIN)
        try:
            self._disk.fdatasync(descriptor)
        except OSError as error:
            _log.error("%s: flushing its chain failed: %s", self._camera, error.strerror)
            self._fold = None
        finally:
            os.close(descriptor)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
