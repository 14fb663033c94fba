"""Verification: each attack on the chain itself, and on its certificates, is named for what it is."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from crypto.recipient import Recipient
from pipeline.chain.certificates import Certificate
from pipeline.chain.day_key import opened, public_of
from pipeline.chain.findings import Fault
from pipeline.chain.folding import Fold
from pipeline.chain.records import Collapsed, Expired, Reason, Record, Segment, Signed, Start
from pipeline.chain.rotation import certificate_lines
from pipeline.model import StreamName
from pipeline.names import DAY_MS
from tests.support.chain_writing import chain_record
from tests.support.store_writing import DEVICE, FRONT, write_segment
from tests.support.verified_house import (
    DAYS,
    SUB,
    House,
    chain_file,
    records_of,
    signed_by_today,
    write_chain,
)


def test_the_end_cut_against_a_remembered_head(house: House) -> None:
    records = records_of(house, 2)
    cut = len(records) - 3
    signed = max(at for at in range(cut) if isinstance(records[at], Signed))
    write_chain(house, 2, records[: signed + 1])
    for segment in [s for s in records[signed + 1 :] if isinstance(s, Segment)]:
        house.path(StreamName("front", segment.stream), segment.sequence).unlink()
    assert house.kinds() == set()  # nobody can know, but for a member who remembers
    assert house.kinds(heads=True) == {Fault.CHAIN_CUT}


def test_yesterdays_end_cut_at_an_old_signature(house: House) -> None:
    records = records_of(house, 1)
    signed = min(at for at, record in enumerate(records) if isinstance(record, Signed))
    write_chain(house, 1, records[: signed + 1])
    assert Fault.CHAIN_CUT in house.kinds()


def test_a_byte_of_the_chain_changed(house: House) -> None:
    data = bytearray(chain_file(house, 1).read_bytes())
    data[len(data) // 2] ^= 1
    chain_file(house, 1).write_bytes(data)
    assert Fault.CHAIN_DAMAGED in house.kinds()


def test_yesterday_rewritten_and_signed_by_todays_key(house: House) -> None:
    start, *_ = records = records_of(house, 1)
    forged = [
        dataclasses.replace(record, content=bytes(32)) if isinstance(record, Segment) else record
        for record in records
        if not isinstance(record, Signed)
    ]
    fold = write_chain(house, 1, [start, *forged[1:]])
    write_chain(house, 1, [start, *forged[1:], signed_by_today(house, fold, house.box.now_ms - DAY_MS)])
    assert Fault.RE_SIGNED in house.kinds()


def _forge_yesterday(house: House) -> Fold:
    """Yesterday with one recording exchanged: everything but what needs the erased key."""
    yesterday = records_of(house, 1)
    segment = house.segments[FRONT][2]
    content = house.path(FRONT, 3).read_bytes()
    house.path(FRONT, 2).write_bytes(content)
    record = chain_record(house.root, segment)
    at = next(
        at
        for at, one in enumerate(yesterday)
        if isinstance(one, Segment) and (one.stream, one.sequence) == ("main", 2)
    )
    yesterday[at] = record
    return write_chain(house, 1, yesterday)


def _forge_today(house: House, fold: Fold) -> Start:
    """Today goes on from the forged yesterday, and its signatures are made anew."""
    start, *rest = records_of(house, 2)
    assert isinstance(start, Start)
    forged = dataclasses.replace(start, head=fold.head, count=fold.count)
    today: list[Record] = [forged]
    for record in rest:
        if isinstance(record, Signed):
            fold = write_chain(house, 2, today)
            today.append(signed_by_today(house, fold, record.at_ms))
        else:
            today.append(record)
    write_chain(house, 2, today)
    return forged


def test_yesterday_and_today_rewritten(house: House) -> None:
    _forge_today(house, _forge_yesterday(house))
    assert {Fault.CHAIN_FORKED, Fault.RE_SIGNED} <= house.kinds()


@pytest.mark.parametrize("signed_by_itself", [True, False])
def test_yesterday_and_today_rewritten_with_a_new_certificate(house: House, signed_by_itself: bool) -> None:
    start = _forge_today(house, _forge_yesterday(house))
    first, second = certificate_lines(house.root)
    back = records_of(house, 2, "back")[0]
    assert isinstance(back, Start)
    public = public_of(house.box.place.day_key)
    assert public is not None
    commitments = tuple(sorted([start.digest, back.digest]))
    with opened(house.box.place.day_key) as (_, signer):
        previous = bytes.fromhex(second.split(b'"previous":"')[1][:64].decode())
        forged = Certificate(2, public, DEVICE, house.box.now_ms, previous, commitments).signed(signer)
    lines = [first, bytes(forged).strip()] if signed_by_itself else [bytes(forged).strip()]
    (house.root / DAYS).write_bytes(b"\n".join(lines) + b"\n")
    kinds = house.kinds()
    assert Fault.UNCONFIRMED in kinds
    assert kinds & {Fault.RE_SIGNED, Fault.CERTIFICATE}


def test_a_new_series_after_yesterday_was_cut(house: House) -> None:
    records = records_of(house, 1)
    signed = min(at for at, record in enumerate(records) if isinstance(record, Signed))
    write_chain(house, 1, records[: signed + 1])
    for camera in ("front", "back"):
        chain_file(house, 2, camera).unlink()
    (house.root / DAYS).write_bytes(certificate_lines(house.root)[0] + b"\n")
    house.box.place.day_key.unlink()
    house.box.restart()
    house.box.sign()
    house.box.sign("back")
    assert Fault.UNCONFIRMED in house.kinds()


def test_a_certificate_missing(house: House) -> None:
    house.box.next_day()
    lines = certificate_lines(house.root)
    (house.root / DAYS).write_bytes(b"\n".join([lines[0], lines[2]]) + b"\n")
    assert {Fault.CERTIFICATE, Fault.UNCONFIRMED, Fault.RE_SIGNED} <= house.kinds()


def test_all_certificates_missing(house: House) -> None:
    (house.root / DAYS).unlink()
    assert Fault.RE_SIGNED in house.kinds()


def test_a_camera_removed_with_its_chain(house: House) -> None:
    shutil.rmtree(house.root / "back")
    assert house.kinds() == {Fault.CHAIN_REMOVED}
    assert house.kinds(heads=True) == {Fault.CHAIN_REMOVED}


def test_a_chain_put_in_anothers_place(house: House) -> None:
    for number in (1, 2):
        shutil.copy(chain_file(house, number), chain_file(house, number, "back"))
    assert {Fault.CHAIN_FORKED, Fault.CHAIN_REMOVED} <= house.kinds()


def test_yesterdays_file_of_the_chain_removed(house: House) -> None:
    chain_file(house, 1).unlink()
    assert Fault.CHAIN_CUT in house.kinds()


def _pretend_collapse(house: House, *, tombstones: bool) -> None:
    box = house.box
    for stream in (FRONT, SUB):
        for segment in house.segments[stream][:4]:
            (house.root / segment.path).unlink()
        if tombstones:
            box.append(Expired(stream.stream, Reason.AGE, 0, 4))
    box.append(Collapsed(1), sign=True)
    chain_file(house, 1).unlink()


def test_a_collapse_that_is_pretended(house: House) -> None:
    _pretend_collapse(house, tombstones=False)
    assert house.kinds() == {Fault.CHAIN_CUT}


def test_a_collapse_that_is_pretended_with_footage_left(house: House) -> None:
    house.box.append(Collapsed(1), sign=True)
    chain_file(house, 1).unlink()
    assert {Fault.CHAIN_CUT, Fault.UNCHAINED} <= house.kinds()


def test_what_today_deletes_with_tombstones_is_counted_as_expired_and_told(house: House) -> None:
    """Who has the running box may delete; it shows as deleted under today's key, never as not recorded."""
    _pretend_collapse(house, tombstones=True)
    report = house.verify(heads=True)
    assert report.findings == ()
    front = report.cameras[1]
    assert (front.expired, front.collapsed) == ({Reason.AGE: 8}, 1)


def test_yesterday_recorded_anew_under_todays_key(house: House, recipients: list[Recipient]) -> None:
    """All of yesterday deleted with tombstones, and made up again."""
    for stream in (FRONT, SUB):
        house.box.expire(house.segments[stream][:4])
    start_ms = house.segments[FRONT][0].name.start_ms
    forged = write_segment(house.store, recipients, 20, start_ms)
    house.box.append(chain_record(house.root, forged), sign=True)
    (finding,) = house.verify().findings
    assert (finding.fault, finding.sequence) == (Fault.RE_SIGNED, 20)
    assert "under a later key" in finding.note


def test_a_chain_forked_from_what_a_member_remembers(house: House) -> None:
    records = records_of(house, 2)
    forged = [
        dataclasses.replace(one, content=bytes(32)) if isinstance(one, Segment) else one for one in records
    ]
    today: list[Record] = [forged[0]]
    for record in forged[1:]:
        if isinstance(record, Signed):
            today.append(signed_by_today(house, write_chain(house, 2, today), record.at_ms))
        else:
            today.append(record)
    write_chain(house, 2, today)
    assert Fault.CHAIN_FORKED not in house.kinds()
    assert Fault.CHAIN_FORKED in house.kinds(heads=True)


def test_an_unconfirmed_series_is_told(house: House) -> None:
    report = house.verify(owned=[bytes(32)])
    assert {one.fault for one in report.findings} == {Fault.UNCONFIRMED}
    assert "nvr head --accept-device" in report.findings[0].note
    assert house.verify(owned=None).findings == ()
