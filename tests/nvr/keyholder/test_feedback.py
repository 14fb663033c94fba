"""From an opened event to lessons: all objects or one, numbered, and none twice."""

from __future__ import annotations

import pytest

from nvr.errors import NvrError, UsageFault
from nvr.keyholder.feedback import lessons_from, with_lessons
from pipeline.event import Event, EventObject, EventRecord, Place, record_of
from pipeline.feedback import Verdict
from pipeline.model import SegmentMark, StreamName
from pipeline.scene import Point, Sound
from tests.support.walks import NOON_NS, box_at


def seen(label: str, x: float, *, with_path: bool = True) -> EventObject:
    path = (Place(NOON_NS, box_at(Point(x, 0.8)), 0.5),)
    return EventObject(label, 0.5, NOON_NS, NOON_NS, path=path if with_path else ())


def record(*objects: EventObject, sequence: int = 42) -> EventRecord:
    sound = None if objects else Sound(-20.0, -50.0)
    event = Event(1, NOON_NS, NOON_NS, objects, sound=sound)
    return record_of(event, SegmentMark(bytes(16), StreamName("front", "events"), sequence, NOON_NS, 1))


TWO = record(seen("person", 0.2), seen("dog", 0.7))


def test_every_object_is_a_lesson() -> None:
    lessons = lessons_from(TWO, None, Verdict.WRONG, 5)

    assert [(one.label, one.event, one.object, one.made_ms) for one in lessons] == [
        ("person", 42, 0, 5),
        ("dog", 42, 1, 5),
    ]
    assert {one.verdict for one in lessons} == {Verdict.WRONG}


def test_one_object_counted_from_one() -> None:
    (lesson,) = lessons_from(TWO, 2, Verdict.RIGHT, 5)
    assert (lesson.label, lesson.object, lesson.verdict) == ("dog", 1, Verdict.RIGHT)


@pytest.mark.parametrize("number", [0, 3, -1])
def test_an_object_that_is_not_there(number: int) -> None:
    with pytest.raises(UsageFault, match=rf"^front-42 has no object {number}; it has 2, counted from 1\.$"):
        lessons_from(TWO, number, Verdict.WRONG, 5)


@pytest.mark.parametrize("event", [record(), record(seen("person", 0.2, with_path=False))])
def test_nothing_to_learn(event: EventRecord) -> None:
    with pytest.raises(NvrError, match="nothing to learn from front-42"):
        lessons_from(event, None, Verdict.WRONG, 5)


def test_lessons_are_numbered_on() -> None:
    kept, first = with_lessons([], lessons_from(TWO, None, Verdict.WRONG, 5))
    other = record(seen("person", 0.2), sequence=43)
    kept, second = with_lessons(kept, lessons_from(other, None, Verdict.WRONG, 6))

    assert [one.number for one in first] == [1, 2]
    assert [one.number for one in second] == [3]
    assert [one.number for one in kept] == [1, 2, 3]


def test_judged_again_the_lesson_is_replaced() -> None:
    kept, _ = with_lessons([], lessons_from(TWO, None, Verdict.WRONG, 5))
    kept, (again,) = with_lessons(kept, lessons_from(TWO, 1, Verdict.RIGHT, 6))

    assert [(one.number, one.object, one.verdict) for one in kept] == [
        (2, 1, Verdict.WRONG),
        (3, 0, Verdict.RIGHT),
    ]
    assert again.number == 3
