"""Lessons on the disk: whole or not at all, for their owner's eyes, and read again when they change."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feedback import KeptFeedback, Lesson, NotFeedback, Verdict, feedback_path, load, save
from pipeline.feedback.written import MOST, parsed, written
from tests.pipeline.feedback.test_rule import THERE, USUAL, lesson
from tests.support.walks import NOON_NS, box_at

_lessons = st.builds(
    Lesson,
    st.integers(1, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 100),
    st.text(min_size=1, max_size=20),
    st.integers(0, 7),
    st.integers(0, 7),
    st.integers(-8, 0),
    st.integers(0, 5),
    st.floats(0, 1),
    st.sampled_from(Verdict),
    st.integers(0, 10**12),
)


@given(st.lists(_lessons, max_size=5))
def test_what_is_written_comes_back(lessons: list[Lesson]) -> None:
    assert parsed(written("front", lessons), "front") == tuple(lessons)


@given(st.binary(max_size=200))
def test_garbage_is_refused(content: bytes) -> None:
    with pytest.raises(NotFeedback, match="nvr feedback --forget all --camera front"):
        parsed(content, "front")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", 0),
        ("column", 8),
        ("row", -1),
        ("size", 1),
        ("hours", 6),
        ("score", 1.1),
        ("score", "0.5"),
        ("verdict", "maybe"),
        ("label", ""),
        ("made_ms", True),
        ("picture", "…"),
    ],
)
def test_a_malformed_lesson_is_refused(name: str, value: object) -> None:
    noun = json.loads(written("front", [lesson()]))
    noun["lessons"][0][name] = value
    with pytest.raises(NotFeedback):
        parsed(json.dumps(noun).encode(), "front")


def test_another_cameras_file_is_refused() -> None:
    with pytest.raises(NotFeedback):
        parsed(written("back", [lesson()]), "front")


def test_the_oldest_lessons_go_first() -> None:
    many = [lesson(event=event) for event in range(MOST + 5)]
    assert [one.event for one in parsed(written("front", many), "front")] == list(range(5, MOST + 5))


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    save(tmp_path, "front", [lesson()])

    path = feedback_path(tmp_path, "front")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["front.json"]
    assert load(tmp_path, "front") == (lesson(),)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for somebody else")
def test_what_root_writes_belongs_to_the_folders_owner(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1235)
    save(tmp_path, "front", [lesson()])

    for path in (feedback_path(tmp_path, "front"), feedback_path(tmp_path, "front").parent):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


def test_without_lessons_there_is_no_file(tmp_path: Path) -> None:
    save(tmp_path, "front", [lesson()])
    save(tmp_path, "front", [])

    assert not feedback_path(tmp_path, "front").exists()
    assert load(tmp_path, "front") == ()


def test_the_watcher_follows_the_file(tmp_path: Path) -> None:
    kept = KeptFeedback(tmp_path, "front")

    def needed() -> float:
        return kept.needed_score("person", box_at(THERE), NOON_NS, USUAL)

    assert needed() == USUAL
    save(tmp_path, "front", [lesson()])
    assert kept.refresh()
    assert not kept.refresh()
    assert needed() == pytest.approx(0.55)
    save(tmp_path, "front", [])
    assert kept.refresh()
    assert needed() == USUAL


@pytest.mark.parametrize("content", [b"", b"[]", b"\0" * 100])
def test_a_damaged_file_teaches_nothing_and_says_so(tmp_path: Path, content: bytes) -> None:
    path = feedback_path(tmp_path, "front")
    path.parent.mkdir()
    path.write_bytes(content)
    kept = KeptFeedback(tmp_path, "front")

    assert kept.needed_score("person", box_at(THERE), NOON_NS, USUAL) == USUAL
    assert kept.fault.startswith("What was taught about front cannot be read")


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    path = feedback_path(tmp_path, "front")
    path.parent.mkdir()
    path.symlink_to("/etc/passwd")

    assert (
        KeptFeedback(tmp_path, "front").fault == "What was taught about front does not count: it is a link."
    )
