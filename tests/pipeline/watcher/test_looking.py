"""The heart of looking on real footage: deterministic, and nothing counts after its end."""

from __future__ import annotations

from pathlib import Path

from pipeline.clip import clip_messages
from pipeline.event import Began, Ended, EventMaker, Happening, Rules
from pipeline.track import Tracker
from pipeline.watcher.eye import Eye, EyeSettings
from pipeline.watcher.looking import Look, Looking
from pipeline.watcher.offline import look_at
from tests.support.household import STREET
from tests.support.looks import START_NS, detector

DAY_NS = 86_400_000_000_000


def made(told: list[Happening]) -> Looking:
    rules = Rules()
    eye = Eye(EyeSettings(rules.masks))
    return Looking(eye, Tracker(), EventMaker(rules), detector().input_size, told.append)


def outline(happenings: list[Happening]) -> list[tuple[str, int, int, tuple[str, ...]]]:
    return [
        (type(one).__name__, one.event.start_ns, one.event.end_ns, one.event.labels) for one in happenings
    ]


def play(looking: Looking, path: Path, start_ns: int) -> list[Look]:
    """Every look, answered at once."""
    looks = []
    for message in clip_messages(path, start_ns):
        for look in looking.take(message):
            looks.append(look)
            looking.found(look, detector().detect(look.sight.frame.picture, look.regions, look.minimum))
    return looks


def test_the_same_file_gives_the_same_happenings_each_time() -> None:
    first, second = (list(look_at(clip_messages(STREET, START_NS), detector(), Rules())) for _ in range(2))
    assert outline(first) == outline(second)
    assert isinstance(first[0], Began)
    assert isinstance(first[-1], Ended)
    assert {"car", "person", "bicycle"} <= set(first[-1].event.labels)


def test_a_stream_of_an_earlier_time_ends_what_is_open_and_begins_anew() -> None:
    told: list[Happening] = []
    looking = made(told)
    play(looking, STREET, START_NS)
    assert not isinstance(told[-1], Ended)
    before = len(told)
    play(looking, STREET, START_NS - DAY_NS)
    assert isinstance(told[before], Ended)
    assert told[before].event.start_ns > START_NS - DAY_NS // 2
    assert any(
        isinstance(one, Began) and one.event.start_ns < START_NS - DAY_NS // 2 for one in told[before:]
    )


def test_answers_that_come_after_the_end_count_for_nothing() -> None:
    told: list[Happening] = []
    looking = made(told)
    looks = play(looking, STREET, START_NS)
    looking.close()
    assert isinstance(told[-1], Ended)
    before = len(told)
    for look in looks:
        looking.found(look, detector().detect(look.sight.frame.picture, look.regions[:1], look.minimum))
    assert len(told) == before
