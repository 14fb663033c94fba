"""Events get into the store sealed, whole and once, whatever the disk does and wherever a crash comes."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crypto.unseal import unseal_bytes
from pipeline import walk
from pipeline.audit import check
from pipeline.chain.findings import Report
from pipeline.chain.verify import Question, verify
from pipeline.durable import DISK, DiskCalls
from pipeline.event import parse_record
from pipeline.event_names import parse_under_way
from pipeline.event_store.store import MOST_WAITING
from pipeline.event_store.thumbnail import parse_thumbnail
from pipeline.index import Index, index_path, rebuild
from pipeline.model import StreamName
from pipeline.names import DAY_MS, SegmentName, StoredSegment
from pipeline.repair import repair
from pipeline.store import AlreadyRunning, lock_watcher
from tests.support.events import Keeping, an_event, kept, size_of
from tests.support.founding import Founded
from tests.support.store_writing import DEVICE, NOON_MS

DAY = "2026-11-22/12"
KEPT = f".k{NOON_MS - NOON_MS % DAY_MS + 61 * DAY_MS}"
EVENTS, THUMBS = StreamName("front", "events"), StreamName("front", "thumbs")


def _stored(keeping: Keeping, stream: StreamName) -> list[StoredSegment]:
    root = keeping.store.root
    return [one for hour in walk.hours(root, stream) for one in walk.segments(root, hour)]


def _opened(keeping: Keeping, founded: Founded, one: StoredSegment) -> bytes:
    sealed = (keeping.store.root / one.path).read_bytes()
    return unseal_bytes(sealed, founded.everything())


def _verified(keeping: Keeping) -> Report:
    return verify(keeping.store.root, Question(DEVICE), NOON_MS / 1000 + 1e6)


def test_an_event_is_published_with_its_thumbnail(keeping: Keeping, founded: Founded) -> None:
    events = keeping.begin()
    assert events.save(kept(an_event(7, duration_ms=3_000)))
    assert keeping.files() == [
        f"events/{DAY}/{NOON_MS}+3000.0{KEPT}.json.age.part",
        f"thumbs/{DAY}/{NOON_MS}+3000.0{KEPT}.jpg.age.part",
    ]
    assert events.save(kept(an_event(7, duration_ms=5_000)))
    assert events.finish(kept(an_event(7)), NOON_MS)
    assert keeping.files() == [
        f"events/{DAY}/{NOON_MS}+8000.0{KEPT}.json.age",
        f"thumbs/{DAY}/{NOON_MS}+8000.0{KEPT}.jpg.age",
    ]
    (event,), (thumb,) = _stored(keeping, EVENTS), _stored(keeping, THUMBS)
    assert keeping.told.segments == [event, thumb]
    record = parse_record(_opened(keeping, founded, event))
    assert (record.mark.device, record.mark.name, record.mark.sequence) == (DEVICE, EVENTS, 0)
    assert (record.mark.generation, record.unfinished, record.labels) == (1, False, ("person",))
    assert (record.start_ns, record.end_ns) == (NOON_MS * 10**6, (NOON_MS + 8_000) * 10**6)
    pictures = parse_thumbnail(_opened(keeping, founded, thumb))
    assert (pictures.mark.name, pictures.mark.sequence, pictures.mark.start_ns) == (
        THUMBS,
        0,
        NOON_MS * 10**6,
    )
    assert (size_of(pictures.crop), size_of(pictures.whole)) == ((64, 48), (160, 120))


def test_events_are_numbered_on_and_know_what_they_continue(keeping: Keeping, founded: Founded) -> None:
    events = keeping.begin()
    assert events.finish(kept(an_event(3)), NOON_MS)
    assert events.save(kept(an_event(4, NOON_MS + 9_000, continues=3)))
    assert events.sequence_of(4) == 1
    assert events.finish(kept(an_event(4, NOON_MS + 9_000, continues=3)), NOON_MS)
    again = keeping.begin()
    assert again.finish(kept(an_event(1, NOON_MS + 60_000, continues=None)), NOON_MS)
    records = [json.loads(_opened(keeping, founded, one)) for one in _stored(keeping, EVENTS)]
    assert [(one["sequence"], one["continues"]) for one in records] == [(0, None), (1, 0), (2, None)]


def test_a_sound_has_no_thumbnail_and_an_unsure_clock_a_flag(keeping: Keeping) -> None:
    events = keeping.begin()
    assert events.finish(kept(an_event(), picture=False, unsure=True), NOON_MS)
    assert keeping.files() == [f"events/{DAY}/{NOON_MS}+8000.0.c{KEPT}.json.age"]


def test_the_chain_has_events_and_names_what_becomes_of_them(keeping: Keeping) -> None:
    events = keeping.begin()
    for number in range(4):
        events.finish(kept(an_event(number, NOON_MS + number * 20_000)), NOON_MS)
    events.close(NOON_MS)
    report = _verified(keeping)
    counts = report.cameras[0]
    assert (report.findings, counts.verified_events, counts.verified_thumbs, counts.verified) == ((), 4, 4, 0)
    one, two, three, four = [keeping.store.root / event.path for event in _stored(keeping, EVENTS)]
    altered = bytearray(one.read_bytes())
    altered[-1] ^= 1
    one.write_bytes(altered)
    two.unlink()
    three.rename(three.with_name(three.name.replace("+8000.", "+9000.")))
    (four.parent / four.name.replace(".3.", ".9.")).write_bytes(b"put there")
    faults = sorted((found.fault.name, found.sequence) for found in _verified(keeping).findings)
    assert faults == [("ALTERED", 0), ("MISSING", 1), ("RENAMED", 2), ("UNCHAINED", 9)]


# Crashes.


class _Crash(BaseException):
    """The process is gone."""


@dataclass
class _Mortal:
    """A disk on which the process dies at the call numbered `at`."""

    at: int
    calls: int = 0

    def disk(self) -> DiskCalls:
        """The calls, each of which counts."""
        return DiskCalls(self._dying(os.pwrite), self._dying(os.fdatasync), self._dying(os.fsync))

    def _dying(self, call: Any) -> Any:
        def count(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls == self.at:
                raise _Crash
            return call(*arguments)

        return count


def _live(keeping: Keeping) -> None:
    events = keeping.begin()
    events.finish(kept(an_event(1, NOON_MS - 60_000)), NOON_MS)
    events.save(kept(an_event(2, duration_ms=3_000)))
    events.save(kept(an_event(2, duration_ms=5_000)))
    events.finish(kept(an_event(2)), NOON_MS)
    events.close(NOON_MS)


def _crash(keeping: Keeping, at: int) -> bool:
    """A life that ends at that call; whether it came so far."""
    keeping.disk = _Mortal(at).disk()
    try:
        _live(keeping)
    except _Crash:
        return True
    finally:
        keeping.disk = DISK
    return False


def _check_after(keeping: Keeping, founded: Founded) -> None:
    events = keeping.begin()
    records = {one.name.sequence: one for one in _stored(keeping, EVENTS)}
    thumbs = {one.name.sequence: one for one in _stored(keeping, THUMBS)}
    assert set(thumbs) <= set(records)
    for sequence, one in records.items():
        record = parse_record(_opened(keeping, founded, one))
        assert record.mark.sequence == sequence
        if sequence in thumbs:
            assert thumbs[sequence].name.end_ms == one.name.end_ms
            assert thumbs[sequence].name.unfinished == one.name.unfinished
            assert parse_thumbnail(_opened(keeping, founded, thumbs[sequence])).mark.sequence == sequence
    assert not [path for path in keeping.files() if not path.endswith(".age")]
    assert events.finish(kept(an_event(1, NOON_MS + 90_000)), NOON_MS)
    events.close(NOON_MS)
    report = _verified(keeping)
    assert report.findings == ()
    assert report.cameras[0].verified_events + report.cameras[0].verified_thumbs == len(keeping.files())


def test_a_crash_at_any_call_leaves_whole_events(keeping: Keeping, founded: Founded) -> None:
    at = 1
    while _crash(keeping, at):
        _check_after(keeping, founded)
        at += 1
    assert at > 20


def test_what_a_crash_left_is_unfinished_and_reaches_as_far_as_was_saved(keeping: Keeping) -> None:
    keeping.begin().save(kept(an_event(duration_ms=5_000)))
    assert all(parse_under_way(Path(path).name) for path in keeping.files())
    keeping.begin()
    assert keeping.files() == [
        f"events/{DAY}/{NOON_MS}+5000.0.u{KEPT}.json.age",
        f"thumbs/{DAY}/{NOON_MS}+5000.0.u{KEPT}.jpg.age",
    ]


# Disks that refuse.


@dataclass
class _Disk:
    """A disk that is full when it is told so."""

    full: bool = False

    def calls(self) -> DiskCalls:
        """What it does."""

        def pwrite(descriptor: int, data: bytearray, offset: int) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return os.pwrite(descriptor, data, offset)

        return DiskCalls(pwrite)


def test_folders_links_and_pipes_are_no_events_that_a_crash_left(keeping: Keeping, tmp_path: Path) -> None:
    events = keeping.begin()
    assert events.finish(kept(an_event(1)), NOON_MS)
    hours = [keeping.store.root / "front" / stream / DAY for stream in ("events", "thumbs")]
    other = tmp_path / "other"
    other.write_text("not ours")
    for hour, ending in zip(hours, ("json", "jpg"), strict=True):
        for ends in ("part", "new"):
            (hour / f"{NOON_MS}+5000.50{KEPT}.{ending}.age.{ends}").mkdir()
            (hour / f"{NOON_MS}+5000.51{KEPT}.{ending}.age.{ends}").symlink_to(other)
            os.mkfifo(hour / f"{NOON_MS}+5000.52{KEPT}.{ending}.age.{ends}")
    before = [sorted(path.name for path in hour.iterdir()) for hour in hours]
    again = keeping.begin()
    assert [sorted(path.name for path in hour.iterdir()) for hour in hours] == before
    assert again.finish(kept(an_event(1, NOON_MS + 60_000)), NOON_MS)
    assert not again.problem
    assert other.read_text() == "not ours"


def test_a_full_disk_lets_events_wait_bounded_and_counted(
    keeping: Keeping, caplog: pytest.LogCaptureFixture
) -> None:
    disk = _Disk()
    keeping.disk = disk.calls()
    events = keeping.begin()
    assert events.save(kept(an_event(0, duration_ms=2_000)))
    disk.full = True
    assert not events.save(kept(an_event(0, duration_ms=4_000)))
    for number in range(MOST_WAITING + 3):
        assert not events.finish(kept(an_event(number, NOON_MS + number * 10_000), picture=False), NOON_MS)
    assert (events.waiting, events.lost) == (MOST_WAITING, 3)
    assert events.problem == "no space left on device"
    disk.full = False
    events.tend(NOON_MS)
    assert (events.waiting, events.problem) == (0, "")
    assert len(_stored(keeping, EVENTS)) == MOST_WAITING
    assert caplog.text.count("cannot be kept") == 1


def test_a_part_that_somebody_deleted_is_written_anew(keeping: Keeping) -> None:
    events = keeping.begin()
    events.save(kept(an_event()))
    for path in keeping.files():
        (keeping.store.root / "front" / path).unlink()
    events.finish(kept(an_event()), NOON_MS)
    events.tend(NOON_MS)
    assert [path.rpartition(".")[2] for path in keeping.files()] == ["age", "age"]


def test_a_store_whose_disk_is_away_is_waited_for(keeping: Keeping) -> None:
    events = keeping.begin()
    away = keeping.store.root.with_name("away")
    keeping.store.root.rename(away)
    assert not events.finish(kept(an_event()), NOON_MS)
    assert "not a store" in events.problem
    away.rename(keeping.store.root)
    events.tend(NOON_MS)
    assert len(keeping.files()) == 2


def test_one_watcher_of_a_store(keeping: Keeping) -> None:
    with lock_watcher(keeping.store):
        assert walk.is_being_watched(keeping.store.root)
        with pytest.raises(AlreadyRunning, match="nvr watch"):
            lock_watcher(keeping.store)
    assert not walk.is_being_watched(keeping.store.root)


# What `nvr check` says of it.


def _checked(keeping: Keeping) -> list[tuple[str, str]]:
    root = keeping.store.root
    with Index(index_path(root)) as index:
        found = [one for one in check(root, index, NOON_MS / 1000) if one.path.startswith("front")]
    return [(one.fault.name, one.path.removeprefix("front/")) for one in found]


def test_check_knows_events_and_what_does_not_belong_there(keeping: Keeping) -> None:
    events = keeping.begin()
    events.finish(kept(an_event(1)), NOON_MS)
    events.finish(kept(an_event(2, NOON_MS + 20_000), picture=False), NOON_MS)
    events.close(NOON_MS)
    rebuild(keeping.store.root)
    assert _checked(keeping) == []
    thumb = keeping.store.root / "front" / keeping.files()[-1]
    moved = thumb.rename(thumb.with_name(thumb.name.replace(".jpg.", ".json.")))
    events.save(kept(an_event(3, NOON_MS + 40_000)))
    under_way = [path for path in keeping.files() if path.endswith(".part")]
    faults = {path: fault for fault, path in _checked(keeping)}
    assert faults[f"thumbs/{DAY}/{moved.name}"] == "NOT_A_NAME"
    assert faults[f"thumbs/{DAY}/{thumb.name}"] == "ROW_WITHOUT_FILE"
    assert {faults[path] for path in under_way} == {"LEFTOVER"}
    with lock_watcher(keeping.store):
        assert {fault for fault, _ in _checked(keeping)} == {"NOT_A_NAME", "ROW_WITHOUT_FILE"}
        assert repair(keeping.store.root).recovered == ()
    moved.rename(thumb)
    assert len(repair(keeping.store.root).recovered) == 2
    assert _checked(keeping) == []


def test_a_record_that_lost_its_end_is_named(keeping: Keeping) -> None:
    events = keeping.begin()
    events.save(kept(an_event(1)))
    keeping.begin()
    rebuild(keeping.store.root)
    record, thumb = (keeping.store.root / "front" / path for path in keeping.files())
    for path, length in ((record, 190), (thumb, 100)):
        os.truncate(path, length)
    rebuild(keeping.store.root)
    assert [fault for fault, _ in _checked(keeping)] == ["TOO_SHORT", "TOO_SHORT"]


def test_a_watcher_that_is_said_late_never_lowers_a_deadline(keeping: Keeping) -> None:
    rebuild(keeping.store.root)
    early, late = SegmentName(NOON_MS, 10_000, 0), SegmentName(NOON_MS, 10_000, 0, kept_until_ms=NOON_MS + 1)
    main = StreamName("front", "main")
    with Index(index_path(keeping.store.root)) as index:
        index.add([StoredSegment(main, late, 9)])
        index.add([StoredSegment(main, early, 9)])
        assert [one.name for one in index.segments(main, 0, NOON_MS * 2)] == [late]
