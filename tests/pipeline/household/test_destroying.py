"""Keys go when nothing is sealed to them any more, and not a moment before."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.recipient import parse_recipient
from pipeline.household.choosing import choose
from pipeline.household.destroying import Destroyed, destroy_spent
from pipeline.household.model import Generation, Group, Manifest
from pipeline.household.spending import Candidate, Span, candidates
from pipeline.household.used_marks import UsedMark, generations_in, make_mark, used_marks
from pipeline.index import Index, index_path, rebuild
from pipeline.key_names import UsedName
from pipeline.model import StreamName
from pipeline.names import DAY_MS, StoredSegment
from pipeline.store import Store, open_segment
from tests.support.founding import Founded, found
from tests.support.store_writing import FRONT, NOON_MS, append_fragments, mark, write_segment

BACK = StreamName("back", "sub")
LATER_MS = NOON_MS + 3 * DAY_MS
"""The second generation has counted for two days."""


@pytest.fixture
def founded(store: Store, tmp_path: Path) -> Founded:
    """Generations 1, from ever, 3, from a day after noon on, and 2, which never counted."""
    founded = found(store.root, tmp_path / "state")
    founded.rotate("home", from_ms=NOON_MS + DAY_MS)
    return founded


def _record(founded: Founded, sequence: int, start_ms: int, stream: StreamName = FRONT) -> StoredSegment:
    """A segment as the recorder writes it, with its mark if that is the first one."""
    choice = choose(founded.manifest, stream.camera, start_ms)
    marks = {mark.used.stream: mark for mark in _marks(founded)}
    if stream not in marks or marks[stream].generation != choice.generation:
        make_mark(founded.store_root, UsedMark("home", choice.generation, UsedName(stream, sequence)))
    recipient = parse_recipient(choice.recipient)
    return write_segment(Store(founded.store_root), [recipient], sequence, start_ms, stream=stream)


def _marks(founded: Founded) -> list[UsedMark]:
    return sorted(used_marks(founded.store_root), key=lambda one: one.used.first_sequence)


def _delete(founded: Founded, *segments: StoredSegment) -> None:
    for segment in segments:
        (founded.store_root / segment.path).unlink()


def _pass(founded: Founded, now_ms: int = LATER_MS) -> Destroyed:
    rebuild(founded.store_root)
    with Index(index_path(founded.store_root)) as index:
        return destroy_spent(founded.store_root, founded.manifest, index, now_ms)


def _left(founded: Founded) -> list[int]:
    return [number for _, number in generations_in(founded.store_root)]


def test_keys_go_with_the_last_segment_that_is_sealed_to_them(founded: Founded) -> None:
    first, second = _record(founded, 1, NOON_MS), _record(founded, 2, NOON_MS + 10_000)
    other = _record(founded, 1, NOON_MS, BACK)
    kept = _record(founded, 3, NOON_MS + 2 * DAY_MS)
    for segments in ((first,), (second,)):
        assert (1 in _left(founded), _pass(founded).faults) == (True, ())
        _delete(founded, *segments)
    assert 1 in _left(founded), "another camera's is left"
    _delete(founded, other)
    assert ("home", 1) in _pass(founded).generations
    assert _left(founded) == [3]
    assert not (founded.store_root / "keys/home/1").exists()
    assert (founded.store_root / kept.path).exists()
    assert _pass(founded).generations == ()


def test_what_is_destroyed_was_overwritten_first(founded: Founded) -> None:
    """Who has the file open sees what became of the blocks."""
    _delete(founded, _record(founded, 1, NOON_MS))
    wrapped = founded.store_root / "keys/home/1/alice.age"
    before = wrapped.read_bytes()
    with wrapped.open("rb") as blocks:
        assert ("home", 1) in _pass(founded).generations
        after = blocks.read()
    assert len(after) == len(before)
    assert before[:22] not in after and before[-32:] not in after


def test_links_that_somebody_planted_reach_nothing_that_is_in_use(founded: Founded, tmp_path: Path) -> None:
    """In a folder that is due: links to a key in use, to a file elsewhere; and a link to another folder."""
    _delete(founded, _record(founded, 1, NOON_MS))
    keys, elsewhere = founded.store_root / "keys/home", tmp_path / "elsewhere"
    elsewhere.write_text("not ours")
    in_use = (keys / "3/alice.age").read_bytes()
    (keys / "1/bob.age").symlink_to("../3/alice.age")
    done = _pass(founded)
    assert ("home", 1) not in done.generations
    assert "bob.age" in " ".join(done.faults)
    (keys / "1/bob.age").unlink()
    (keys / "1/carol.age").hardlink_to(keys / "3/alice.age")
    (keys / "1/dave.age").hardlink_to(elsewhere)
    assert ("home", 1) in _pass(founded).generations
    (keys / "1").symlink_to("3")
    _pass(founded)
    assert (keys / "3/alice.age").read_bytes() == in_use
    assert elsewhere.read_text() == "not ours"


def test_nothing_goes_until_the_successor_has_counted_for_a_day(founded: Founded) -> None:
    _delete(founded, _record(founded, 1, NOON_MS))
    assert _pass(founded, NOON_MS + 2 * DAY_MS - 1).generations == ()
    assert ("home", 1) in _pass(founded, NOON_MS + 2 * DAY_MS).generations


def test_current_and_prepared_generations_stay_though_nothing_is_sealed_to_them(founded: Founded) -> None:
    founded.rotate("home", from_ms=LATER_MS + 30 * DAY_MS)
    _pass(founded)
    assert {3, 4} <= set(_left(founded))


def test_a_prepared_generation_that_never_counted_goes_when_it_was_passed_over(founded: Founded) -> None:
    """Nobody's mark says that 2 was used; but marks can be lost, and so older footage keeps it."""
    segment = _record(founded, 1, NOON_MS)
    assert _pass(founded).generations == ()
    _delete(founded, segment)
    assert ("home", 2) in _pass(founded).generations


def test_lost_marks_destroy_nothing_while_footage_of_that_time_is_left(founded: Founded) -> None:
    old = _record(founded, 1, NOON_MS)
    (founded.store_root / "keys/home/1/front.main.1.used").unlink()
    assert _pass(founded).generations == ()
    _delete(founded, old)
    assert ("home", 1) in _pass(founded).generations


def test_an_unfinished_segment_counts(founded: Founded) -> None:
    """Start-up makes a segment of what a crash left, which nobody could open without the generation."""
    make_mark(founded.store_root, UsedMark("home", 1, UsedName(FRONT, 1)))
    recipient = parse_recipient(choose(founded.manifest, "front", NOON_MS).recipient)
    part = open_segment(Store(founded.store_root), mark(1), [recipient])
    append_fragments(part, 2)
    part.abandon()
    done = _pass(founded)
    assert ("home", 1) not in done.generations and done.index_is_behind


def test_an_index_that_has_lost_rows_destroys_nothing(founded: Founded) -> None:
    segment = _record(founded, 1, NOON_MS)
    rebuild(founded.store_root)
    with Index(index_path(founded.store_root)) as index:
        index.remove([segment])
        done = destroy_spent(founded.store_root, founded.manifest, index, LATER_MS)
    assert ("home", 1) not in done.generations and done.index_is_behind
    assert 1 in _left(founded)


def test_a_folder_with_something_else_in_it_stays(founded: Founded) -> None:
    _delete(founded, _record(founded, 1, NOON_MS))
    (founded.store_root / "keys/home/1/notes.txt").touch()
    done = _pass(founded)
    assert "keys/home/1 is not destroyed, for notes.txt in it is not the store's" in done.faults[0]
    assert (founded.store_root / "keys/home/1/alice.age").exists()


def test_a_group_that_the_household_has_not_stays(founded: Founded) -> None:
    shutil.copytree(founded.store_root / "keys/home", founded.store_root / "keys/attic")
    _pass(founded)
    assert (founded.store_root / "keys/attic/1/alice.age").exists()


@pytest.mark.parametrize("done_before", [1, 2, 3])
def test_a_crash_in_the_middle_is_made_good_by_the_next_pass(founded: Founded, done_before: int) -> None:
    _delete(founded, _record(founded, 1, NOON_MS))
    folder = founded.store_root / "keys/home/1"
    (folder / "alice.age").write_bytes(os.urandom(200))
    if done_before > 1:
        (folder / "alice.age").unlink()
    if done_before > 2:
        (folder / "front.main.1.used").unlink()
    assert ("home", 1) in _pass(founded).generations
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_told(founded: Founded) -> None:
    _delete(founded, _record(founded, 1, NOON_MS))
    wrapped = founded.store_root / "keys/home/1/alice.age"
    wrapped.unlink()
    wrapped.mkdir()
    assert "keys/home/1 is not destroyed, for alice.age in it is not the store's" in _pass(founded).faults[0]


def test_nothing_is_destroyed_while_an_owner_changes_the_household(founded: Founded) -> None:
    _delete(founded, _record(founded, 1, NOON_MS))
    descriptor = os.open(founded.store_root / "keys", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    done = _pass(founded)
    assert done.generations == () and "somebody is changing the household just now" in done.faults[0]
    os.close(descriptor)
    assert ("home", 1) in _pass(founded).generations


# The plan, for random histories: what the recorder does is followed exactly.

_GROUP = Group("home", (), tuple(Generation(n, f"age1{n}", n * 10 * DAY_MS) for n in range(1, 6)))
_MANIFEST = Manifest(1, b"", 0, "alice", False, "home", (), (_GROUP,))


@dataclass
class Recording:
    """What streams recorded when, to which generation; and the marks that a recorder made for it."""

    sealed: list[tuple[StreamName, int, int]] = field(default_factory=list)
    marks: list[UsedMark] = field(default_factory=list)
    last: dict[StreamName, int] = field(default_factory=dict)

    def record(self, stream: StreamName, now_ms: int, *, crash: bool) -> None:
        number = choose(_MANIFEST, stream.camera, now_ms).generation
        sequence = self.last.get(stream, 0) + 1
        own = [mark for mark in self.marks if mark.used.stream == stream]
        highest = max((mark.used.first_sequence for mark in own), default=0)
        if number not in {mark.generation for mark in own if mark.used.first_sequence == highest}:
            self.marks.append(UsedMark("home", number, UsedName(stream, sequence)))
        if not crash:
            self.last[stream] = sequence
            self.sealed.append((stream, sequence, number))


_TIMES = st.integers(0, 70 * DAY_MS)


@given(
    st.lists(st.tuples(st.sampled_from([FRONT, BACK]), _TIMES, st.booleans()), max_size=30),
    _TIMES,
    st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_no_generation_is_spent_while_anything_is_sealed_to_it(
    history: list[tuple[StreamName, int, bool]], now_ms: int, expired: list[bool]
) -> None:
    recording = Recording()
    for stream, at_ms, crash in history:
        recording.record(stream, at_ms, crash=crash)
    left = [one for one, gone in zip(recording.sealed, expired, strict=False) if not gone]
    folders = [("home", one.number) for one in _GROUP.generations]
    found_spent = [
        candidate
        for candidate in candidates(_MANIFEST, folders, recording.marks, now_ms)
        if candidate.spans and not _anything(candidate, left)
    ]
    counting = choose(_MANIFEST, "front", now_ms).generation
    for candidate in found_spent:
        assert candidate.number < counting
        assert candidate.number not in {number for _, _, number in left}


def _anything(candidate: Candidate, left: list[tuple[StreamName, int, int]]) -> bool:
    return any(
        span.stream == stream and span.covers(sequence)
        for span in candidate.spans
        for stream, sequence, _ in left
    )


def test_spans_end_where_the_streams_next_mark_begins() -> None:
    def used(number: int, stream: StreamName, first: int) -> UsedMark:
        return UsedMark("home", number, UsedName(stream, first))

    marks = [used(1, FRONT, 1), used(1, FRONT, 9), used(2, FRONT, 5), used(2, BACK, 3), used(3, FRONT, 9)]
    found_now = candidates(_MANIFEST, [("home", 1), ("home", 2)], marks, 40 * DAY_MS)
    assert [candidate.spans for candidate in found_now] == [
        (Span(FRONT, 1, 5), Span(FRONT, 9, None)),
        (Span(FRONT, 5, 9), Span(BACK, 3, None)),
    ]
    harmless: Callable[[int], bool] = found_now[0].spans[0].covers
    assert [harmless(n) for n in (0, 1, 4, 5)] == [False, True, True, False]
