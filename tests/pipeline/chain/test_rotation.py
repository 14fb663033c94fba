"""The exchange of the day key: crashes at every step, states that were lost, and seeds that are gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.chain.certificates import Judged, judge
from pipeline.chain.day_key import KEY_FILE, LOCK_FILE, KeyLabel, label_day, public_of, read_label
from pipeline.chain.reading import chain_numbers, newest_fold, read_chain_file
from pipeline.chain.records import Gap, Start
from pipeline.chain.rotation import DAY_NS, HOUR_NS, certificate_lines, is_due
from pipeline.durable import DiskCalls
from pipeline.names import DAY_MS, KEYS
from tests.support.chain_writing import Box
from tests.support.memory import found_in_memory
from tests.support.store_writing import DEVICE, NOON_MS

GAP = Gap("main", NOON_MS, "camera silent")


class Crash(BaseException):
    """The power goes."""


def _judged(box: Box) -> Judged:
    return judge(certificate_lines(box.root), DEVICE, None)


def _assert_whole(box: Box, camera: str = "front") -> None:
    """Every file goes on where the one before ended, and every certificate knows them."""
    judged = _judged(box)
    assert judged.faults == ()
    head, count = bytes(32), 0
    for number in chain_numbers(box.root, camera):
        if number > judged.newest:
            continue
        file = read_chain_file(box.root, camera, number)
        start = next(iter(file))
        assert isinstance(start, Start)
        assert (start.head, start.count) == (head, count)
        if count:
            assert start.digest in judged.known[number].certificate.commitments
        fold = file.read_out()
        assert fold is not None
        head, count = fold.head, fold.count


def test_each_day_has_its_key(box: Box) -> None:
    box.append(GAP)
    box.append(GAP, camera="back")
    publics = [public_of(box.place.day_key)]
    for _ in range(3):
        box.next_day()
        box.append(GAP, sign=True)
        publics.append(public_of(box.place.day_key))
    assert len(set(publics)) == 4
    judged = _judged(box)
    assert [one.certificate.public for one in judged.known.values()] == publics
    assert [one.begins_series for one in judged.known.values()] == [True, False, False, False]
    for camera in ("front", "back"):
        assert chain_numbers(box.root, camera) == [1, 2, 3, 4]
        _assert_whole(box, camera)


def test_when_a_key_is_due() -> None:
    today = KeyLabel(1, label_day(NOON_MS))
    assert not is_due(today, NOON_MS, sure=True, seen_ns=DAY_NS)
    assert is_due(today, NOON_MS + DAY_MS, sure=True, seen_ns=HOUR_NS)
    assert is_due(today, NOON_MS - DAY_MS, sure=True, seen_ns=HOUR_NS)
    assert not is_due(today, NOON_MS + DAY_MS, sure=True, seen_ns=HOUR_NS - 1)
    assert not is_due(today, NOON_MS + DAY_MS, sure=False, seen_ns=DAY_NS - 1)
    assert is_due(today, NOON_MS + DAY_MS, sure=False, seen_ns=DAY_NS)


def test_a_clock_that_flaps_makes_no_more_than_a_key_an_hour(box: Box) -> None:
    box.append(GAP)
    for _ in range(240):
        box.now_ms += DAY_MS if box.now_ms == NOON_MS else -DAY_MS
        box.boot_ns += HOUR_NS // 60
        box.tend()
    assert len(certificate_lines(box.root)) <= 6


def _crash_at(step: int) -> tuple[DiskCalls, list[int]]:
    """Disk calls of which the one numbered `step` is the last that is ever begun."""
    calls = [0]

    def counted(done: bool) -> None:
        calls[0] += 1
        if calls[0] > step or (calls[0] == step and not done):
            raise Crash

    def pwrite(descriptor: int, content: bytearray, at: int) -> int:
        counted(False)
        return os.pwrite(descriptor, content, at)

    def fsync(descriptor: int) -> None:
        counted(False)
        os.fsync(descriptor)

    return DiskCalls(pwrite, fsync, fsync), calls


@pytest.mark.parametrize("lost", [False, True])
def test_a_crash_at_any_step_is_mended(box: Box, lost: bool) -> None:
    """`lost`: the exchange begins a new series, since the day key is gone."""
    box.append(GAP)
    box.append(GAP, camera="back")
    for step in range(1, 40):
        box.append(GAP, sign=True)
        if lost:
            (box.state_dir / KEY_FILE).unlink()
        before = len(certificate_lines(box.root))
        box.disk, calls = _crash_at(step)
        box.restart()
        try:
            box.next_day()
        except Crash:
            crashed = True
        else:
            crashed = False
        box.disk = DiskCalls()
        box.restart()
        box.append(GAP, sign=True)
        box.tend()
        assert sorted(path.name for path in box.state_dir.iterdir()) == [KEY_FILE, LOCK_FILE]
        assert len(certificate_lines(box.root)) == before + 1
        for camera in ("front", "back"):
            _assert_whole(box, camera)
        if not crashed:
            assert calls[0] < step
            return
    raise AssertionError("the exchange has more steps than were tried")


@pytest.mark.slow
def test_an_exchange_killed_at_any_moment_is_mended(box: Box) -> None:
    box.append(GAP)
    program = [
        sys.executable,
        "-m",
        "tests.support.chain_writing",
        "rotate",
        str(box.root),
        str(box.state_dir),
    ]
    for attempt in range(8):
        process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline()
        time.sleep(0.003 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        box.restart()
        box.append(GAP, sign=True)
        box.tend()
        _assert_whole(box)


def test_a_lost_state_begins_a_new_series_and_everything_goes_on(box: Box) -> None:
    box.append(GAP, sign=True)
    owned = public_of(box.place.day_key)
    assert owned is not None
    box.next_day()
    for path in box.state_dir.iterdir():
        path.unlink()
    box.state_dir.rmdir()
    box.restart()
    box.append(GAP, sign=True)
    _assert_whole(box)
    judged = judge(certificate_lines(box.root), DEVICE, [owned])
    assert [one.confirmed for one in judged.known.values()] == [True, True, False]
    assert judged.unconfirmed == (3,)
    box.next_day()
    assert judge(certificate_lines(box.root), DEVICE, [owned]).unconfirmed == (3,)


def test_a_store_from_a_backup_begins_a_new_series(box: Box) -> None:
    box.append(GAP, sign=True)
    copied = (box.root / KEYS / "days.jsonl").read_bytes()
    box.next_day()
    (box.root / KEYS / "days.jsonl").write_bytes(copied)
    (box.root / "front/chain/2.chain").unlink()
    box.restart()
    box.append(GAP, sign=True)
    _assert_whole(box)
    assert _judged(box).known[2].begins_series


def test_a_torn_certificate_is_made_anew(box: Box) -> None:
    box.append(GAP)
    with (box.root / KEYS / "days.jsonl").open("ab") as file:
        file.write(b'{"at_ms":17')
    box.next_day()
    _assert_whole(box)
    assert _judged(box).newest == 2


def test_one_camera_that_cannot_be_carried_over_does_not_keep_the_others(box: Box) -> None:
    box.append(GAP)
    box.append(GAP, camera="back")
    (box.root / "back/chain/2.chain").mkdir()
    box.next_day()
    assert read_label(box.place.day_key) == KeyLabel(2, label_day(box.now_ms))
    box.append(GAP, sign=True)
    _assert_whole(box)


def _seed(path: Path) -> bytes:
    return path.read_bytes()[16:]


def test_yesterdays_seed_is_in_no_memory_and_on_no_disk(box: Box) -> None:
    program = [sys.executable, "-c", _SIGNS_AND_WAITS, str(box.root), str(box.state_dir)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "signed\n"
        seed = _seed(box.place.day_key)
        halves = [seed, seed[:16], seed[16:]]
        assert found_in_memory(process.pid, halves) == set()
        print("go", file=process.stdin, flush=True)
        assert process.stdout.readline() == "exchanged\n"
        today = _seed(box.place.day_key)
        assert today != seed
        assert found_in_memory(process.pid, [*halves, today, today[:16], today[16:]]) == set()
        print("end", file=process.stdin, flush=True)
    for path in [*box.state_dir.rglob("*"), *box.root.rglob("*")]:
        assert not path.is_file() or seed[:16] not in path.read_bytes()


_SIGNS_AND_WAITS = """
import sys
from pathlib import Path
from pipeline.chain.records import Gap
from tests.support.chain_writing import Box
box = Box(Path(sys.argv[1]), Path(sys.argv[2]))
for number in range(20):
    box.append(Gap("main", number, "test"), sign=True)
print("signed", flush=True)
sys.stdin.readline()
box.next_day()
box.append(Gap("main", 1, "test"), sign=True)
print("exchanged", flush=True)
sys.stdin.readline()
"""


def test_the_log_goes_on_in_the_new_file(box: Box) -> None:
    box.append(GAP)
    box.next_day()
    head = box.append(GAP)
    assert (head.number, head.count) == (2, 4)
    fold = newest_fold(box.root, "front")
    assert fold is not None
    assert fold.head == head.head
