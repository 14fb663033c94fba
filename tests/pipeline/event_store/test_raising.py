"""What an event touches is kept: whatever recorder, retention and the index do meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.recipient import Recipient
from pipeline import audit, walk
from pipeline.event_store.deadlines import deadline_ms
from pipeline.event_store.raising import LINGER_MS, Raiser, TouchedSpan
from pipeline.event_store.store import RECENT_MS
from pipeline.expiry import run_pass
from pipeline.index import Index, IndexThread, index_path, open_or_restore, rebuild
from pipeline.model import StreamName
from pipeline.names import DAY_MS, HOUR_MS, SegmentName, StoredSegment
from pipeline.retention import Limits, Policy
from pipeline.store import Store, open_segment
from tests.support.events import Keeping, Told, an_event, kept
from tests.support.sparse_store import fill, put
from tests.support.store_writing import FRONT, NOON_MS, append_fragments, mark, write_segment

SUB, BACK = StreamName("front", "sub"), StreamName("back", "main")
KEPT_MS = deadline_ms(NOON_MS, 60)
A_DAY, LATER_MS = Policy(others=Limits(days=1)), NOON_MS + 5 * DAY_MS
SPAN = TouchedSpan(NOON_MS + 15_000, NOON_MS + 31_000, 60)


def _names(root: Path, stream: StreamName = FRONT) -> list[SegmentName]:
    return [one.name for hour in walk.hours(root, stream) for one in walk.segments(root, hour)]


def _raised(root: Path, stream: StreamName = FRONT) -> list[int]:
    return [name.sequence for name in _names(root, stream) if name.kept_until_ms]


@dataclass
class Scene:
    """Both streams of a camera, and another camera."""

    root: Path
    told: Told = field(default_factory=Told)

    def raiser(self) -> Raiser:
        """A new one."""
        return Raiser(self.root, "front", self.told.published)


@pytest.fixture
def scene(store: Store) -> Scene:
    """A minute of each."""
    for stream in (FRONT, SUB, BACK):
        fill(store.root, stream, NOON_MS, 6)
    return Scene(store.root)


def test_all_streams_of_the_camera_get_a_deadline_where_the_event_touches(scene: Scene) -> None:
    raiser = scene.raiser()
    raiser.touch(1, SPAN)
    assert raiser.tend(NOON_MS) == 6
    for stream in (FRONT, SUB):
        assert _raised(scene.root, stream) == [1, 2, 3]
    assert _raised(scene.root, BACK) == []
    assert {name.kept_until_ms for name in _names(scene.root)} == {0, KEPT_MS}
    assert sorted(one.path for one in scene.told.segments) == sorted(
        one.path
        for stream in (FRONT, SUB)
        for hour in walk.hours(scene.root, stream)
        for one in walk.segments(scene.root, hour)
        if one.name.kept_until_ms
    )


def test_a_segment_that_only_meets_the_event_is_not_touched(scene: Scene) -> None:
    raiser = scene.raiser()
    raiser.touch(1, TouchedSpan(NOON_MS + 20_000, NOON_MS + 30_000, 60))
    raiser.tend(NOON_MS)
    assert _raised(scene.root) == [2]


def test_footage_that_is_published_later_is_raised_when_it_comes_for_a_while(scene: Scene) -> None:
    raiser = scene.raiser()
    raiser.touch(1, TouchedSpan(NOON_MS + 55_000, NOON_MS + 75_000, 60, ended=True))
    now_ms = NOON_MS + 75_000
    assert raiser.tend(now_ms) == 2
    late = SegmentName(NOON_MS + 60_000, 10_000, 6)
    put(scene.root, StoredSegment(FRONT, late, 4096))
    assert raiser.tend(now_ms + 1_000) == 0, "not so soon again"
    assert raiser.tend(now_ms + 2_000) == 1
    assert raiser.pending == 1
    raiser.tend(now_ms + LINGER_MS)
    assert raiser.pending == 0


def test_an_event_over_midnight_and_a_long_segment_are_found(store: Store) -> None:
    midnight = NOON_MS + DAY_MS // 2
    put(store.root, StoredSegment(FRONT, SegmentName(midnight - 50 * 60_000, 51 * 60_000, 0), 4096))
    put(store.root, StoredSegment(FRONT, SegmentName(midnight + 60_000, 10_000, 1), 4096))
    raiser = Raiser(store.root, "front", Told().published)
    raiser.touch(1, TouchedSpan(midnight - 1_000, midnight + 61_000, 7))
    assert raiser.tend(midnight) == 2
    assert [name.kept_until_ms for name in _names(store.root)] == [
        midnight + 7 * DAY_MS,
        midnight + 8 * DAY_MS,
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 50_000), st.integers(0, 20_000), st.sampled_from([1, 7, 60])), max_size=6
    )
)
@settings(max_examples=30, deadline=None)
def test_no_deadline_is_ever_lowered(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, int, int]]
) -> None:
    root = tmp_path_factory.mktemp("store")
    fill(root, FRONT, NOON_MS, 6)
    raiser = Raiser(root, "front", Told().published)
    spans = [TouchedSpan(NOON_MS + at, NOON_MS + at + 1 + length, days) for at, length, days in drawn]
    for number, span in enumerate(spans):
        raiser.touch(number, span)
        raiser.tend(NOON_MS + number)
    for name in _names(root):
        wanted = [
            deadline_ms(name.start_ms, s.class_days) for s in spans if s.touches(name.start_ms, name.end_ms)
        ]
        assert name.kept_until_ms == max(wanted, default=0)


# Others at work.


def _audited(root: Path) -> list[str]:
    with Index(index_path(root)) as index:
        found = [one for one in audit.check(root, index, 0) if not one.path.startswith("keys")]
        return [str(one) for one in found if one.fault is not audit.Fault.NOT_SEALED]


def test_a_recorder_that_publishes_and_settles_is_not_disturbed(
    store: Store, recipients: list[Recipient]
) -> None:
    told = IndexThread(store.root, "front").start()
    segment = open_segment(store, mark(0), recipients)
    append_fragments(segment, 10)
    segment.seal(10_000_000_000)
    published = segment.publish()
    raiser = Raiser(store.root, "front", told.published)
    raiser.touch(1, TouchedSpan(NOON_MS, NOON_MS + 1, 60))
    assert raiser.tend(NOON_MS) == 1
    segment.settle()
    told.published(published)  # as the recorder says it, after the watcher
    told.stop()
    (name,) = _names(store.root)
    assert name == replace(published.name, kept_until_ms=KEPT_MS)
    with Index(index_path(store.root)) as index:
        assert [one.name for one in index.segments(FRONT, 0, NOON_MS * 2)] == [name]
    assert _audited(store.root) == []


def test_what_retention_planned_by_an_older_name_stays_and_the_index_learns_it(scene: Scene) -> None:
    rebuild(scene.root)
    raiser = scene.raiser()  # whose word the index does not hear
    raiser.touch(1, SPAN)
    raiser.tend(NOON_MS)
    for _ in range(20):
        assert run_pass(scene.root, A_DAY, LATER_MS).faults == ()
    for stream in (FRONT, SUB):
        assert [name.sequence for name in _names(scene.root, stream)] == [1, 2, 3]
    assert _names(scene.root, BACK) == []
    assert _audited(scene.root) == []


def test_what_is_renamed_at_the_moment_of_deleting_stays(scene: Scene) -> None:
    rebuild(scene.root)
    raiser = scene.raiser()
    raiser.touch(1, SPAN)

    class Obituary:
        def before(self, removals: object) -> None:
            raiser.tend(NOON_MS)

        def settle(self) -> None:
            pass

    run_pass(scene.root, A_DAY, LATER_MS, Obituary())
    for _ in range(10):
        run_pass(scene.root, A_DAY, LATER_MS)
    assert _raised(scene.root) == [1, 2, 3]
    assert _audited(scene.root) == []


def test_footage_deleted_under_our_hands_is_gone(scene: Scene) -> None:
    listed = walk.entries

    def late(directory: Path | str) -> list[os.DirEntry[str]]:
        found = listed(directory)
        for entry in found:
            if entry.is_file():
                Path(entry.path).unlink()
        return found

    raiser = scene.raiser()
    raiser.touch(1, SPAN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "entries", late)
        assert raiser.tend(NOON_MS) == 0
    assert scene.told.segments == []


def test_raising_and_expiring_at_once_loses_nothing_that_is_kept(
    store: Store, recipients: list[Recipient]
) -> None:
    told = IndexThread(store.root, "front").start()
    for sequence in range(60):
        told.published(write_segment(store, recipients, sequence * 4))
    told.stop()
    raiser = Raiser(store.root, "front", lambda _: None)
    stop = threading.Event()
    faults: list[str] = []

    def expire() -> None:
        while not stop.is_set():
            faults.extend(
                run_pass(store.root, Policy({"front": Limits(days=1)}), NOON_MS + 5 * DAY_MS).faults
            )

    thread = threading.Thread(target=expire)
    thread.start()
    for number in range(60, 0, -3):
        raiser.touch(number, TouchedSpan(NOON_MS + number * 40_000, NOON_MS + number * 40_000 + 1, 60))
        raiser.tend(NOON_MS + number * 10_000)
    stop.set()
    thread.join()
    assert faults == []
    rest = {name.sequence for name in _names(store.root)}
    assert set(_raised(store.root)) <= rest
    while run_pass(store.root, A_DAY, LATER_MS).removed:
        pass
    assert {name.sequence for name in _names(store.root)} == set(_raised(store.root))


# With events.


@pytest.fixture
def events(keeping: Keeping) -> Iterator[Keeping]:
    """Footage of a minute in the store."""
    fill(keeping.store.root, FRONT, NOON_MS, 6)
    yield keeping


def test_an_event_keeps_its_footage_from_its_first_save_on(events: Keeping) -> None:
    store = events.begin()
    store.save(kept(an_event(1, NOON_MS + 12_000, 3_000)))
    store.tend(NOON_MS + 15_000)
    assert _raised(events.store.root) == [1]
    store.save(kept(an_event(1, NOON_MS + 12_000, 10_000)))
    store.tend(NOON_MS + 22_000)
    assert _raised(events.store.root) == [1, 2]
    assert store.watched.spans == []


def test_after_a_crash_the_footage_is_kept_all_the_same(events: Keeping) -> None:
    events.begin().save(kept(an_event(1, NOON_MS + 12_000, 3_000), keep_days=5))
    assert _raised(events.store.root) == []
    events.begin(NOON_MS + 60_000).tend(NOON_MS + 60_000)
    assert [name.kept_until_ms for name in _names(events.store.root) if name.kept_until_ms] == [
        deadline_ms(NOON_MS, 5)
    ]


def test_however_late_the_footage_of_an_interrupted_event_is_kept(events: Keeping) -> None:
    events.begin().save(kept(an_event(1, NOON_MS + 12_000, 3_000)))
    late = events.begin(NOON_MS + DAY_MS)
    late.watched.looked(NOON_MS, NOON_MS + 60_000)
    assert [span.to_ms - span.from_ms for span in late.watched.spans] == [12_000, 45_001]
    late.tend(NOON_MS + DAY_MS)
    assert _raised(events.store.root) == [1]


def test_the_time_of_an_event_counts_as_such_though_the_disk_is_away(events: Keeping) -> None:
    store = events.begin()
    events.store.root.rename(events.store.root.with_name("away"))
    store.watched.looked(NOON_MS, NOON_MS + 60_000)
    assert not store.save(kept(an_event(1, NOON_MS, 30_000)))
    assert not store.finish(kept(an_event(2, NOON_MS + 30_000, 31_000)), NOON_MS)
    assert store.watched.spans == []


def test_what_was_published_when_the_watcher_had_ended_is_kept_though_the_machine_was_off(
    events: Keeping,
) -> None:
    events.begin().finish(kept(an_event(1, NOON_MS + 12_000, 3_000)), NOON_MS + 20_000)
    fill(events.store.root, SUB, NOON_MS, 6)
    events.begin(NOON_MS + DAY_MS).tend(NOON_MS + DAY_MS)
    assert _raised(events.store.root, SUB) == [1]


def test_finished_events_of_long_ago_are_not_looked_for(events: Keeping) -> None:
    first = events.begin()
    first.finish(kept(an_event(1, NOON_MS + 12_000, 3_000)), NOON_MS + 20_000)
    later_ms = NOON_MS + RECENT_MS + 2 * HOUR_MS
    first.finish(kept(an_event(2, later_ms, 3_000)), later_ms + 3_000)
    fill(events.store.root, SUB, NOON_MS, 6)
    events.begin(later_ms).tend(later_ms)
    assert _raised(events.store.root, SUB) == []
    events.begin(NOON_MS + HOUR_MS).tend(NOON_MS + HOUR_MS)
    assert _raised(events.store.root, SUB) == [1]
    with open_or_restore(events.store.root) as index:
        assert len(index.streams()) == 4
