"""Verification after somebody had the disk in hand, or the box for a while."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.recipient import Recipient
from pipeline.chain.certificates import Certificate
from pipeline.chain.findings import Fault
from pipeline.chain.records import Expired, Reason
from pipeline.chain.rotation import HOUR_NS
from tests.support.chain_writing import chain_record
from tests.support.store_writing import DEVICE, FRONT, write_segment
from tests.support.verified_house import (
    DAYS,
    SUB,
    House,
    chain_file,
)


def test_a_link_is_no_footage(house: House, tmp_path: Path) -> None:
    path = house.path(FRONT, 2)
    path.rename(tmp_path / "aside")
    path.symlink_to("nowhere")
    assert house.faults() == [(Fault.MISSING, house.segments[FRONT][2].path)]
    path.unlink()
    path.symlink_to(tmp_path / "aside")
    assert house.faults() == [(Fault.MISSING, house.segments[FRONT][2].path)]


def test_pipes_and_folders_are_not_waited_for(house: House) -> None:
    path = house.path(FRONT, 2)
    path.unlink()
    os.mkfifo(path)
    chain_file(house, 98).mkdir()
    os.mkfifo(chain_file(house, 99))
    assert house.faults() == [(Fault.MISSING, house.segments[FRONT][2].path)]
    house.box.restart()
    house.box.sign()
    house.box.next_day()
    assert house.faults() == [(Fault.MISSING, house.segments[FRONT][2].path)]


def test_a_file_of_the_chain_that_is_too_large_is_damaged(house: House) -> None:
    with chain_file(house, 2).open("r+b") as file:
        file.truncate(1 << 40)
    assert Fault.CHAIN_DAMAGED in house.kinds()


def test_a_tombstone_for_what_is_yet_to_be_recorded_excuses_nothing(house: House) -> None:
    house.box.append(Expired("main", Reason.AGE, 5000, 1_000_000_000_000), sign=True)
    house.day(range(5000, 5002))
    house.path(FRONT, 9).unlink()
    report = house.verify()
    assert [(one.fault, one.sequence) for one in report.findings] == [(Fault.MISSING, 5001)]
    assert "not recorded then" in " ".join(report.notes)


def test_a_past_that_is_recorded_under_a_clock_set_back_is_told(
    house: House, recipients: list[Recipient]
) -> None:
    for stream in (FRONT, SUB):
        house.box.expire(house.segments[stream][:4])
    start_ms = house.segments[FRONT][0].name.start_ms
    house.box.now_ms = start_ms - 3_600_000
    house.box.boot_ns += 24 * HOUR_NS
    assert house.box.tend()
    forged = write_segment(house.store, recipients, 20, start_ms)
    house.box.append(chain_record(house.root, forged), sign=True)
    report = house.verify()
    assert report.findings == ()
    assert "the clock was set back by 25 hours before day key 3" in " ".join(report.notes)


@pytest.mark.parametrize("number", [(1 << 40) - 1, 1 << 70])
def test_a_certificate_with_an_endless_number_stops_nobody(house: House, number: int) -> None:
    signer = Ed25519PrivateKey.generate()
    public = signer.public_key().public_bytes_raw()
    planted = Certificate(number, public, DEVICE, house.box.now_ms).signed(signer)
    with (house.root / DAYS).open("ab") as file:
        file.write(bytes(planted))
    house.box.restart()
    assert house.box.sign().number == 2
    assert Fault.CERTIFICATE in house.kinds()
