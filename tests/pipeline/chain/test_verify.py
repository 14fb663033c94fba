"""Verification on real stores: honest histories are clean, and each attack is named for what it is."""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
import time
from collections.abc import Collection
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.recipient import Recipient
from pipeline.chain.certificates import Certificate
from pipeline.chain.collapse import collapse
from pipeline.chain.day_key import opened, public_of
from pipeline.chain.findings import Fault, Report
from pipeline.chain.folding import Fold
from pipeline.chain.footage_check import Asked
from pipeline.chain.heads import Heads, parse_heads
from pipeline.chain.log import ChainKeeper, Head
from pipeline.chain.reading import read_chain_file
from pipeline.chain.records import Collapsed, Expired, Gap, Reason, Record, Segment, Signed, Start, encode
from pipeline.chain.rotation import HOUR_NS, certificate_lines
from pipeline.chain.tombstones import Tombstones
from pipeline.chain.verify import Question, verify
from pipeline.expiry import run_pass
from pipeline.index import rebuild
from pipeline.model import StreamName
from pipeline.names import DAY_MS, StoredSegment, chain_path
from pipeline.retention import Limits, Policy
from pipeline.store import Store, lock_camera
from tests.support.chain_writing import Box, chain_record
from tests.support.store_writing import DEVICE, FRONT, write_segment

SUB = StreamName("front", "sub")
BACK = StreamName("back", "main")
DAYS = Path("keys/days.jsonl")


@dataclasses.dataclass
class House:
    """Two cameras, two days, and the head that a member remembered at noon of the second."""

    store: Store
    box: Box
    segments: dict[StreamName, list[StoredSegment]]
    first_key: bytes
    recipients: list[Recipient]
    head: Heads

    @property
    def root(self) -> Path:
        return self.store.root

    def path(self, stream: StreamName, sequence: int) -> Path:
        return self.root / self.segments[stream][sequence].path

    def verify(
        self,
        *,
        heads: bool = False,
        owned: Collection[bytes] | None = (),
        asked: Asked | None = None,
        cameras: Collection[str] = (),
        now_s: float | None = None,
    ) -> Report:
        question = Question(
            DEVICE,
            frozenset(cameras),
            asked or Asked(),
            [self.first_key] if owned == () else owned,
            {"anna": self.head} if heads else {},
        )
        return verify(self.root, question, self.box.now_ms / 1000 if now_s is None else now_s)

    def faults(self, *, heads: bool = False) -> list[tuple[Fault, str]]:
        return [(one.fault, one.path) for one in self.verify(heads=heads).findings]

    def kinds(self, *, heads: bool = False) -> set[Fault]:
        return {one.fault for one in self.verify(heads=heads).findings}

    def day(self, sequences: range) -> None:
        for stream in (FRONT, SUB, BACK):
            self.segments.setdefault(stream, []).extend(
                self.box.record(self.store, self.recipients, sequences, stream)
            )


def _heads(box: Box) -> Heads:
    heads = {camera: box.sign(camera) for camera in ("front", "back")}
    return Heads("", DEVICE, box.now_ms, 0, "", heads)


@pytest.fixture
def house(box: Box, store: Store, recipients: list[Recipient]) -> House:
    box.append(Gap("main", box.now_ms, "started"))
    first_key = public_of(box.place.day_key)
    assert first_key is not None
    made = House(store, box, {}, first_key, recipients, Heads("", DEVICE, 0, 0, "", {}))
    made.day(range(4))
    box.next_day()
    made.day(range(4, 8))
    made.head = _heads(box)
    return made


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


# The chain itself.


def _chain(house: House, number: int, camera: str = "front") -> Path:
    return house.root / chain_path(camera, number)


def _records(house: House, number: int, camera: str = "front") -> list[Record]:
    return list(read_chain_file(house.root, camera, number))


def _write(house: House, number: int, records: list[Record], camera: str = "front") -> Fold:
    """A chain's file made anew, as whoever knows the format can."""
    start = records[0]
    assert isinstance(start, Start)
    fold, data = Fold(start), encode(start, start.head)
    for record in records[1:]:
        data += fold.append(record)
    _chain(house, number, camera).write_bytes(data)
    return fold


def _signed_by_today(house: House, fold: Fold, at_ms: int) -> Signed:
    with opened(house.box.place.day_key) as (_, signer):
        return Signed(at_ms, signer.sign(fold.signed_message(at_ms)))


def test_the_end_cut_against_a_remembered_head(house: House) -> None:
    records = _records(house, 2)
    cut = len(records) - 3
    signed = max(at for at in range(cut) if isinstance(records[at], Signed))
    _write(house, 2, records[: signed + 1])
    for segment in [s for s in records[signed + 1 :] if isinstance(s, Segment)]:
        house.path(StreamName("front", segment.stream), segment.sequence).unlink()
    assert house.kinds() == set()  # nobody can know, but for a member who remembers
    assert house.kinds(heads=True) == {Fault.CHAIN_CUT}


def test_yesterdays_end_cut_at_an_old_signature(house: House) -> None:
    records = _records(house, 1)
    signed = min(at for at, record in enumerate(records) if isinstance(record, Signed))
    _write(house, 1, records[: signed + 1])
    assert Fault.CHAIN_CUT in house.kinds()


def test_a_byte_of_the_chain_changed(house: House) -> None:
    data = bytearray(_chain(house, 1).read_bytes())
    data[len(data) // 2] ^= 1
    _chain(house, 1).write_bytes(data)
    assert Fault.CHAIN_DAMAGED in house.kinds()


def test_yesterday_rewritten_and_signed_by_todays_key(house: House) -> None:
    start, *_ = records = _records(house, 1)
    forged = [
        dataclasses.replace(record, content=bytes(32)) if isinstance(record, Segment) else record
        for record in records
        if not isinstance(record, Signed)
    ]
    fold = _write(house, 1, [start, *forged[1:]])
    _write(house, 1, [start, *forged[1:], _signed_by_today(house, fold, house.box.now_ms - DAY_MS)])
    assert Fault.RE_SIGNED in house.kinds()


def _forge_yesterday(house: House) -> Fold:
    """Yesterday with one recording exchanged: everything but what needs the erased key."""
    yesterday = _records(house, 1)
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
    return _write(house, 1, yesterday)


def _forge_today(house: House, fold: Fold) -> Start:
    """Today goes on from the forged yesterday, and its signatures are made anew."""
    start, *rest = _records(house, 2)
    assert isinstance(start, Start)
    forged = dataclasses.replace(start, head=fold.head, count=fold.count)
    today: list[Record] = [forged]
    for record in rest:
        if isinstance(record, Signed):
            fold = _write(house, 2, today)
            today.append(_signed_by_today(house, fold, record.at_ms))
        else:
            today.append(record)
    _write(house, 2, today)
    return forged


def test_yesterday_and_today_rewritten(house: House) -> None:
    _forge_today(house, _forge_yesterday(house))
    assert {Fault.CHAIN_FORKED, Fault.RE_SIGNED} <= house.kinds()


@pytest.mark.parametrize("signed_by_itself", [True, False])
def test_yesterday_and_today_rewritten_with_a_new_certificate(house: House, signed_by_itself: bool) -> None:
    start = _forge_today(house, _forge_yesterday(house))
    first, second = certificate_lines(house.root)
    back = _records(house, 2, "back")[0]
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
    records = _records(house, 1)
    signed = min(at for at, record in enumerate(records) if isinstance(record, Signed))
    _write(house, 1, records[: signed + 1])
    for camera in ("front", "back"):
        _chain(house, 2, camera).unlink()
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
        shutil.copy(_chain(house, number), _chain(house, number, "back"))
    assert {Fault.CHAIN_FORKED, Fault.CHAIN_REMOVED} <= house.kinds()


def test_yesterdays_file_of_the_chain_removed(house: House) -> None:
    _chain(house, 1).unlink()
    assert Fault.CHAIN_CUT in house.kinds()


def _pretend_collapse(house: House, *, tombstones: bool) -> None:
    box = house.box
    for stream in (FRONT, SUB):
        for segment in house.segments[stream][:4]:
            (house.root / segment.path).unlink()
        if tombstones:
            box.append(Expired(stream.stream, Reason.AGE, 0, 4))
    box.append(Collapsed(1), sign=True)
    _chain(house, 1).unlink()


def test_a_collapse_that_is_pretended(house: House) -> None:
    _pretend_collapse(house, tombstones=False)
    assert house.kinds() == {Fault.CHAIN_CUT}


def test_a_collapse_that_is_pretended_with_footage_left(house: House) -> None:
    house.box.append(Collapsed(1), sign=True)
    _chain(house, 1).unlink()
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
    records = _records(house, 2)
    forged = [
        dataclasses.replace(one, content=bytes(32)) if isinstance(one, Segment) else one for one in records
    ]
    today: list[Record] = [forged[0]]
    for record in forged[1:]:
        if isinstance(record, Signed):
            today.append(_signed_by_today(house, _write(house, 2, today), record.at_ms))
        else:
            today.append(record)
    _write(house, 2, today)
    assert Fault.CHAIN_FORKED not in house.kinds()
    assert Fault.CHAIN_FORKED in house.kinds(heads=True)


def test_an_unconfirmed_series_is_told(house: House) -> None:
    report = house.verify(owned=[bytes(32)])
    assert {one.fault for one in report.findings} == {Fault.UNCONFIRMED}
    assert "nvr head --accept-device" in report.findings[0].note
    assert house.verify(owned=None).findings == ()


# Life goes on.


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


# Whoever had the disk in hand, or the box for a while.


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
    _chain(house, 98).mkdir()
    os.mkfifo(_chain(house, 99))
    assert house.faults() == [(Fault.MISSING, house.segments[FRONT][2].path)]
    house.box.restart()
    house.box.sign()
    house.box.next_day()
    assert house.faults() == [(Fault.MISSING, house.segments[FRONT][2].path)]


def test_a_file_of_the_chain_that_is_too_large_is_damaged(house: House) -> None:
    with _chain(house, 2).open("r+b") as file:
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
