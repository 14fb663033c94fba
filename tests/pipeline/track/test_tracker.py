"""Following things: walkers that cross, cars that park, people who stand still, labels that flicker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.scene import WHOLE, Box, Detection
from pipeline.track import Track, Tracker
from pipeline.track.tracker import MOST

_NS = 1_000_000_000
LOOK_NS = _NS // 5
PERSON = (0.04, 0.2)
CAR = Box(0.5, 0.5, 0.7, 0.65)


def at(x: float, y: float = 0.5, size: tuple[float, float] = PERSON) -> Box:
    """A box around that middle."""
    return Box(x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)


def one(tracks: list[Track]) -> Track:
    (only,) = tracks
    return only


def car(box: Box = CAR, score: float = 0.6, label: str = "car") -> Detection:
    return Detection(label, score, box)


class Scene:
    """A tracker and its clock: a look every fifth of a second."""

    def __init__(self) -> None:
        self.tracker, self.now_ns, self.tracks = Tracker(), 0, list[Track]()

    def look(
        self, *found: Detection, moved: tuple[Box, ...] = (), looked: tuple[Box, ...] = (WHOLE,)
    ) -> None:
        self.now_ns += LOOK_NS
        self.tracks = self.tracker.update(found, moved, self.now_ns, looked)

    def looks(self, seconds: float, *found: Detection, moved: tuple[Box, ...] = ()) -> None:
        for _ in range(round(seconds * 5)):
            self.look(*found, moved=moved)


def test_a_walker_is_one_track_that_has_moved() -> None:
    scene = Scene()
    for step in range(30):
        place = at(0.1 + step * 0.02)
        scene.look(Detection("person", 0.5, place), moved=(place,))
    track = one(scene.tracks)
    assert (track.number, track.hits, track.moved, track.is_still) == (1, 30, True, False)
    assert track.box == at(0.1 + 29 * 0.02)


def test_a_walker_who_is_missed_in_between_stays_one() -> None:
    scene = Scene()
    for step in range(30):
        place = at(0.1 + step * 0.02)
        scene.look(*([] if step % 3 == 2 else [Detection("person", 0.5, place)]), moved=(place,))
    assert one(scene.tracks).number == 1


def test_two_who_cross_keep_their_numbers() -> None:
    scene = Scene()
    for step in range(40):
        x = 0.2 + step * 0.015
        scene.look(Detection("person", 0.5, at(x, 0.5)), Detection("person", 0.5, at(1 - x, 0.56)))
    assert [(track.number, track.box.centre.x > 0.5) for track in scene.tracks] == [(1, True), (2, False)]


def test_a_parked_car_has_not_moved_when_somebody_walks_past() -> None:
    scene = Scene()
    scene.looks(3, car())
    for step in range(25):
        walker = at(0.4 + step * 0.015, 0.55)
        hidden = Box(max(CAR.left, min(walker.right, 0.6)), CAR.top, CAR.right, CAR.bottom)
        found = [Detection("person", 0.5, walker)] + ([car(hidden)] if step % 2 else [])
        scene.look(*found, moved=(walker,))
    scene.looks(3, car())
    parked = next(track for track in scene.tracks if track.label == "car")
    assert (parked.number, parked.moved, parked.is_still) == (1, False, True)


def test_a_car_hidden_for_some_seconds_by_what_passes_stays_one() -> None:
    scene = Scene()
    scene.looks(3, car())
    scene.looks(5, moved=(Box(0.45, 0.4, 0.75, 0.7),))
    scene.looks(1, car())
    assert one(scene.tracks).number == 1


def test_a_still_thing_is_held_while_nothing_moves_there() -> None:
    scene = Scene()
    scene.looks(3, Detection("person", 0.5, at(0.5)))
    scene.looks(60)
    assert one(scene.tracks).is_still
    scene.looks(1, Detection("person", 0.45, at(0.505)))
    assert one(scene.tracks).number == 1


def test_a_still_thing_that_left_is_gone() -> None:
    scene = Scene()
    scene.looks(3, car())
    scene.looks(2, moved=(CAR,))
    scene.looks(12)
    assert scene.tracks == []


def test_a_look_elsewhere_says_nothing() -> None:
    scene = Scene()
    scene.look(Detection("person", 0.5, at(0.2)))
    for _ in range(20):
        scene.look(looked=(Box(0.5, 0.0, 1.0, 1.0),))
    assert one(scene.tracks).number == 1


def test_a_car_that_drives_off_has_moved_and_one_that_stops_is_still() -> None:
    scene = Scene()
    scene.looks(3, car())
    assert (one(scene.tracks).moved, one(scene.tracks).is_still) == (False, True)
    place = CAR
    for step in range(10):
        place = Box(CAR.left + step * 0.02, CAR.top, CAR.right + step * 0.02, CAR.bottom)
        scene.look(car(place), moved=(place,))
    assert (one(scene.tracks).moved, one(scene.tracks).is_still) == (True, False)
    scene.looks(4, car(place))
    assert (one(scene.tracks).number, one(scene.tracks).moved, one(scene.tracks).is_still) == (1, True, True)


def test_labels_are_voted_on() -> None:
    scene = Scene()
    for step in range(20):
        scene.look(car(label="vehicle" if step % 4 == 0 else "car"))
    assert one(scene.tracks).label == "car"


def test_a_person_never_becomes_a_car() -> None:
    scene = Scene()
    scene.looks(1, car())
    scene.look(Detection("person", 0.9, CAR))
    assert [track.label for track in scene.tracks] == ["car", "person"]


DETECTIONS = st.lists(
    st.builds(
        Detection,
        st.sampled_from(["person", "car", "vehicle", "cat", "dog"]),
        st.floats(0.3, 1),
        st.tuples(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0, 0.5), st.floats(0, 0.5)).map(
            lambda e: Box(e[0], e[1], min(1.0, e[0] + e[2]), min(1.0, e[1] + e[3]))
        ),
    ),
    max_size=6,
)
LOOKS = st.lists(st.tuples(st.integers(0, 40), DETECTIONS, DETECTIONS), max_size=25)


@given(LOOKS)
def test_whatever_is_found_tracks_are_of_looks(
    looks: list[tuple[int, list[Detection], list[Detection]]],
) -> None:
    tracker, again, now_ns = Tracker(), Tracker(), 0
    seen: set[int] = set()
    for tenths, found, moved in looks:
        now_ns += tenths * _NS // 10
        boxes = [one.box for one in moved]
        tracks = tracker.update(found, boxes, now_ns)
        assert tracks == again.update(found, boxes, now_ns)
        numbers = [track.number for track in tracks]
        assert numbers == sorted(set(numbers))
        assert len(numbers) <= MOST
        assert all(number > max(seen, default=0) for number in set(numbers) - seen)
        seen |= set(numbers)
        for track in tracks:
            assert track.first_ns <= track.seen_ns <= now_ns
            if track.seen_ns == now_ns and track.box in [one.box for one in found]:
                assert track.hits >= 1
        boxed = [track.box for track in tracks if track.seen_ns == now_ns]
        assert all(box in [one.box for one in found] for box in boxed) or tenths == 0
