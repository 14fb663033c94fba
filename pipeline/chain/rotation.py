"""The day key is exchanged: a new one every UTC day, certified by the old one, which is then erased.

Rules:
- All of it happens under `day.lock`, held alone: nobody signs or appends meanwhile.
- A crash at any point is mended by the next who comes: a new key that a certificate names is taken, any other
  is thrown away and all begun anew. So no certificate ever stands for a key that nobody has.
- Where the device has no certified key (new, or its state directory was lost) a new series begins: everything
  goes on, and verification says that no owner has confirmed it.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from crypto.errors import BadSignature
from crypto.signing import SignedLine
from pipeline import walk
from pipeline.chain.certificates import Certificate, parse_certificate
from pipeline.chain.day_key import (
    KEY_FILE,
    LOCK_FILE,
    NEXT_FILE,
    KeyLabel,
    erase,
    label_day,
    locked,
    make,
    opened,
    overwrite,
    public_of,
    read_label,
)
from pipeline.chain.folding import Fold
from pipeline.chain.reading import ChainFile, chain_numbers, newest_fold, read_chain_file
from pipeline.chain.records import NONCE_BYTES, Start, encode
from pipeline.durable import DISK, DiskCalls, fsync_directory, make_directories
from pipeline.names import CHAIN, DAYS_FILE, KEYS, chain_path
from pipeline.plain_file import PLAIN, read_plain

_log = logging.getLogger("nvr.chain")
HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
MOST_SKIPPED = 1_000_000  # numbers: as many days as no store sees


@dataclass(frozen=True)
class ChainPlace:
    """Where a device's chains and certificates are (`root`, the store), and its day key (`state_dir`)."""

    root: Path
    state_dir: Path
    device: bytes

    @cached_property
    def day_key(self) -> Path:
        """The key in use."""
        return self.state_dir / KEY_FILE

    @cached_property
    def next_key(self) -> Path:
        """The key that is to come, while it is being exchanged."""
        return self.state_dir / NEXT_FILE

    @cached_property
    def lock(self) -> Path:
        """What whoever signs holds shared."""
        return self.state_dir / LOCK_FILE

    @cached_property
    def certificates(self) -> Path:
        """The certificates of all day keys."""
        return self.root / KEYS / DAYS_FILE


def is_due(label: KeyLabel, now_ms: int, *, sure: bool, seen_ns: int) -> bool:
    """Whether the key is of another day than now. `seen_ns`: how long (boot clock) the caller has seen this
    key come; so a clock that flaps makes no more than a key an hour, and an unsure one no more than one a
    day.
    """
    return label_day(now_ms) != label.day and seen_ns >= (HOUR_NS if sure else DAY_NS)


def is_ready(place: ChainPlace) -> bool:
    """Whether the key in use is the one that was certified last: else `prepare`. Raises OSError."""
    return in_use(place) is not None


def in_use(place: ChainPlace) -> Certificate | None:
    """The certificate of the key in use, if that is the one that was certified last. Raises OSError."""
    if place.next_key.exists():
        return None
    last = last_certificate(place)
    return last[0] if last is not None and last[0].public == public_of(place.day_key) else None


def prepare(place: ChainPlace, now_ms: int, disk: DiskCalls = DISK) -> None:
    """Mends what a crash left, and begins a series where there is none. Raises ChainBusy, OSError."""
    with locked(place.lock, alone=True):
        _prepare(place, now_ms, disk)


def rotate(place: ChainPlace, number: int, now_ms: int, disk: DiskCalls = DISK) -> None:
    """Exchanges the key of that number, unless another process has. Raises ChainBusy, OSError.

    1. mend what a crash left
    2. make the new key durably aside
    3. begin the next file of every chain, durably
    4. append the certificate, signed by the old key, durably
    5. overwrite the old key, and give the new one its name, durably
    """
    with locked(place.lock, alone=True):
        _prepare(place, now_ms, disk)
        label = read_label(place.day_key)
        if label is None or label.number != number:
            return
        _exchange(place, number + 1, now_ms, disk, new_series=False)


def _prepare(place: ChainPlace, now_ms: int, disk: DiskCalls) -> None:
    _cut_torn_certificate(place, disk)
    last = last_certificate(place)
    if place.next_key.exists():
        if last is not None and public_of(place.next_key) == last[0].public:
            _take_next(place, disk)
        else:
            erase(place.next_key, disk)
    public = public_of(place.day_key)
    if last is not None and public == last[0].public:
        return
    if last is None and public is not None:  # made with the household: an owner may have listed it
        _certify_first(place, public, now_ms, disk)
        return
    if last is not None:
        _log.warning("the day key was lost: a new series begins, which an owner must confirm")
    _exchange(place, _next_number(place, last[0].number if last else 0), now_ms, disk, new_series=True)


def _next_number(place: ChainPlace, certified: int) -> int:
    """One above the last certificate's, or above a chain's file with more than what a crash leaves there."""
    number = certified + 1
    for camera in walk.cameras(place.root):
        for taken in chain_numbers(place.root, camera):
            if taken >= number and _has_records(place.root, camera, taken):
                number = taken + 1
    return number


def _has_records(root: Path, camera: str, number: int) -> bool:
    file = read_chain_file(root, camera, number)
    return (fold := file.read_out()) is not None and fold.count > fold.start.count + 1


def _certify_first(place: ChainPlace, public: bytes, now_ms: int, disk: DiskCalls) -> None:
    with opened(place.day_key) as (label, signer):
        commitments = _commitments(place, label.number)
        certificate = Certificate(label.number, public, place.device, now_ms, b"", commitments)
        line = certificate.signed(signer)
    _append_certificate(place, line, disk)


def _commitments(place: ChainPlace, number: int) -> tuple[bytes, ...]:
    """Of the chains that go on in files of that number."""
    found = []
    for camera in walk.cameras(place.root):
        if number in chain_numbers(place.root, camera):
            fold = read_chain_file(place.root, camera, number).read_out()
            if fold is not None and fold.start.count > 0:
                found.append(fold.start_digest)
    return tuple(sorted(found))


def _exchange(place: ChainPlace, number: int, now_ms: int, disk: DiskCalls, *, new_series: bool) -> None:
    public = make(place.next_key, KeyLabel(number, label_day(now_ms)), disk)
    commitments = _begin_files(place, number, disk)
    last = last_certificate(place)
    previous = last[1].digest if last else b""
    certificate = Certificate(number, public, place.device, now_ms, previous, commitments)
    with opened(place.next_key if new_series else place.day_key) as (_, signer):
        line = certificate.signed(signer)
    _append_certificate(place, line, disk)
    _take_next(place, disk)


def _take_next(place: ChainPlace, disk: DiskCalls) -> None:
    overwrite(place.day_key, disk)
    place.next_key.replace(place.day_key)
    fsync_directory(place.state_dir, disk)


def _begin_files(place: ChainPlace, number: int, disk: DiskCalls) -> tuple[bytes, ...]:
    found = []
    for camera in walk.cameras(place.root):
        try:
            fold = standing_before(place.root, camera, number, disk)
            if fold is not None:
                start = fold.next_start(number, os.urandom(NONCE_BYTES))
                write_start(place.root, start, disk)
                found.append(start.digest)
        except OSError as error:  # its chain goes on later, uncommitted: verification says so
            if _disk_works(place, disk):
                _log.error("%s: its chain cannot be carried over: %s", camera, error.strerror)
                continue
            raise
    return tuple(sorted(found))


def _disk_works(place: ChainPlace, disk: DiskCalls) -> bool:
    """Whether the store's disk has room and takes a flush: then a fault is one camera's alone."""
    try:
        fsync_directory(place.root, disk)
        space = os.statvfs(place.root)
    except OSError:
        return False
    return space.f_bavail > 0 and not space.f_flag & os.ST_RDONLY


def standing_before(root: Path, camera: str, number: int, disk: DiskCalls = DISK) -> Fold | None:
    """Where the camera's chain stands before the file `number`, its torn end cut off. None without one.
    Raises OSError.

    What is told of it is durable: the next file must not outlive the end of this one.
    """
    numbers = [one for one in chain_numbers(root, camera) if one < number]
    if not numbers:
        return None
    path = root / chain_path(camera, numbers[-1])
    cut_torn_end(path, disk)
    flush(path, disk)
    return newest_fold(root, camera, numbers[-1])


def cut_torn_end(path: Path, disk: DiskCalls = DISK) -> ChainFile:
    """Removes what a power cut left at the end of a chain's file. Damage stays. Raises OSError."""
    file = ChainFile(read_plain(path))
    file.read_out()
    if file.fault is not None and file.is_torn:
        cut(path, file.at, disk)
    return file


def cut(path: Path, size_bytes: int, disk: DiskCalls = DISK) -> None:
    """Truncates a file durably. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | PLAIN)
    try:
        os.ftruncate(descriptor, size_bytes)
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush(path: Path, disk: DiskCalls = DISK) -> None:
    """Makes what was appended to a file durable. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | PLAIN)
    try:
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_start(root: Path, start: Start, disk: DiskCalls = DISK) -> None:
    """Begins a chain's file durably, in place of what a crash left there. Raises OSError."""
    directory = make_directories(root, f"{start.camera}/{CHAIN}", disk)
    path = root / chain_path(start.camera, start.number)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | PLAIN, 0o600)
    try:
        write_whole(descriptor, encode(start, start.head), 0, disk)
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)
    fsync_directory(directory, disk)


def write_whole(descriptor: int, content: bytes, at: int, disk: DiskCalls) -> None:
    """Writes all of `content` at `at`, or raises OSError and takes back what was written of it."""
    try:
        if disk.pwrite(descriptor, bytearray(content), at) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        with contextlib.suppress(OSError):  # then it is a torn end, which the next writer cuts off
            os.ftruncate(descriptor, at)
        raise


def last_certificate(place: ChainPlace) -> tuple[Certificate, SignedLine] | None:
    """The last whole one in the store; one with a number that no device comes to is none. Raises OSError."""
    lines = certificate_lines(place.root)
    for line in reversed(lines):
        with contextlib.suppress(BadSignature):
            found = parse_certificate(line)
            if found[0].number <= len(lines) + MOST_SKIPPED:
                return found
    return None


def certificate_lines(root: Path) -> list[bytes]:
    """Every line of the certificates, a torn last one too. Raises OSError."""
    try:
        return read_plain(root / KEYS / DAYS_FILE).splitlines()
    except FileNotFoundError:
        return []


def _cut_torn_certificate(place: ChainPlace, disk: DiskCalls) -> None:
    try:
        content = read_plain(place.certificates)
    except FileNotFoundError:
        return
    end = content.rfind(b"\n") + 1
    if content[end:]:
        cut(place.certificates, end, disk)


def _append_certificate(place: ChainPlace, line: SignedLine, disk: DiskCalls) -> None:
    directory = make_directories(place.root, KEYS, disk)
    descriptor = os.open(place.certificates, os.O_WRONLY | os.O_CREAT | PLAIN, 0o644)
    try:
        end = os.lseek(descriptor, 0, os.SEEK_END)
        write_whole(descriptor, bytes(line), end, disk)
        disk.fsync(descriptor)
    finally:
        os.close(descriptor)
    fsync_directory(directory, disk)
