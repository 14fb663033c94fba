"""Zones, masks, lines, loitering and label filters, each on the same real footage with the real model.

The footage: a car park with people on it, seen by a fixed camera (`pedestrians_clip`). Looked at by eye: two
people stand and talk in the middle all the time. A man leaves the right at the beginning. A man in red and a
woman come in from the right at second 1 and cross x = 0.75 to the left between second 4 and 5.5. From second
8 somebody walks on the path in the upper left. Nobody sets foot on the lawn in the lower left. Of the two
vehicles in the upper right none moves; people are on every other part.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nvr.config_file import load_config
from nvr.watch_plan import rules_of
from pipeline.event import Direction, Event, EventObject, Line, Rules, Zone
from pipeline.event.geometry import contains
from pipeline.scene import Point, Polygon
from pipeline.watcher.offline import look_at_file
from tests.support.footage import pedestrians_clip
from tests.support.looks import START_NS, Found, detector, events_in, looks_of
from tests.support.walks import ended


def polygon(*corners: tuple[float, float]) -> Polygon:
    return Polygon(tuple(Point(x, y) for x, y in corners))


ENTRANCE = polygon((0.75, 0.45), (1, 0.45), (1, 1), (0.75, 1))
LAWN = polygon((0, 0.5), (0.35, 0.6), (0.75, 1), (0, 1))
PATH = polygon((0, 0), (0.4, 0), (0.4, 0.25), (0, 0.25))
MIDDLE = polygon((0.4, 0.3), (0.75, 0.3), (0.75, 0.6), (0.4, 0.6))
GATE = (Point(0.75, 0.25), Point(0.75, 0.95))  # looking down it, the picture's left is on the right hand


@pytest.fixture(scope="module")
def looks() -> tuple[Found, ...]:
    return looks_of(pedestrians_clip())


def objects(events: list[Event]) -> list[EventObject]:
    return [one for event in events for one in event.objects]


def was_in(one: EventObject, area: Polygon) -> bool:
    return any(contains(area.corners, place.box.base) for place in one.path)


def seconds(at_ns: int) -> float:
    return (at_ns - START_NS) / 1e9


def test_without_places_everybody_counts(looks: tuple[Found, ...]) -> None:
    (event,) = events_in(looks, Rules())

    assert sum(one.label == "person" for one in event.objects) >= 8
    for area in (ENTRANCE, PATH, MIDDLE):
        assert any(was_in(one, area) for one in event.objects)
    assert not any(was_in(one, LAWN) for one in event.objects)


def test_a_zone_leaves_only_those_who_were_in_it(looks: tuple[Found, ...]) -> None:
    everybody = objects(events_in(looks, Rules()))
    inside = objects(events_in(looks, Rules(zones=(Zone("entrance", ENTRANCE),))))

    assert 3 <= len(inside) < len(everybody)
    assert all(one.zones == ("entrance",) and was_in(one, ENTRANCE) for one in inside)
    (event,) = events_in(looks, Rules(zones=(Zone("path", PATH),)))
    assert abs(seconds(event.objects[0].first_ns) - 8) < 1
    assert event.start_ns == event.objects[0].first_ns - 5_000_000_000
    assert events_in(looks, Rules(zones=(Zone("lawn", LAWN),))) == []


def test_two_zones_leave_those_of_either(looks: tuple[Found, ...]) -> None:
    both = Rules(zones=(Zone("entrance", ENTRANCE), Zone("path", PATH)))
    names = {name for one in objects(events_in(looks, both)) for name in one.zones}

    assert names == {"entrance", "path"}


def test_a_mask_leaves_only_those_outside(looks: tuple[Found, ...]) -> None:
    everybody = objects(events_in(looks, Rules()))
    outside = objects(events_in(looks, Rules(masks=(MIDDLE,))))

    assert 0 < len(outside) < len(everybody)
    assert not any(was_in(one, MIDDLE) for one in outside)
    whole = polygon((0, 0), (1, 0), (1, 1), (0, 1))
    assert events_in(looks, Rules(masks=(whole,))) == []


def crossings(looks: tuple[Found, ...], direction: Direction) -> list[tuple[str, int]]:
    events = events_in(looks, Rules(lines=(Line("gate", *GATE, direction),)))
    found = [(one.direction, one.at_ns) for thing in objects(events) for one in thing.lines]
    return sorted(found, key=lambda one: one[1])


def test_a_line_counts_in_the_wanted_direction(looks: tuple[Found, ...]) -> None:
    both = crossings(looks, Direction.BOTH)
    to_the_right = crossings(looks, Direction.LEFT_TO_RIGHT)
    to_the_left = crossings(looks, Direction.RIGHT_TO_LEFT)

    assert sum(4 <= seconds(at_ns) <= 5.5 for _, at_ns in to_the_right) == 2
    assert not any(4 <= seconds(at_ns) <= 5.5 for _, at_ns in to_the_left)
    assert to_the_right
    assert to_the_left
    assert {way for way, _ in to_the_right} == {"left-to-right"}
    assert {way for way, _ in to_the_left} == {"right-to-left"}
    assert both == sorted(to_the_right + to_the_left, key=lambda one: one[1])


def test_a_line_turned_around_counts_the_other_way(looks: tuple[Found, ...]) -> None:
    turned = Rules(lines=(Line("gate", *GATE[::-1], Direction.RIGHT_TO_LEFT),))
    found = [one.at_ns for thing in objects(events_in(looks, turned)) for one in thing.lines]

    assert sorted(found) == [at_ns for _, at_ns in crossings(looks, Direction.LEFT_TO_RIGHT)]


def test_loitering_leaves_those_who_stay(looks: tuple[Found, ...]) -> None:
    def staying(loiter_s: float) -> list[EventObject]:
        zone = Zone("middle", MIDDLE, loiter_s=loiter_s)
        return objects(events_in(looks, Rules(zones=(zone,))))

    counts = [len(staying(loiter_s)) for loiter_s in (0, 4, 8, 14)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2] >= 2  # the two who talk
    assert counts[3] == 0
    assert all(one.loitered == ("middle",) for one in staying(8))
    assert all(one.last_ns - one.first_ns >= 8e9 for one in staying(8))


def test_a_label_filter_leaves_only_these(looks: tuple[Found, ...]) -> None:
    people = Rules(labels=("person",))
    assert {one.label for one in objects(events_in(looks, people))} == {"person"}
    assert events_in(looks, Rules(labels=("dog",))) == []
    dogs_only = Rules(zones=(Zone("entrance", ENTRANCE, labels=("dog",)),))
    assert events_in(looks, dogs_only) == []


def test_scores_and_heights_leave_fewer(looks: tuple[Found, ...]) -> None:
    everybody = objects(events_in(looks, Rules(labels=("person",))))
    sure = objects(events_in(looks, Rules(labels=("person",), score=0.6)))
    near = objects(events_in(looks, Rules(labels=("person",), min_heights={"person": 0.15})))

    assert 0 < len(sure) < len(everybody)
    assert all(one.score >= 0.6 for one in sure)
    assert 0 < len(near) < len(everybody)
    assert all(place.box.height >= 0.15 for one in near for place in one.path)


def test_the_configurations_zone_and_mask_go_all_the_way(tmp_path: Path) -> None:
    file = tmp_path / "nvr.toml"
    file.write_text(
        """
        [cameras.yard]
        url = "rtsp://192.0.2.1/stream"
        [cameras.yard.detect]
        labels = ["person"]
        [[cameras.yard.detect.zones]]
        name = "entrance"
        polygon = [[0.75, 0.45], [1, 0.45], [1, 1], [0.75, 1]]
        [[cameras.yard.detect.masks]]
        polygon = [[0.4, 0], [0.75, 0], [0.75, 1], [0.4, 1]]
        """
    )
    config = load_config(file).config
    rules = rules_of(config.detect.of(config.cameras["yard"].detect), config.cameras["yard"].detect)
    regions = []
    told = look_at_file(
        pedestrians_clip(6),
        detector(),
        rules,
        START_NS,
        answered=lambda look, detections: regions.append(look.sight.motion.boxes),
    )
    (event,) = ended(told)

    assert 1 <= len(event.objects) <= 4
    assert all(one.zones == ("entrance",) for one in event.objects)
    assert not any(was_in(one, rules.masks[0]) for one in event.objects)
    assert event.picture is not None
    crop = event.picture.crop.jpeg(longest=320)
    assert crop.startswith(b"\xff\xd8")
    # Nothing that moves in the middle of the mask is even told to the detector.
    middle = polygon((0.45, 0.05), (0.7, 0.05), (0.7, 0.95), (0.45, 0.95))
    assert regions
    assert not any(contains(middle.corners, box.centre) for boxes in regions for box in boxes)
