"""What was once called wrong does not come again on the same real footage, and what is true stays.

The footage: the car park of `tests.pipeline.event.test_real_footage`, with a poster of a walker that sways on
the lawn for six seconds (`poster_clip`). The model takes it for a person; nobody else goes there.
"""

from __future__ import annotations

import pytest

from pipeline.event import EventObject, Rules, Zone, parse_record, record_of
from pipeline.event.geometry import contains
from pipeline.feedback import Feedback, Lesson, Verdict, lesson_of
from pipeline.model import SegmentMark, StreamName
from pipeline.scene import Point, Polygon
from tests.support.footage import poster_clip
from tests.support.looks import Found, events_in, looks_of

LAWN = Polygon((Point(0, 0.5), Point(0.35, 0.6), Point(0.75, 1), Point(0, 1)))


@pytest.fixture(scope="module")
def looks() -> tuple[Found, ...]:
    return looks_of(poster_clip())


def is_on_lawn(one: EventObject) -> bool:
    return any(contains(LAWN.corners, place.box.base) for place in one.path)


def seen(looks: tuple[Found, ...], feedback: Feedback | None = None) -> list[EventObject]:
    return [one for event in events_in(looks, Rules(), feedback) for one in event.objects]


def taught(looks: tuple[Found, ...], verdict: Verdict, times: int = 1) -> list[Lesson]:
    """What `nvr feedback` makes of the records of the events with something on the lawn."""
    (event,) = events_in(looks, Rules(zones=(Zone("lawn", LAWN),)))
    mark = SegmentMark(bytes(16), StreamName("yard", "events"), 7, event.start_ns, 1)
    (one,) = parse_record(bytes(record_of(event, mark))).objects
    return [
        lesson_of(
            number=number,
            event=number,
            index=0,
            label=one.label,
            score=one.score,
            boxes=[place.box for place in one.path],
            at_ns=one.first_ns,
            verdict=verdict,
            made_ms=0,
        )
        for number in range(1, times + 1)
    ]


def test_the_poster_is_taken_for_a_person(looks: tuple[Found, ...]) -> None:
    (poster,) = [one for one in seen(looks) if is_on_lawn(one)]
    assert poster.label == "person"
    assert poster.score > 0.4


@pytest.mark.parametrize("times", [1, 2, 5])
def test_wrong_suppresses_it_and_nobody_else(looks: tuple[Found, ...], times: int) -> None:
    before = seen(looks)
    after = seen(looks, Feedback(taught(looks, Verdict.WRONG, times)))

    assert after == [one for one in before if not is_on_lawn(one)]
    assert len(after) >= 8


def test_its_event_does_not_come_again(looks: tuple[Found, ...]) -> None:
    lawn = Rules(zones=(Zone("lawn", LAWN),))
    assert len(events_in(looks, lawn)) == 1
    assert events_in(looks, lawn, Feedback(taught(looks, Verdict.WRONG))) == []


def test_right_takes_it_back(looks: tuple[Found, ...]) -> None:
    both = [*taught(looks, Verdict.WRONG), *taught(looks, Verdict.RIGHT)]
    assert seen(looks, Feedback(both)) == seen(looks)
