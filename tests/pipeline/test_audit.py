"""Each way in which store and index can be wrong is found, named, and repaired where that is possible."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.identity import HybridIdentity
from crypto.recipient import Recipient
from pipeline.audit import REPAIRED_BY_REBUILD, Fault, Finding, check
from pipeline.household.used_marks import UsedMark, make_mark
from pipeline.index import Index, index_path, rebuild
from pipeline.key_names import UsedName
from pipeline.model import StreamName
from pipeline.names import GapMark, SegmentName, StoredSegment
from pipeline.repair import repair
from pipeline.store import Store, append_gap_mark, hold, lock_camera, lock_store, open_segment, recover
from tests.support.founding import found
from tests.support.store_writing import FRONT, NOON_MS, append_fragments, mark, write_segment


def _findings(store: Store) -> list[Finding]:
    with Index(index_path(store.root)) as index:
        return list(check(store.root, index, time.time()))


@pytest.fixture
def recorded(store: Store, recipients: list[Recipient]) -> list[StoredSegment]:
    """A store with some of everything that belongs there, and its index."""
    segments = [write_segment(store, recipients, sequence) for sequence in range(4)]
    crashed = open_segment(store, mark(4, NOON_MS + 40_000), recipients)
    append_fragments(crashed, 3)
    crashed.abandon()
    segments += recover(store, "front").published
    post_quantum: list[Recipient] = [HybridIdentity.generate(os.urandom).recipient]
    segments.append(write_segment(store, post_quantum, 5, stream=StreamName("back", "sub")))
    append_gap_mark(store, GapMark(FRONT, NOON_MS, "stopped"))
    hold(store, "front", 1, 2, 3)
    lock_store(store).release()
    found(store.root, store.root.parent / "state")
    make_mark(store.root, UsedMark("home", 1, UsedName(FRONT, 0)))
    (store.root / "keys/days.jsonl").touch()
    (store.root / "front/chain").mkdir()
    for name in ("lock", "1.chain", "12.chain"):
        (store.root / "front/chain" / name).touch()
    rebuild(store.root)
    return segments


def test_a_sound_store_has_no_findings(store: Store, recorded: list[StoredSegment]) -> None:
    assert len(recorded) == 6
    assert _findings(store) == []


def _delete_file(path: Path) -> None:
    path.unlink()


def _cut(length: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, length)


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"ftyp")


@pytest.mark.parametrize("which", [0, 3, 4, 5])
@pytest.mark.parametrize(
    ("harm", "faults"),
    [
        (_delete_file, {Fault.ROW_WITHOUT_FILE}),
        (_overwrite, {Fault.NOT_SEALED}),
        (_cut(0), {Fault.ROW_DIFFERS, Fault.TOO_SHORT}),
        (_cut(100), {Fault.ROW_DIFFERS, Fault.TOO_SHORT}),
    ],
)
def test_harmed_files_are_found(
    store: Store, recorded: list[StoredSegment], which: int, harm: Callable[[Path], None], faults: set[Fault]
) -> None:
    harm(store.root / recorded[which].path)
    findings = _findings(store)
    assert {finding.fault for finding in findings} == faults
    assert {finding.path for finding in findings} == {recorded[which].path}
    repair(store.root)
    assert {finding.fault for finding in _findings(store)} == faults - REPAIRED_BY_REBUILD


def test_a_length_that_no_whole_file_has_is_found(store: Store, recorded: list[StoredSegment]) -> None:
    os.truncate(store.root / recorded[3].path, 184 + 65_552 * 2 + 5)
    rebuild(store.root)
    assert _findings(store) == [Finding(recorded[3].path, Fault.TOO_SHORT)]


def test_rows_that_are_missing_or_differ_are_found(store: Store, recorded: list[StoredSegment]) -> None:
    first, second = recorded[:2]
    longer = SegmentName(second.name.start_ms, second.name.duration_ms + 1, second.name.sequence)
    far = StoredSegment(FRONT, SegmentName(NOON_MS * 2, 1, 77), 1)
    with Index(index_path(store.root)) as index:
        index.remove([first])
        index.add([StoredSegment(FRONT, longer, second.size_bytes), far])
    assert _findings(store) == [
        Finding(first.path, Fault.FILE_WITHOUT_ROW),
        Finding(second.path, Fault.ROW_DIFFERS),
        Finding(far.path, Fault.ROW_WITHOUT_FILE),
    ]
    repair(store.root)
    assert _findings(store) == []


def test_strangers_are_found_at_every_level(store: Store, recorded: list[StoredSegment]) -> None:
    hour = "front/main/2026-11-22/12"
    strangers = [
        "Thumbs.db",
        "front/Notes",
        "front/gaps/today.txt",
        "front/chain/1.chain.old",
        "front/main/yesterday",
        "front/main/2026-11-22/25",
        f"{hour}/note.txt",
        f"{hour}/1000+1000.9.mp4.age",
        "holds/front",
    ]
    for path in strangers:
        (store.root / path).touch()
    assert sorted(_findings(store)) == sorted(Finding(path, Fault.NOT_A_NAME) for path in strangers)


def test_leftovers_are_found_unless_a_recorder_is_at_work(
    store: Store, recorded: list[StoredSegment], recipients: list[Recipient]
) -> None:
    segment = open_segment(store, mark(9, NOON_MS + 90_000), recipients)
    append_fragments(segment, 2)
    with lock_camera(store, "front"):
        assert _findings(store) == []
        assert repair(store.root).recovered == ()
    segment.abandon()
    assert [finding.fault for finding in _findings(store)] == [Fault.LEFTOVER, Fault.LEFTOVER]
    repaired = repair(store.root)
    assert [found.name.sequence for found in repaired.recovered] == [9]
    assert (repaired.rebuilt.segments, repaired.faults) == (7, ())
    assert _findings(store) == []


def test_what_a_recorder_published_just_now_needs_no_row_yet(
    store: Store, recorded: list[StoredSegment], recipients: list[Recipient]
) -> None:
    with lock_camera(store, "front"):
        published = write_segment(store, recipients, 8)
        assert _findings(store) == []
        with Index(index_path(store.root)) as index:
            later = list(check(store.root, index, time.time() + 61))
    assert later == [Finding(published.path, Fault.FILE_WITHOUT_ROW)]


def test_findings_read_as_sentences(recorded: list[StoredSegment]) -> None:
    assert (
        str(Finding(recorded[0].path, Fault.TOO_SHORT))
        == f"{recorded[0].path}: too short: its end is missing"
    )
