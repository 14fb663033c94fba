"""The day key: what a device signs with today. Yesterday's is in nobody's memory and on no disk.

    day.key: number (8 bytes, big-endian)  day (8 bytes, yyyymmdd)  seed (32 bytes)

Rules:
- Nobody keeps the key: it is read to sign, and zeroed at once. A seed is only ever in a `bytearray` of ours
  (`bytes` cannot be zeroed) and in OpenSSL's key, which zeroes itself when it is freed.
- Who signs or appends to a chain holds the lock `day.lock` shared; who exchanges the key holds it alone.
- A key file is overwritten before it goes. What a flash disk keeps of it below the file system is out of our
  reach.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.durable import DISK, DiskCalls, fsync_directory

KEY_FILE = "day.key"
NEXT_FILE = "day.key.next"
LOCK_FILE = "day.lock"
_LABEL_BYTES = 16
_SEED_BYTES = 32
_WHOLE_BYTES = _LABEL_BYTES + _SEED_BYTES
_TRIES = 40
_PAUSE_S = 0.05


class ChainBusy(Exception):
    """Another process exchanges the day key or appends just now: try again in a moment."""


@dataclass(frozen=True, slots=True)
class KeyLabel:
    """Which key lies in the file: its number, and the UTC day `yyyymmdd` it was made on."""

    number: int
    day: str

    def __bytes__(self) -> bytes:
        return self.number.to_bytes(8, "big") + self.day.encode("ascii")


def label_day(at_ms: int) -> str:
    """The UTC day as it stands in the label."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%d")


def read_label(path: Path) -> KeyLabel | None:
    """What key lies in `path`; None when there is none, or what lies there is none. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        content = os.pread(descriptor, _LABEL_BYTES, 0)
        is_whole = os.fstat(descriptor).st_size == _WHOLE_BYTES
    finally:
        os.close(descriptor)
    return _label(content) if is_whole else None


def _label(content: bytes | bytearray) -> KeyLabel | None:
    number, day = int.from_bytes(content[:8], "big"), bytes(content[8:_LABEL_BYTES])
    if not 1 <= number < 1 << 40 or not day.isdigit():
        return None
    return KeyLabel(number, day.decode("ascii"))


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[KeyLabel, Ed25519PrivateKey]]:
    """The key in `path`, for the block only: keep no reference to it. Raises FileNotFoundError also for what
    is no key, and OSError.
    """
    content = bytearray(_WHOLE_BYTES)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            count = os.readv(descriptor, [content])
        finally:
            os.close(descriptor)
        label = _label(content) if count == _WHOLE_BYTES else None
        if label is None:
            raise FileNotFoundError(errno.ENOENT, "it is no day key", str(path))
        with memoryview(content) as view, view[_LABEL_BYTES:] as seed:
            signer = Ed25519PrivateKey.from_private_bytes(seed)
        try:
            yield label, signer
        finally:
            del signer
    finally:
        zero(content)


def make(path: Path, label: KeyLabel, disk: DiskCalls = DISK) -> bytes:
    """Makes a new key durably in `path`, where nothing may lie, and returns its public half. Raises
    OSError.
    """
    content = bytearray(_WHOLE_BYTES)
    try:
        content[:_LABEL_BYTES] = bytes(label)
        with memoryview(content) as view, view[_LABEL_BYTES:] as seed:
            _fill_randomly(seed)
            public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if disk.pwrite(descriptor, content, 0) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            disk.fsync(descriptor)
        finally:
            os.close(descriptor)
    finally:
        zero(content)
    fsync_directory(path.parent, disk)
    return public


def _fill_randomly(seed: memoryview) -> None:
    """From the kernel straight into `seed`: os.urandom would leave a `bytes` behind."""
    source = os.open("/dev/urandom", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.readv(source, [seed]) != len(seed):
            raise OSError("the kernel gave too few random bytes")
    finally:
        os.close(source)


def public_of(path: Path) -> bytes | None:
    """The public half of the key in `path`; None when none lies there. Raises OSError."""
    try:
        with opened(path) as (_, signer):
            return signer.public_key().public_bytes_raw()
    except FileNotFoundError:
        return None


def overwrite(path: Path, disk: DiskCalls = DISK) -> None:
    """Makes zeros of a key file's bytes, durably. Nothing happens where there is none. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        disk.pwrite(descriptor, bytearray(os.fstat(descriptor).st_size), 0)
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)


def erase(path: Path, disk: DiskCalls = DISK) -> None:
    """Overwrites a key file and removes it, durably. Raises OSError."""
    overwrite(path, disk)
    path.unlink(missing_ok=True)
    fsync_directory(path.parent, disk)


def zero(content: bytearray) -> None:
    """In place."""
    content[:] = bytes(len(content))


@contextlib.contextmanager
def locked(path: Path, *, alone: bool, tries: int = _TRIES) -> Iterator[None]:
    """Holds the lock file `path` (made if missing) for the block. Raises ChainBusy after `tries` pauses of
    50 ms, OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, tries)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, kind: int, tries: int) -> None:
    for attempt in range(tries):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < tries:
                time.sleep(_PAUSE_S)
        else:
            return
    raise ChainBusy("the chain is being worked on by another process")


def first_day_key(state_dir: Path, now_ms: int | None = None) -> bytes:
    """The public half (32 bytes) of the device's day key, which is made if there is none yet. For the making
    of a household: an owner then lists it. `state_dir` exists, 0700. Raises OSError.
    """
    with locked(state_dir / LOCK_FILE, alone=True):
        found = public_of(state_dir / KEY_FILE)
        if found is not None:
            return found
        (state_dir / KEY_FILE).unlink(missing_ok=True)
        at_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        return make(state_dir / KEY_FILE, KeyLabel(1, label_day(at_ms)))
