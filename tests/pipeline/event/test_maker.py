"""From tracks to events: what counts, from when to when, and what belongs together."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from pipeline.event import Began, EventMaker, Line, Rules, Zone
from pipeline.event.open_event import MOST_PARTS
from pipeline.scene import Point, Polygon, Sound
from tests.support.walks import (
    LOOK_NS,
    NOON_NS,
    SECOND_NS,
    Walk,
    all_events,
    began,
    box_at,
    changed,
    ended,
    happenings,
    looks_at,
    standing,
    straight,
)

ACROSS = straight(Point(0.1, 0.6), Point(0.9, 0.6), 25)  # five seconds
LEFT_HALF = Polygon((Point(0.0, 0.0), Point(0.48, 0.0), Point(0.48, 1.0), Point(0.0, 1.0)))
RIGHT_HALF = Polygon((Point(0.48, 0.0), Point(1.0, 0.0), Point(1.0, 1.0), Point(0.48, 1.0)))
LOUD = Sound(-20.0, -50.0)


def at(look: int) -> int:
    return NOON_NS + look * LOOK_NS


def test_somebody_walks_through() -> None:
    (event,) = all_events(EventMaker(Rules()), [Walk(ACROSS)], 60)

    (person,) = event.objects
    assert (person.label, person.score) == ("person", 0.6)
    assert (person.first_ns, person.last_ns) == (at(0), at(24))
    assert (event.start_ns, event.end_ns) == (at(0) - 5 * SECOND_NS, at(24) + 5 * SECOND_NS)
    assert event.labels == ("person",)


def test_it_is_told_with_the_third_look() -> None:
    maker = EventMaker(Rules())
    said = [maker.seen(None, tracks, at_ns) for at_ns, tracks in looks_at([Walk(ACROSS)], 5)]

    assert [bool(began(one)) for one in said] == [False, False, True, False, False]
    assert began(said[2])[0].start_ns == at(0) - 5 * SECOND_NS


@pytest.mark.parametrize(
    ("missing", "told_at"),
    [({1}, 3), ({1, 2}, 4), ({1, 2, 3}, None), ({1, 3}, 4), ({0, 2, 4}, 5)],
)
def test_three_of_five_looks_confirm(missing: set[int], told_at: int | None) -> None:
    walk = Walk(ACROSS[:6] if told_at is not None else ACROSS[:5], missing=frozenset(missing))
    maker = EventMaker(Rules())
    said = [maker.seen(None, tracks, at_ns) for at_ns, tracks in looks_at([walk], len(walk.way))]

    assert [look for look, one in enumerate(said) if began(one)] == ([] if told_at is None else [told_at])


@pytest.mark.parametrize(
    ("rules", "walk"),
    [
        (Rules(labels=("car",)), Walk(ACROSS)),
        (Rules(score=0.7), Walk(ACROSS)),
        (Rules(scores={"person": 0.7}), Walk(ACROSS)),
        (Rules(min_height=0.3), Walk(ACROSS)),
        (Rules(min_heights={"person": 0.3}), Walk(ACROSS)),
        (Rules(), Walk(ACROSS, score=0.35)),
        (Rules(), Walk(ACROSS, moved=False)),
        (Rules(masks=(LEFT_HALF, RIGHT_HALF)), Walk(ACROSS)),
    ],
)
def test_what_does_not_count_makes_no_event(rules: Rules, walk: Walk) -> None:
    assert all_events(EventMaker(rules), [walk], 60) == []


def test_a_mask_hides_only_what_stands_in_it() -> None:
    (event,) = all_events(EventMaker(Rules(masks=(LEFT_HALF,))), [Walk(ACROSS)], 60)

    (person,) = event.objects
    assert person.first_ns == at(12)
    assert all(place.box.base.x > 0.48 for place in person.path)


def test_pauses_up_to_the_gap_belong_to_one_event() -> None:
    def events_with_pause(pause: int) -> int:
        again = Walk(ACROSS, first=25 + pause, number=2)
        return len(all_events(EventMaker(Rules()), [Walk(ACROSS), again], 100 + pause))

    assert events_with_pause(20) == 1
    assert events_with_pause(24) == 1
    assert events_with_pause(40) == 2


def test_events_do_not_overlap() -> None:
    walks = [Walk(ACROSS), Walk(ACROSS, first=25 + 40, number=2)]
    first, second = all_events(EventMaker(Rules()), walks, 120)

    assert first.end_ns <= second.start_ns


def test_things_at_the_same_time_are_one_event() -> None:
    dog = Walk(straight(Point(0.9, 0.9), Point(0.1, 0.9), 25), first=10, number=2, label="dog")
    maker = EventMaker(Rules())
    said = happenings(maker, [Walk(ACROSS), dog], 40) + maker.tick(at(100))

    assert len(began(said)) == 1
    assert [one.event.labels for one in changed(said) if one.notable] == [("person", "dog")]
    (event,) = ended(said)
    assert [one.label for one in event.objects] == ["person", "dog"]


def test_a_track_lost_and_found_near_is_the_same_thing() -> None:
    later = Walk(ACROSS[13:], first=17, number=7)
    (event,) = all_events(EventMaker(Rules()), [Walk(ACROSS[:9]), later], 80)

    (person,) = event.objects
    assert (person.first_ns, person.last_ns) == (at(0), at(17 + 11))


def test_two_looks_before_and_one_after_the_loss_confirm() -> None:
    walks = [Walk(ACROSS[:2]), Walk(ACROSS[3:4], first=3, number=2)]
    assert len(all_events(EventMaker(Rules()), walks, 20)) == 1


def test_a_lost_track_that_lingers_beside_its_successor_counts_for_nothing() -> None:
    lingering = Walk(ACROSS[:20], missing=frozenset(range(9, 20)))
    later = Walk(ACROSS[11:], first=12, number=7)
    (event,) = all_events(EventMaker(Rules()), [lingering, later], 80)

    (person,) = event.objects
    assert (person.first_ns, person.last_ns) == (at(0), at(12 + 13))


def test_a_tracker_that_begins_anew_gives_the_same_numbers_to_others() -> None:
    first = Walk(ACROSS[:10])
    second = Walk(straight(Point(0.9, 0.3), Point(0.8, 0.3), 2), first=20)
    (event,) = all_events(EventMaker(Rules()), [first, second], 80)

    assert event.objects[0].last_ns == at(9)


def test_a_track_found_far_away_is_another_thing() -> None:
    far = straight(Point(0.9, 0.2), Point(0.6, 0.2), 20)
    (event,) = all_events(EventMaker(Rules()), [Walk(ACROSS[:9]), Walk(far, first=10, number=7)], 80)

    assert len(event.objects) == 2


@pytest.mark.parametrize(("label", "still_s"), [("car", 10), ("person", 60)])
def test_what_stands_still_ends_its_part(label: str, still_s: int) -> None:
    arrives = Walk(ACROSS, label=label)
    stands = replace(arrives, way=standing(ACROSS[-1], 600), first=25, is_still=True)
    (event,) = all_events(EventMaker(Rules()), [arrives, stands], 620)

    (one,) = event.objects
    assert one.last_ns == at(25) + still_s * SECOND_NS
    assert event.end_ns == one.last_ns + 5 * SECOND_NS


def test_who_stands_still_out_of_the_detectors_sight_takes_part_for_a_minute() -> None:
    """The tracker holds them; without motion nobody looks any more, and time alone goes on."""
    maker = EventMaker(Rules())
    held = Walk(ACROSS[-1:] * 10, first=25, is_still=True, missing=frozenset(range(1, 10)))
    said = happenings(maker, [Walk(ACROSS), held], 35)
    for second in range(7, 120):
        said += maker.tick(NOON_NS + second * SECOND_NS)

    (event,) = ended(said)
    assert event.objects[0].last_ns == at(25) + 60 * SECOND_NS
    assert event.end_ns == at(25) + 65 * SECOND_NS


def test_who_stood_still_and_is_gone_takes_no_part_any_more() -> None:
    maker = EventMaker(Rules())
    held = Walk(ACROSS[-1:] * 10, first=25, is_still=True, missing=frozenset(range(1, 10)))
    said = happenings(maker, [Walk(ACROSS), held], 36)  # in the last look there is nobody
    for second in range(7, 60):
        said += maker.tick(NOON_NS + second * SECOND_NS)

    (event,) = ended(said)
    assert event.objects[0].last_ns == at(35)


def test_what_stood_there_all_along_makes_an_event_when_it_leaves() -> None:
    parked = Walk(standing(ACROSS[0], 300), label="car", is_still=True, moved=False)
    leaves = Walk(ACROSS, first=300, label="car")
    (event,) = all_events(EventMaker(Rules()), [parked, leaves], 400)

    assert event.start_ns == at(300) - 5 * SECOND_NS


def test_moving_again_goes_on_or_makes_a_new_event() -> None:
    def events_of(rest: int) -> list[int]:
        arrives = Walk(ACROSS, label="car")
        rests = Walk(standing(ACROSS[-1], rest), first=25, label="car", is_still=True)
        leaves = Walk(ACROSS[::-1], first=25 + rest, label="car")
        events = all_events(EventMaker(Rules()), [arrives, rests, leaves], 100 + rest)
        return [len(event.objects) for event in events]

    assert events_of(30) == [1]  # six seconds: it has not even rested
    assert events_of(65) == [1]  # rested for three seconds only
    assert events_of(200) == [1, 1]


def test_long_events_are_split() -> None:
    pacing = (ACROSS + ACROSS[::-1]) * 8  # 80 s
    maker = EventMaker(Rules(longest_s=30))
    events = all_events(maker, [Walk(pacing)], 480)

    assert [event.continues for event in events] == [None, 1, 2]
    assert [round((event.end_ns - event.start_ns) / SECOND_NS) for event in events] == [30, 30, 30]
    for before, after in itertools.pairwise(events):
        assert before.end_ns == after.start_ns == after.objects[0].first_ns
    assert events[0].objects[0].last_ns <= events[0].end_ns


def test_an_event_of_very_many_things_is_split() -> None:
    passing = [
        Walk(ACROSS, first=2 * one, number=one + 1, height=0.01 + one * 1e-5) for one in range(2 * MOST_PARTS)
    ]
    scattered = [
        replace(walk, way=[Point(place.x, (walk.number % 50) / 50) for place in walk.way]) for walk in passing
    ]
    events = all_events(EventMaker(Rules(longest_s=3600)), scattered, 900)

    assert len(events) >= 2
    assert all(len(event.objects) <= MOST_PARTS + 25 for event in events)


def test_time_that_runs_backwards_ends_and_begins_anew() -> None:
    maker = EventMaker(Rules())
    happenings(maker, [Walk(ACROSS)], 10)
    stepped = [(at_ns - 3600 * SECOND_NS, tracks) for at_ns, tracks in looks_at([Walk(ACROSS)], 25, first=10)]
    said = []
    for at_ns, tracks in stepped:
        moved = [replace(track, seen_ns=at_ns) for track in tracks]
        said += maker.seen(None, moved, at_ns)

    (event,) = ended(said)
    assert event.end_ns == at(9)
    (after,) = began(said)
    assert after.start_ns == stepped[0][0] - 5 * SECOND_NS
    assert after.objects[0].first_ns == stepped[0][0]


def test_a_leap_of_time_ends_at_the_last_known_time() -> None:
    maker = EventMaker(Rules())
    happenings(maker, [Walk(ACROSS)], 10)
    (event,) = ended(maker.tick(at(9) + 7200 * SECOND_NS))
    assert event.end_ns == at(9)


def test_finishing_ends_what_is_open() -> None:
    maker = EventMaker(Rules())
    happenings(maker, [Walk(ACROSS)], 10)
    (event,) = ended(maker.finish(at(10)))

    assert event.end_ns == at(10)
    assert maker.finish(at(11)) == []
    assert maker.open_event is None


def test_an_open_event_is_told_now_and_then() -> None:
    maker = EventMaker(Rules())
    said = happenings(maker, [Walk((ACROSS + ACROSS[::-1]) * 4)], 150)

    going_on = changed(said)
    assert not any(one.notable for one in going_on)
    assert [round((one.event.end_ns - at(0)) / SECOND_NS) for one in going_on] == [10, 15, 20, 25, 30]


def test_a_zone_counts_by_where_somebody_stands() -> None:
    zone = Zone("drive", RIGHT_HALF)
    (event,) = all_events(EventMaker(Rules(zones=(zone,))), [Walk(ACROSS)], 60)

    (person,) = event.objects
    assert person.zones == ("drive",)
    assert person.first_ns == at(12)  # x = 0.5
    assert event.start_ns == person.first_ns - 5 * SECOND_NS
    assert all_events(EventMaker(Rules(zones=(zone,))), [Walk(ACROSS[:12])], 60) == []


def test_a_zone_for_some_labels() -> None:
    zone = Zone("drive", RIGHT_HALF, labels=("car",))
    car = Walk(ACROSS, label="car")

    assert all_events(EventMaker(Rules(zones=(zone,))), [Walk(ACROSS)], 60) == []
    assert len(all_events(EventMaker(Rules(zones=(zone,))), [car], 60)) == 1


def test_who_came_through_a_zone_is_followed_beyond_it() -> None:
    (event,) = all_events(EventMaker(Rules(zones=(Zone("drive", LEFT_HALF),))), [Walk(ACROSS)], 60)
    assert event.objects[0].last_ns == at(24)


def test_loitering_takes_its_time() -> None:
    yard = Rules(zones=(Zone("yard", RIGHT_HALF, loiter_s=4),))
    # The last 2.4 s of the way lead through the yard.
    stays = Walk([*ACROSS, *standing(ACROSS[-1], 20)])

    assert all_events(EventMaker(yard), [Walk(ACROSS)], 60) == []
    (event,) = all_events(EventMaker(yard), [stays], 60)
    assert event.objects[0].loitered == ("yard",)
    assert event.objects[0].first_ns == at(12)


def test_loitering_bridges_two_seconds() -> None:
    yard = Rules(zones=(Zone("yard", RIGHT_HALF, loiter_s=4),))
    inside, outside = Point(0.6, 0.6), Point(0.45, 0.6)

    def events_with_absence(looks: int) -> int:
        way = [*standing(inside, 12), *standing(outside, looks), *standing(inside, 12)]
        return len(all_events(EventMaker(yard), [Walk(way)], 80))

    assert events_with_absence(9) == 1
    assert events_with_absence(10) == 0


def test_a_line_counts_in_its_direction() -> None:
    # From the upper to the lower edge: who walks to the right in the picture goes from its left to its right
    # hand... looking down, the right half of the picture is on the left.
    line = Line("gate", Point(0.5, 0.0), Point(0.5, 1.0))
    (event,) = all_events(EventMaker(Rules(lines=(line,))), [Walk(ACROSS)], 60)

    (crossing,) = event.objects[0].lines
    assert (crossing.line, crossing.direction) == ("gate", "right-to-left")
    assert event.objects[0].first_ns == crossing.at_ns
    (back,) = all_events(EventMaker(Rules(lines=(line,))), [Walk(ACROSS[::-1])], 60)
    assert back.objects[0].lines[0].direction == "left-to-right"
    assert all_events(EventMaker(Rules(lines=(line,))), [Walk(ACROSS[:10])], 60) == []


def test_a_zone_or_a_line_is_enough() -> None:
    zone = Zone("drive", RIGHT_HALF, loiter_s=60)
    line = Line("gate", Point(0.3, 0.0), Point(0.3, 1.0))
    rules = Rules(zones=(zone,), lines=(line,))
    (event,) = all_events(EventMaker(rules), [Walk(ACROSS)], 60)

    assert event.objects[0].zones == ("drive",)
    assert event.objects[0].loitered == ()


class Suspicious:
    """Believes nothing in the left half below 0.8, and nothing at all in its upper part."""

    def needed_score(self, label: str, box: object, at_ns: int, usual: float) -> float:
        base = box.base  # type: ignore[attr-defined]
        return usual if base.x > 0.48 else 2.0 if base.y < 0.5 else 0.8


@pytest.mark.parametrize(
    ("score", "y", "first"), [(0.6, 0.6, 12), (0.9, 0.6, 0), (0.9, 0.4, 12), (0.6, 0.4, 12)]
)
def test_what_was_taught_holds_where_it_was_taught(score: float, y: float, first: int) -> None:
    way = [Point(place.x, y) for place in ACROSS]
    (event,) = all_events(EventMaker(Rules(), Suspicious()), [Walk(way, score=score)], 60)
    assert event.objects[0].first_ns == at(first)


def test_a_loud_sound_is_an_event() -> None:
    maker = EventMaker(Rules())
    said = maker.heard(at(0), at(10), LOUD) + maker.heard(at(0), at(20), Sound(-10.0, -50.0))
    said += maker.tick(at(100))

    assert [type(one) for one in said][:1] == [Began]
    (event,) = ended(said)
    assert (event.kind, event.sound) == ("sound", Sound(-10.0, -50.0))
    assert (event.start_ns, event.end_ns) == (at(0) - 5 * SECOND_NS, at(20) + 5 * SECOND_NS)


def test_what_is_seen_and_heard_is_one_event() -> None:
    maker = EventMaker(Rules())
    said = maker.heard(at(0), at(5), LOUD)
    said += happenings(maker, [Walk(ACROSS, first=10)], 40)
    said += maker.tick(at(100))

    (event,) = ended(said)
    assert (event.kind, event.sound, len(event.objects)) == ("seen", LOUD, 1)


def test_a_path_has_at_most_two_places_a_second() -> None:
    (event,) = all_events(EventMaker(Rules()), [Walk(ACROSS * 4)], 150)
    path = event.objects[0].path

    assert path[0].at_ns == at(0)
    assert path[-1] == replace(path[-1], at_ns=at(99), box=box_at(ACROSS[-1]))
    assert all(b.at_ns - a.at_ns >= SECOND_NS // 2 for a, b in itertools.pairwise(path[:-1]))
    assert len(path) <= 2 * 20 + 2


def test_an_event_begins_less_than_a_minute_before_it_is_told() -> None:
    yard = Rules(zones=(Zone("yard", RIGHT_HALF, loiter_s=120),), pre_roll_s=30)
    pacing = straight(Point(0.6, 0.6), Point(0.9, 0.6), 25)
    maker = EventMaker(yard)
    for at_ns, tracks in looks_at([Walk((pacing + pacing[::-1]) * 13)], 650):
        if told := began(maker.seen(None, tracks, at_ns)):
            break

    assert at_ns == at(600)
    assert told[0].start_ns == at(600) - 55 * SECOND_NS
    assert told[0].objects[0].path[0].at_ns >= told[0].start_ns
