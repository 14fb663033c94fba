"""Verification on real stores: honest histories are clean, and each attack on footage is named."""

from __future__ import annotations

import dataclasses
import threading
import time

import pytest

from crypto.recipient import Recipient
from pipeline.chain.collapse import collapse
from pipeline.chain.findings import Fault
from pipeline.chain.footage_check import Asked
from pipeline.chain.heads import Heads, parse_heads
from pipeline.chain.log import ChainKeeper, Head
from pipeline.chain.records import Reason
from pipeline.chain.tombstones import Tombstones
from pipeline.chain.verify import Question, verify
from pipeline.expiry import run_pass
from pipeline.index import rebuild
from pipeline.model import StreamName
from pipeline.names import DAY_MS, StoredSegment
from pipeline.retention import Limits, Policy
from pipeline.store import Store, lock_camera
from tests.support.chain_writing import Box
from tests.support.store_writing import DEVICE, FRONT, write_segment
from tests.support.verified_house import (
    BACK,
    SUB,
    House,
)


def test_an_honest_store_is_clean(house: House) -> None:
    report = house.verify(heads=True)
    assert report.findings == ()
    assert report.notes == ()
    assert [(one.camera, one.verified) for one in report.cameras] == [("back", 8), ("front", 16)]
    assert [one.gaps for one in report.cameras] == [{}, {"started": 1}]
    assert all(one.unsigned == 0 for one in report.cameras)


def test_one_camera_and_a_range_are_hashed_alone(house: House) -> None:
    start_ms = house.segments[FRONT][5].name.start_ms
    report = house.verify(cameras=["front"], asked=Asked(start_ms, start_ms + 1))
    assert report.findings == ()
    assert [(one.camera, one.verified, one.not_asked) for one in report.cameras] == [("front", 2, 14)]


@pytest.mark.parametrize("at", [0, 0.3, 0.99])
def test_one_byte_changed(house: House, at: float) -> None:
    path = house.path(FRONT, 2)
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 1
    path.write_bytes(content)
    assert house.faults() == [(Fault.ALTERED, house.segments[FRONT][2].path)]


def test_one_removed(house: House) -> None:
    house.path(SUB, 3).unlink()
    (finding,) = house.verify().findings
    assert (finding.fault, finding.path) == (Fault.MISSING, house.segments[SUB][3].path)
    assert (finding.camera, finding.stream, finding.sequence) == ("front", "sub", 3)


@pytest.mark.parametrize("other", [FRONT, SUB, BACK])
def test_two_swapped(house: House, other: StreamName) -> None:
    one, two = house.path(FRONT, 1), house.path(other, 2)
    aside = one.with_name("aside")
    one.rename(aside)
    two.rename(one)
    aside.rename(two)
    findings = house.verify().findings
    assert {(f.fault, f.path) for f in findings} == {
        (Fault.SWAPPED, house.segments[FRONT][1].path),
        (Fault.SWAPPED, house.segments[other][2].path),
    }
    notes = " ".join(finding.note for finding in findings)
    assert f"{other} number 2" in notes
    assert "front/main number 1" in notes


def test_one_truncated(house: House) -> None:
    path = house.path(FRONT, 6)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    assert house.faults() == [(Fault.TRUNCATED, house.segments[FRONT][6].path)]


def test_one_lengthened(house: House) -> None:
    with house.path(FRONT, 6).open("ab") as file:
        file.write(b"x")
    assert house.faults() == [(Fault.ALTERED, house.segments[FRONT][6].path)]


def _renamed(segment: StoredSegment, **changes: object) -> str:
    changed = dataclasses.replace(segment.name, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(segment, name=changed).path


def test_a_finished_one_truncated_and_renamed_to_look_unfinished(house: House) -> None:
    segment = house.segments[FRONT][3]
    path = house.path(FRONT, 3)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    renamed = _renamed(segment, unfinished=True, duration_ms=5000)
    path.rename(house.root / renamed)
    assert set(house.faults()) == {(Fault.TRUNCATED, renamed), (Fault.RENAMED, renamed)}


@pytest.mark.parametrize(
    "changes", [{"unfinished": True}, {"start_ms": 1_795_348_890_000}, {"duration_ms": 1}]
)
def test_one_renamed(house: House, changes: dict[str, object]) -> None:
    segment = house.segments[FRONT][3]
    renamed = _renamed(segment, **changes)
    house.path(FRONT, 3).rename(house.root / renamed)
    assert house.faults() == [(Fault.RENAMED, renamed)]


def test_one_renumbered(house: House) -> None:
    renamed = _renamed(house.segments[FRONT][3], sequence=77)
    house.path(FRONT, 3).rename(house.root / renamed)
    assert set(house.faults()) == {
        (Fault.RENAMED, renamed),
        (Fault.MISSING, house.segments[FRONT][3].path),
    }


def test_a_new_deadline_is_no_fault(house: House) -> None:
    renamed = _renamed(house.segments[FRONT][3], kept_until_ms=2_000_000_000_000)
    house.path(FRONT, 3).rename(house.root / renamed)
    assert house.faults() == []


def test_one_put_there(house: House, recipients: list[Recipient]) -> None:
    put = write_segment(house.store, recipients, 90)
    assert house.faults() == [(Fault.UNCHAINED, put.path)]


def test_what_expired_is_told_from_what_is_missing(house: House) -> None:
    rebuild(house.root)
    tombstones = Tombstones(ChainKeeper(house.box.place), lambda: house.box.now_ms)
    now_ms = house.box.now_ms + DAY_MS // 2
    while run_pass(house.root, Policy(others=Limits(days=1)), now_ms, tombstones).removed:
        pass
    report = house.verify(heads=True)
    assert report.findings == ()
    assert [(one.verified, one.expired) for one in report.cameras] == [
        (4, {Reason.AGE: 4}),
        (8, {Reason.AGE: 8}),
    ]
    house.path(FRONT, 5).unlink()
    assert house.faults() == [(Fault.MISSING, house.segments[FRONT][5].path)]


def test_old_files_collapse_when_all_has_expired(house: House) -> None:
    box = house.box
    box.expire(house.segments[FRONT][:4])
    assert collapse(box.log(), house.root, "front", box.now_ms) == []
    box.expire(house.segments[SUB][:4])
    box.expire(house.segments[BACK][:4])
    assert collapse(box.log(), house.root, "front", box.now_ms) == [1]
    assert collapse(box.log("back"), house.root, "back", box.now_ms) == [1]
    report = house.verify(heads=True)
    assert report.findings == ()
    assert [one.verified for one in report.cameras] == [4, 8]
    for _ in range(2):
        box.next_day()
    box.expire(house.segments[FRONT][4:])
    box.expire(house.segments[SUB][4:])
    assert collapse(box.log(), house.root, "front", box.now_ms) == [2, 3]
    report = house.verify(heads=True)
    assert report.findings == ()
    assert ["anna" in note for note in report.notes] == [True]


def test_what_is_missing_keeps_its_file(house: House) -> None:
    house.path(FRONT, 0).unlink()
    house.box.expire(house.segments[FRONT][1:4])
    house.box.expire(house.segments[SUB][:4])
    assert collapse(house.box.log(), house.root, "front", house.box.now_ms) == []
    assert house.faults() == [(Fault.MISSING, house.segments[FRONT][0].path)]


def test_recording_and_retention_meanwhile_are_no_findings(house: House) -> None:
    stop = threading.Event()

    def live() -> None:
        sequence = 8
        while not stop.is_set():
            house.segments[FRONT] += house.box.record(house.store, house.recipients, [sequence])
            house.box.expire([house.segments[FRONT].pop(0)])
            sequence += 1

    living = threading.Thread(target=live)
    with lock_camera(house.store, "front"):
        living.start()
        try:
            for _ in range(15):
                assert house.verify(heads=True, now_s=time.time()).findings == ()
        finally:
            stop.set()
            living.join()


def test_footage_from_before_the_chain_is_no_finding(
    box: Box, store: Store, recipients: list[Recipient]
) -> None:
    for sequence in range(3):
        write_segment(store, recipients, sequence)
    box.record(store, recipients, range(3, 5))
    report = verify(store.root, Question(DEVICE), box.now_ms / 1000)
    assert report.findings == ()
    assert (report.cameras[0].before_chain, report.cameras[0].verified) == (3, 2)


def test_a_remembered_head_is_read_back() -> None:
    head = Head(3, 700, bytes(range(32)))
    heads = Heads("ab" * 32, DEVICE, 5, 2, "cd" * 32, {"front": head}, "anna")
    assert parse_heads(bytes(heads)) == (heads, None)
