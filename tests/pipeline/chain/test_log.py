"""The log: several processes append to one chain, and what a crash or a bad disk leaves is dealt with."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crypto.signing import verify
from pipeline.chain.day_key import KEY_FILE, LOCK_FILE, first_day_key, locked, public_of
from pipeline.chain.log import ChainBusy, ChainDamaged, ChainKeeper, ChainLog
from pipeline.chain.reading import chain_numbers, newest_fold, read_chain_file
from pipeline.chain.records import Gap, Segment, Signed, Start, signed_message
from pipeline.chain.rotation import HOUR_NS
from pipeline.durable import DiskCalls
from pipeline.names import chain_path
from tests.support.chain_writing import Box
from tests.support.mounts import tmpfs
from tests.support.store_writing import NOON_MS, make_store

GAP = Gap("main", NOON_MS, "camera silent")
SEGMENT = Segment("main", 7, NOON_MS, 10_000, 5_000_000, 1, bytes(32))


def _file(box: Box, number: int = 1) -> Path:
    return box.root / chain_path("front", number)


def test_what_is_appended_is_read_back_and_signed(box: Box) -> None:
    box.append(SEGMENT)
    head = box.append(GAP, sign=True)
    file = read_chain_file(box.root, "front", 1)
    start, *records, signed = file
    assert isinstance(start, Start)
    assert (start.camera, start.device, start.count) == ("front", box.place.device, 0)
    assert records == [SEGMENT, GAP]
    assert isinstance(signed, Signed)
    assert file.fold is not None
    assert (file.fold.number, file.fold.count, file.fold.head) == (head.number, head.count, head.head)
    public = public_of(box.place.day_key)
    assert public is not None
    verify(public, signed.signature, signed_message(start.digest, _heads(box)[-2], NOON_MS))


def _heads(box: Box) -> list[bytes]:
    """The head after each record of the first file."""
    file, heads = read_chain_file(box.root, "front", 1), []
    for _ in file:
        assert file.fold is not None
        heads.append(file.fold.head)
    return heads


def test_nothing_is_signed_twice(box: Box) -> None:
    box.append(GAP, sign=True)
    count = box.sign().count
    assert box.sign().count == count


def test_two_processes_take_turns(box: Box) -> None:
    other = ChainLog(ChainKeeper(box.place), "front")
    for number in range(10):
        box.append(Gap("main", number, "one"))
        other.append([Gap("main", number, "other")], NOON_MS)
    fold = newest_fold(box.root, "front")
    assert fold is not None
    assert fold.count == 21


def test_appenders_and_rotation_in_processes_of_their_own(box: Box) -> None:
    box.append(GAP)
    program = [sys.executable, "-m", "tests.support.chain_writing"]
    places = [str(box.root), str(box.state_dir)]
    running = [
        subprocess.Popen([*program, what, *places], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for what in ("append", "append", "rotate")
    ]
    for process in running:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline(), process.stderr.read()
    time.sleep(2)
    for process in running:
        process.kill()
        process.communicate()
    box.restart()
    in_use = box.sign().number
    numbers = [number for number in chain_numbers(box.root, "front") if number <= in_use]
    assert len(numbers) > 1, "one above is what an exchange had begun that was killed"
    head, count = bytes(32), 0
    for number in numbers:
        file = read_chain_file(box.root, "front", number)
        start = next(iter(file))
        assert isinstance(start, Start)
        assert (start.head, start.count) == (head, count)
        fold = file.read_out()
        assert fold is not None
        assert file.fault is None
        head, count = fold.head, fold.count


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_end_is_cut_off(box: Box, cut: int) -> None:
    box.append(GAP)
    box.append(SEGMENT)
    os.truncate(_file(box), _file(box).stat().st_size - cut)
    box.restart()
    box.append(GAP)
    assert list(read_chain_file(box.root, "front", 1))[1:] == [GAP, GAP]


@pytest.mark.parametrize("left", [b"\0" * 5000, b"garbage", b"\x35\x02\4main"])
def test_what_a_power_cut_leaves_is_cut_off(box: Box, left: bytes) -> None:
    box.append(GAP)
    with _file(box).open("ab") as file:
        file.write(left)
    box.append(SEGMENT)
    assert list(read_chain_file(box.root, "front", 1))[1:] == [GAP, SEGMENT]


@pytest.mark.parametrize("size", [0, 3])
def test_a_file_that_was_hardly_begun_is_begun_anew(box: Box, size: int) -> None:
    box.append(GAP)
    os.truncate(_file(box), size)
    box.restart()
    box.append(SEGMENT)
    assert list(read_chain_file(box.root, "front", 1))[1:] == [SEGMENT]


def test_damage_stays_as_evidence_and_the_chain_goes_on_in_the_next_file(box: Box) -> None:
    for number in range(60):
        box.append(Gap("main", number, "before the damage, which must be long enough"))
    damaged = bytearray(_file(box).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    _file(box).write_bytes(damaged)
    box.restart()
    with pytest.raises(ChainDamaged, match="damaged"):
        box.append(GAP)
    assert box.tend(damaged=True)
    box.append(GAP)
    assert _file(box).read_bytes() == damaged
    fold = newest_fold(box.root, "front")
    assert fold is not None
    assert (fold.number, fold.start.count) == (2, 30)
    box.boot_ns += HOUR_NS // 2
    assert not box.tend(damaged=True)  # not again within the hour


def test_a_full_disk_takes_a_record_wholly_or_not_at_all(tmp_path: Path) -> None:
    with tmpfs(tmp_path, 1) as disk:
        box = Box(make_store(disk.path / "store").root, tmp_path / "state")
        box.append(GAP)
        ballast = disk.path / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError as full:
                assert full.errno == errno.ENOSPC
        written = 0
        with pytest.raises(OSError, match="No space"):
            for _ in range(200):
                box.append(SEGMENT)
                written += 1
        ballast.unlink()
        box.append(GAP)
        assert list(read_chain_file(box.root, "front", 1))[1:] == [GAP, *[SEGMENT] * written, GAP]


def test_a_flush_that_fails_appends_nothing_twice(box: Box) -> None:
    box.append(GAP)

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    log = ChainLog(box.keeper, "front", disk=DiskCalls(fdatasync=fail))
    log.append([SEGMENT], NOON_MS)
    log.append([SEGMENT], NOON_MS)
    assert list(read_chain_file(box.root, "front", 1))[1:] == [GAP, SEGMENT, SEGMENT]


def test_who_finds_it_locked_is_told_so(box: Box) -> None:
    box.append(GAP)
    with locked(box.state_dir / LOCK_FILE, alone=True), pytest.raises(ChainBusy):
        box.append(GAP)
    box.append(GAP)


def test_a_household_makes_the_first_day_key_once(tmp_path: Path, box: Box) -> None:
    box.state_dir.mkdir()
    public = first_day_key(box.state_dir)
    assert first_day_key(box.state_dir) == public == public_of(box.state_dir / KEY_FILE)
    assert (box.state_dir / KEY_FILE).stat().st_mode & 0o777 == 0o600
    box.append(GAP, sign=True)
    assert public_of(box.state_dir / KEY_FILE) == public


def test_nothing_is_written_below_the_mount_point_of_a_disk_that_is_away(box: Box) -> None:
    box.append(GAP)
    aside = box.root.with_name("aside")
    box.root.rename(aside)
    box.root.mkdir()
    for attempt in (lambda: box.append(GAP), box.tend, lambda: Box(box.root, box.state_dir).append(GAP)):
        with pytest.raises(OSError, match="is not a store"):
            attempt()
    assert list(box.root.iterdir()) == []
    box.root.rmdir()
    aside.rename(box.root)
    box.append(GAP)
    assert list(read_chain_file(box.root, "front", 1))[1:] == [GAP, GAP]
