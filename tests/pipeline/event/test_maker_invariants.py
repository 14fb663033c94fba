"""Whatever tracks, sounds and times come: events begin, change and end in order, with whole records."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.event import (
    Began,
    Changed,
    Ended,
    Event,
    EventMaker,
    Happening,
    Line,
    Rules,
    Zone,
    parse_record,
    record_of,
)
from pipeline.model import SegmentMark, StreamName
from pipeline.scene import Point, Polygon, Sound
from pipeline.track import Track
from tests.support.walks import NOON_NS, SECOND_NS, box_at

YARD = Polygon((Point(0.2, 0.2), Point(0.8, 0.2), Point(0.8, 0.8), Point(0.2, 0.8)))
CORNER = Polygon((Point(0.0, 0.0), Point(0.3, 0.0), Point(0.0, 0.3)))
LABELS = ("person", "person", "car", "ghost")
EVERYWHERE = Rules(longest_s=20)
PLACES = Rules(
    zones=(Zone("yard", YARD, loiter_s=2),),
    masks=(CORNER,),
    lines=(Line("gate", Point(0.5, 0.0), Point(0.5, 1.0)),),
    longest_s=20,
    gap_s=2,
    pre_roll_s=3,
    post_roll_s=1,
)

Thing = tuple[float, float, str]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([EVERYWHERE, PLACES]), st.integers(0, 2**32))
def test_happenings_are_in_order(rules: Rules, seed: int) -> None:
    chance = random.Random(seed)
    maker, at_ns = EventMaker(rules), NOON_NS
    things = [(chance.random(), chance.random(), chance.choice(LABELS)) for _ in range(4)]
    told: list[Happening] = []
    for _ in range(200):
        at_ns += round((0.2 if chance.random() < 0.97 else chance.uniform(-20, 100)) * SECOND_NS)
        things = [wandered(one, chance) for one in things]
        what = chance.choices(["look", "tick", "sound", "finish"], [60, 3, 1, 0.3])[0]
        if what == "look":
            told += maker.seen(None, tracks_of(things, at_ns, chance), at_ns)
        elif what == "tick":
            told += maker.tick(at_ns)
        elif what == "sound":
            told += maker.heard(at_ns - SECOND_NS, at_ns, Sound(-20.0, -50.0))
        else:
            told += maker.finish(at_ns)
    told += maker.finish(at_ns)
    check_order(told)
    for one in told:
        check_event(one.event, rules)


def wandered(thing: Thing, chance: random.Random) -> Thing:
    x, y, label = thing
    x, y = (min(1.0, max(0.0, at + chance.uniform(-0.05, 0.05))) for at in (x, y))
    return x, y, label


def tracks_of(things: list[Thing], at_ns: int, chance: random.Random) -> list[Track]:
    """Most of them are found in a look; now and then one stands still."""
    return [
        Track(
            number,
            label,
            chance.uniform(0.3, 0.7),
            box_at(Point(x, y)),
            at_ns,
            at_ns,
            5,
            chance.random() < 0.1,
            chance.random() < 0.8,
        )
        for number, (x, y, label) in enumerate(things)
        if chance.random() < 0.7
    ]


def check_order(told: list[Happening]) -> None:
    """Began, any number of Changed, Ended; then the next one."""
    for before, after in itertools.pairwise(told):
        if isinstance(before, Ended):
            assert isinstance(after, Began)
            assert after.event.number == before.event.number + 1
            assert after.event.continues in (None, before.event.number)
        else:
            assert isinstance(after, Changed | Ended)
            assert after.event.number == before.event.number
            assert after.event.start_ns == before.event.start_ns
            assert after.event.objects[: len(before.event.objects)] or not before.event.objects
    assert not told or (isinstance(told[0], Began) and isinstance(told[-1], Ended))


def check_event(event: Event, rules: Rules) -> None:
    """What the record's reader and the store rely on."""
    assert event.start_ns % 1_000_000 == event.end_ns % 1_000_000 == 0
    assert event.start_ns < event.end_ns
    assert event.objects or event.sound
    for one in event.objects:
        assert one.label in rules.labels
        assert event.start_ns <= one.first_ns <= one.last_ns <= event.end_ns
        assert all(event.start_ns <= place.at_ns <= one.last_ns for place in one.path)
        assert all(a.at_ns < b.at_ns for a, b in itertools.pairwise(one.path))
        assert not rules.lines or one.loitered or one.lines or event.continues
    mark = SegmentMark(bytes(16), StreamName("front", "events"), 1, event.start_ns, 1)
    parse_record(bytes(record_of(event, mark)))
