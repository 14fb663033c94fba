"""`nvr feedback` against a store with sealed events of real footage: taught, listed, forgotten, heeded.

The footage is that of `tests.pipeline.feedback.test_real_footage`: a poster sways on a lawn.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nvr.cli import main
from nvr.errors import FAULT, USAGE
from pipeline.event import Event, EventObject, Rules, Zone
from pipeline.event.geometry import contains
from pipeline.event_store import EventPlace, EventStore
from pipeline.feedback import KeptFeedback, feedback_path
from pipeline.scene import Point, Polygon
from pipeline.store import Store
from tests.docs.test_json_shapes import documented, shape
from tests.support.events import Told, kept
from tests.support.footage import poster_clip
from tests.support.looks import Found, events_in, looks_of

LAWN = Polygon((Point(0, 0.5), Point(0.35, 0.6), Point(0.75, 1), Point(0, 1)))
ON_THE_LAWN = Rules(zones=(Zone("lawn", LAWN),))


@dataclass(frozen=True)
class House:
    """A household with a camera `front`, whose events lie sealed in its store."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "cabin" / "nvr.toml"

    @property
    def state(self) -> Path:
        return self.folder / "cabin" / "state"

    @property
    def store(self) -> Store:
        store = Store(self.folder / "cabin" / "store")
        store.open_check()
        return store

    @property
    def identity(self) -> Path:
        return next(p for p in (self.folder / "keys").iterdir() if p.suffix != ".html")

    def keep(self, events: list[Event]) -> None:
        now_ms = events[-1].end_ns // 1_000_000
        store = EventStore(EventPlace(self.store, self.state, "front"), Told(), now_ms)
        for event in events:
            assert store.finish(kept(event, picture=False), now_ms)
        store.close(now_ms)

    def feedback(self, *words: str) -> int:
        return main(["--config", str(self.config), "feedback", *words])

    def teach(self, event: str, *words: str) -> int:
        return self.feedback(event, *words, "--identity", str(self.identity))


@pytest.fixture
def house(tmp_path: Path) -> House:
    directory = tmp_path / "cabin"
    assert main(["init", str(directory), "--keys-to", str(tmp_path / "keys"), "--no-passphrase"]) == 0
    file = directory / "nvr.toml"
    file.write_text(file.read_text() + '\n[cameras.front]\nurl = "/dev/video0"\n')
    return House(tmp_path)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    yield


@pytest.fixture(scope="module")
def looks() -> tuple[Found, ...]:
    return looks_of(poster_clip())


def others(events: list[Event]) -> list[EventObject]:
    """Who is not on the lawn."""
    return [
        one
        for event in events
        for one in event.objects
        if not any(contains(LAWN.corners, place.box.base) for place in one.path)
    ]


def test_a_false_event_does_not_come_again_and_true_ones_do(
    house: House, looks: tuple[Found, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    false, true = events_in(looks, ON_THE_LAWN), events_in(looks, Rules())
    house.keep(false)
    watching = KeptFeedback(house.state, "front")

    assert house.teach("front-0", "--wrong") == 0
    assert "Learned as front:1: person at that place and size needs a score of 0." in capsys.readouterr().out
    assert watching.refresh()
    assert events_in(looks, ON_THE_LAWN, watching) == []
    assert others(events_in(looks, Rules(), watching)) == others(true)

    assert house.teach("front-0", "--right") == 0
    assert "Learned as front:2: person at that place and size counts as usual." in capsys.readouterr().out
    assert watching.refresh()
    assert len(events_in(looks, ON_THE_LAWN, watching)) == 1


def test_one_object_of_many(
    house: House, looks: tuple[Found, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (event,) = events_in(looks, Rules())
    house.keep([event])

    assert house.teach("front-0") == USAGE
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == len(event.objects)
    assert said.out.startswith(f"1  {event.objects[0].label} {event.objects[0].score:.2f}  ")
    assert said.err == "Say --wrong or --right; with --object N only of that one.\n"

    assert house.teach("front-0", "--wrong", "--object", "2") == 0
    (lesson,) = json.loads(feedback_path(house.state, "front").read_text())["lessons"]
    assert (lesson["event"], lesson["object"]) == (0, 1)


def test_only_numbers_are_kept_and_only_for_their_owner(house: House, looks: tuple[Found, ...]) -> None:
    house.keep(events_in(looks, ON_THE_LAWN))
    assert house.teach("front-0", "--wrong") == 0

    path = feedback_path(house.state, "front")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (lesson,) = json.loads(path.read_text())["lessons"]
    texts = {name for name, value in lesson.items() if not isinstance(value, int | float)}
    assert texts == {"label", "verdict"}
    assert len(path.read_bytes()) < 400


def test_it_is_listed_and_forgotten(
    house: House, looks: tuple[Found, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    house.keep(events_in(looks, ON_THE_LAWN))
    assert house.feedback("--list") == 0
    assert "Nothing was learned yet." in capsys.readouterr().out
    assert house.teach("front-0", "--wrong") == 0
    capsys.readouterr()

    assert house.feedback("--list") == 0
    line = capsys.readouterr().out
    assert line.startswith("front:1  wrong  person 0.")
    assert "column 2, row 7 of 8  about 1/4 high  12–16 h UTC  object 1 of front-0, said 20" in line
    assert house.feedback("--list", "--camera", "front", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert shape(said) == shape(documented("reference.md", "feedback"))
    (noun,) = said["lessons"]
    assert (noun["id"], noun["camera"], noun["verdict"]) == ("front:1", "front", "wrong")

    assert house.feedback("--forget", "front:2") == FAULT
    assert "There is no lesson front:2" in capsys.readouterr().err
    assert house.feedback("--forget", "front:1") == 0
    assert not feedback_path(house.state, "front").exists()


def test_everything_is_forgotten_also_what_is_damaged(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    path = feedback_path(house.state, "front")
    path.parent.mkdir(mode=0o700)
    path.write_text("{")

    assert house.feedback("--list") == FAULT
    assert "What was taught about front cannot be read" in capsys.readouterr().err
    assert house.feedback("--forget", "all", "--camera", "front") == 0
    assert not path.exists()
    assert house.feedback("--forget", "all") == 0
    assert "Nothing was learned yet." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([], USAGE, "Say one of: an event with --wrong or --right, --list, --forget."),
        (["front-1", "--list"], USAGE, "Say one of"),
        (["front-1", "--right"], USAGE, "Say --wrong or --right, and --identity FILE: the event is sealed."),
        (["front-1", "--wrong"], USAGE, "Say --wrong or --right, and --identity FILE: the event is sealed."),
        (["front-99", "--wrong", "--identity", "ID"], FAULT, "There is no event front-99"),
        (["nonsense", "--wrong", "--identity", "ID"], USAGE, "is not an event"),
        (["--forget", "3"], USAGE, "That is no lesson: say one as --list shows it, such as front:3, or all."),
        (["--forget", "back:3"], USAGE, 'There is no camera "back". Known cameras: front.'),
        (["--list", "--camera", "back"], USAGE, 'There is no camera "back". Known cameras: front.'),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    house: House, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sentence: str
) -> None:
    words = [str(house.identity) if word == "ID" else word for word in words]
    assert house.feedback(*words) == code
    assert sentence in capsys.readouterr().err


def test_a_store_alone_has_no_place_for_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(house.store.root), "feedback", "--list"]) == USAGE
    assert "A store alone has no place for what a camera learns" in capsys.readouterr().err


def test_another_household_opens_nothing(
    house: House, looks: tuple[Found, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house.keep(events_in(looks, ON_THE_LAWN))
    elsewhere = tmp_path / "elsewhere"
    assert main(["init", str(elsewhere), "--keys-to", str(elsewhere / "keys"), "--no-passphrase"]) == 0
    sheet = next((elsewhere / "keys").glob("*.html"))

    assert house.feedback("front-0", "--wrong", "--identity", str(sheet)) != 0
    assert capsys.readouterr().err
    assert not feedback_path(house.state, "front").exists()
