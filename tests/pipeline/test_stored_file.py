"""Reading while an event gives footage its deadline, and so another name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.recipient import Recipient
from pipeline import walk
from pipeline.audit import Finding, check
from pipeline.chain.verify import Question, verify
from pipeline.index import Index, index_path, rebuild
from pipeline.names import DAY_MS, StoredSegment
from pipeline.store import Store
from pipeline.stored_file import found_again, open_stored
from tests.support.chain_writing import Box
from tests.support.store_writing import DEVICE, FRONT, NOON_MS, write_segment


def raise_deadline(
    root: Path, segment: StoredSegment, kept_until_ms: int = NOON_MS + DAY_MS
) -> StoredSegment:
    """As the watcher does."""
    renamed = replace(segment, name=replace(segment.name, kept_until_ms=NOON_MS + DAY_MS))
    (root / segment.path).rename(root / renamed.path)
    return renamed


def test_a_renamed_file_is_opened_by_its_new_name(store: Store, recipients: list[Recipient]) -> None:
    one, other = (write_segment(store, recipients, number) for number in range(2))
    renamed = raise_deadline(store.root, one)
    assert found_again(store.root, one) == renamed
    for segment in (one, renamed):
        file, now = open_stored(store.root, segment)
        with file:
            assert (len(file.read()), now) == (one.size_bytes, renamed)
    (store.root / renamed.path).unlink()
    with pytest.raises(FileNotFoundError):
        open_stored(store.root, one)
    assert found_again(store.root, one) is None
    assert found_again(store.root, other) == other


def _while_listing(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens behind the first listing of a folder of segments."""
    listed, left = walk.entries, [happens]

    def late(directory: Path | str) -> list[os.DirEntry[str]]:
        found = listed(directory)
        if left and any(entry.name.endswith(".mp4.age") for entry in found):
            left.pop()()
        return found

    monkeypatch.setattr(walk, "entries", late)


def test_a_folder_is_read_again_when_names_change_meanwhile(
    store: Store, recipients: list[Recipient], monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = [write_segment(store, recipients, number) for number in range(3)]
    _while_listing(monkeypatch, lambda: raise_deadline(store.root, segments[1]))
    (hour,) = walk.hours(store.root, FRONT)
    found = walk.segments(store.root, hour)
    assert [one.name.sequence for one in found] == [0, 1, 2]
    assert found[1].name.kept_until_ms


@pytest.fixture
def recorded(store: Store, tmp_path: Path, recipients: list[Recipient]) -> list[StoredSegment]:
    """Three segments, chained and signed."""
    return Box(store.root, tmp_path / "state").record(store, recipients, range(3))


def _behind_the_listing(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens when the folder has been read, before a file of it is opened."""
    looked, left = walk.segments, [happens]

    def late(root: Path, hour: walk.Hour) -> list[StoredSegment]:
        found = looked(root, hour)
        if left and found:
            left.pop()()
        return found

    monkeypatch.setattr(walk, "segments", late)


def test_verify_hashes_what_was_renamed_meanwhile(
    store: Store, recorded: list[StoredSegment], monkeypatch: pytest.MonkeyPatch
) -> None:
    _behind_the_listing(monkeypatch, lambda: [raise_deadline(store.root, one) for one in recorded])
    report = verify(store.root, Question(DEVICE), NOON_MS / 1000)
    assert (report.findings, report.cameras[0].verified) == ((), 3)


def test_verify_finds_what_was_altered_and_renamed_meanwhile(
    store: Store, recorded: list[StoredSegment], monkeypatch: pytest.MonkeyPatch
) -> None:
    def alter() -> None:
        path = store.root / raise_deadline(store.root, recorded[1]).path
        path.write_bytes(path.read_bytes()[:-1] + b"x")

    _behind_the_listing(monkeypatch, alter)
    report = verify(store.root, Question(DEVICE), NOON_MS / 1000)
    assert [(one.fault.name, one.sequence) for one in report.findings] == [("ALTERED", 1)]


def test_verify_hashes_what_the_listing_missed(
    store: Store, recorded: list[StoredSegment], monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = raise_deadline(store.root, recorded[1])
    looked, left = walk.segments, [renamed]

    def missing(root: Path, hour: walk.Hour) -> list[StoredSegment]:
        missed = left.pop() if left else None
        return [one for one in looked(root, hour) if one != missed]

    monkeypatch.setattr(walk, "segments", missing)
    report = verify(store.root, Question(DEVICE), NOON_MS / 1000)
    assert (report.findings, report.cameras[0].verified) == ((), 3)


def test_check_looks_into_what_was_renamed_meanwhile(
    store: Store, recipients: list[Recipient], monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = [write_segment(store, recipients, number) for number in range(2)]
    rebuild(store.root)
    (store.root / segments[0].path).write_bytes(b"not sealed")
    with Index(index_path(store.root)) as index:
        index.set_hour(store.root, next(walk.hours(store.root, FRONT)))
        looked, calls = walk.segments, [0]

        def late(root: Path, hour: walk.Hour) -> list[StoredSegment]:
            found = looked(root, hour)
            calls[0] += 1
            if calls[0] == 2:  # the one whose files are looked into
                raise_deadline(store.root, found[0])
            return found

        monkeypatch.setattr(walk, "segments", late)
        findings: list[Finding] = [one for one in check(store.root, index, 0) if "front" in one.path]
    assert [one.fault.name for one in findings] == ["NOT_SEALED"]
    assert ".k" in findings[0].path
