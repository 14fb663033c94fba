"""`nvr events` on a real household: what who may see of events, with our commands and with stock tools."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from nvr.cli import main
from nvr.errors import FAULT, USAGE, WRONG_IDENTITY
from pipeline.durable import DISK
from pipeline.event import Event
from pipeline.event_store import EventPlace, EventStore
from pipeline.scene import Sound
from pipeline.store import Store
from tests.support.age_programs import age
from tests.support.events import Told, an_event, kept, size_of
from tests.support.household import Household, make_household
from tests.support.store_writing import NOON_MS

SPAN = ("--from", "2026-11-22T12:00:00Z", "--to", "2026-11-22T13:00:00Z")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """Two cameras: a person, a car with a sound, a sound alone, and one that a crash interrupted."""
    house = make_household(tmp_path_factory.mktemp("events"))
    front, back = _events(house, "front"), _events(house, "back")
    front.finish(kept(an_event(1)), NOON_MS)
    loud = replace(an_event(2, NOON_MS + 60_000, label="car"), sound=Sound(-20.0, -50.0))
    front.finish(kept(loud), NOON_MS)
    heard = Event(1, (NOON_MS + 5_000) * 10**6, (NOON_MS + 9_000) * 10**6, sound=Sound(-10.0, -40.0))
    back.finish(kept(heard, picture=False), NOON_MS)
    back.save(kept(an_event(2, NOON_MS + 120_000), unsure=True))
    _events(house, "back").save(kept(an_event(3, NOON_MS + 180_000)))  # under way
    return house


def _events(house: Household, camera: str) -> EventStore:
    return EventStore(
        EventPlace(Store(house.store), house.directory / "state", camera), Told(), NOON_MS, DISK
    )


@pytest.fixture
def house(made: Household, monkeypatch: pytest.MonkeyPatch) -> Household:
    """That one, in a time zone that is known."""
    monkeypatch.setenv("TZ", "UTC")
    return made


def _nvr(house: Household, *words: str) -> int:
    return main(["--config", str(house.config), "events", *words])


def _identity(house: Household) -> tuple[str, str]:
    return "--identity", str(house.key_file)


def test_with_an_identity_it_says_what_was_seen(house: Household, capsys: pytest.CaptureFixture[str]) -> None:
    assert _nvr(house, *SPAN, *_identity(house)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-22 12:00:00  8 s  front-0  person 0.62 (drive, crossed gate left-to-right)",
        "2026-11-22 12:00:05  4 s  back-0   sound 30 dB above the usual",
        "2026-11-22 12:01:00  8 s  front-1  car 0.62 (drive, crossed gate left-to-right), "
        "sound 30 dB above the usual",
        "2026-11-22 12:02:00  8 s  back-1   person 0.62 (drive, crossed gate left-to-right), clock unsure, "
        "interrupted",
    ]


def test_without_one_there_are_only_times(house: Household, capsys: pytest.CaptureFixture[str]) -> None:
    assert _nvr(house, *SPAN, "--camera", "front") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["2026-11-22 12:00:00  8 s  front-0", "2026-11-22 12:01:00  8 s  front-1"]
    assert "--identity" in said.err
    assert _nvr(house, *SPAN, "--json") == 0
    noun = json.loads(capsys.readouterr().out)
    assert [one["seen"] for one in noun["events"]] == [None] * 4
    assert [one["picture"] for one in noun["events"]] == [True, False, True, True]


def test_labels_choose(house: Household, capsys: pytest.CaptureFixture[str]) -> None:
    assert _nvr(house, *SPAN, "--label", "Car", "--json", *_identity(house)) == 0
    (event,) = json.loads(capsys.readouterr().out)["events"]
    assert (event["event"], event["seen"]["labels"], event["seen"]["kind"]) == ("front-1", ["car"], "seen")
    assert event["seen"]["objects"][0]["lines"][0]["direction"] == "left-to-right"
    assert _nvr(house, *SPAN, "--label", "car") == USAGE
    assert "--identity" in capsys.readouterr().err


def test_the_json_is_what_the_reference_says(house: Household, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[3] / "docs/reference.md").read_text("utf-8")
    (block,) = re.findall(r"^```json events\n(.*?)^```$", page, re.M | re.S)
    assert _nvr(house, *SPAN, "--json", *_identity(house)) == 0
    assert _shape(json.loads(capsys.readouterr().out)) == _shape(json.loads(block))


def _shape(noun: object) -> object:
    """Members and their order; of a list its first item; no values."""
    if isinstance(noun, dict):
        return [(name, _shape(value)) for name, value in noun.items()]
    return [_shape(noun[0])] if isinstance(noun, list) and noun else None


def test_a_span_takes_what_reaches_into_it(house: Household, capsys: pytest.CaptureFixture[str]) -> None:
    assert _nvr(house, "--from", "2026-11-22T12:00:08Z", "--to", "2026-11-22T12:01:00Z") == 0
    assert "back-0" in (said := capsys.readouterr().out)
    assert "front" not in said
    assert _nvr(house, "--from", "2026-11-20", "--to", "2026-11-20") == 0
    assert "No events" in capsys.readouterr().out


def test_the_picture_is_written_for_its_owner_and_never_over_another(
    house: Household, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "thumb.jpg"
    assert _nvr(house, "show", "front-0", *_identity(house), "-o", str(picture)) == 0
    assert capsys.readouterr().out.startswith("2026-11-22 12:00:00  8 s  front-0  person 0.62")
    assert (size_of(picture.read_bytes()), stat.S_IMODE(picture.stat().st_mode)) == ((64, 48), 0o600)
    assert _nvr(house, "show", "front-0", *_identity(house), "-o", str(picture), "--whole") == USAGE
    assert "exists already" in capsys.readouterr().err
    assert _nvr(house, "show", "front-0", *_identity(house), "-o", str(picture), "--whole", "--force") == 0
    assert size_of(picture.read_bytes()) == (160, 120)
    assert list(tmp_path.iterdir()) == [picture]


@pytest.mark.parametrize(
    ("event", "code", "said"),
    [
        ("front-7", FAULT, "There is no event front-7"),
        ("front", USAGE, "say its camera and number"),
        ("../keys-1", USAGE, "say its camera and number"),
        ("back-0", FAULT, "no picture"),
        ("back-2", FAULT, "There is no event back-2"),
    ],
    ids=["no such event", "no number", "a path", "a sound", "under way"],
)
def test_what_cannot_be_shown_is_said(
    house: Household, tmp_path: Path, capsys: pytest.CaptureFixture[str], event: str, code: int, said: str
) -> None:
    assert _nvr(house, "show", event, *_identity(house), "-o", str(tmp_path / "x.jpg")) == code
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_stranger_opens_nothing(
    house: Household, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_household(tmp_path / "other")
    assert _nvr(house, *SPAN, "--identity", str(other.key_file)) == WRONG_IDENTITY
    assert "person" not in capsys.readouterr().out


def test_a_store_alone_is_enough(house: Household, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--store", str(house.store), "events", *SPAN, *_identity(house)]) == 0
    assert "front-0  person" in capsys.readouterr().out


def _path(house: Household, camera: str, stream: str, sequence: int) -> Path:
    (found,) = (house.store / camera / stream).glob(f"*/*/*.{sequence}.*age")
    return found


def test_stock_age_opens_record_and_picture(house: Household, tmp_path: Path) -> None:
    group = tmp_path / "home-1.key"
    (wrapped,) = (house.store / "keys" / "home" / "1").glob("owner.age")
    group.write_bytes(age("-d", "-i", house.key_file, wrapped))
    record = json.loads(age("-d", "-i", group, _path(house, "front", "events", 0)))
    assert (record["camera"], record["objects"][0]["label"]) == ("front", "person")
    assert size_of(age("-d", "-i", group, _path(house, "front", "thumbs", 0))) == (64, 48)


# Last, since they change it.


def test_what_was_swapped_or_damaged_is_named_and_the_rest_listed(
    house: Household, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (_path(house, "front", "events", number) for number in (0, 1))
    whole, other = first.read_bytes(), second.read_bytes()
    thumbs = [_path(house, "front", "thumbs", number) for number in (0, 1)]
    pictures = [path.read_bytes() for path in thumbs]
    try:
        first.write_bytes(other)
        second.write_bytes(other[:-1] + bytes([other[-1] ^ 1]))
        thumbs[0].write_bytes(pictures[1])
        assert _nvr(house, *SPAN, *_identity(house)) == FAULT
        said = capsys.readouterr()
        assert [line.split()[4] for line in said.out.splitlines()] == ["back-0", "back-1"]
        assert "was swapped: inside is number 1 of front/events" in said.err
        assert "is damaged" in said.err
        assert _nvr(house, "show", "front-0", *_identity(house), "-o", str(tmp_path / "x.jpg")) == FAULT
        assert "was swapped: inside is number 1 of front/thumbs" in capsys.readouterr().err
    finally:
        first.write_bytes(whole)
        second.write_bytes(other)
        for path, content in zip(thumbs, pictures, strict=True):
            path.write_bytes(content)
