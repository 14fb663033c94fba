"""A shout in a quiet yard at night is an event, by the same heart that looks."""

from __future__ import annotations

import pytest

from pipeline.clip import clip_messages
from pipeline.event import EventKind, EventMaker, Happening, Rules
from pipeline.sound import Loudness
from pipeline.track import Tracker
from pipeline.watcher.eye import Eye, EyeSettings
from pipeline.watcher.looking import Looking
from pipeline.wire import Hello
from tests.support.footage import QUIET_WITH_A_SHOUT, AudioCodec, quiet_clip
from tests.support.walks import ended

START_NS = 1_790_000_000_000_000_000


def ears(hello: Hello) -> Loudness | None:
    assert hello.info.audio is not None
    assert hello.anchor is not None
    return Loudness(hello.info.audio, hello.anchor)


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_a_shout_is_an_event(codec: AudioCodec) -> None:
    told: list[Happening] = []
    looking = Looking(Eye(EyeSettings(())), Tracker(), EventMaker(Rules()), 300, told.append, loudness=ears)
    for message in clip_messages(quiet_clip(codec, QUIET_WITH_A_SHOUT), START_NS):
        for look in looking.take(message):
            looking.found(look, [])  # nobody is there
    looking.finish()

    (event,) = ended(told)
    assert event.kind is EventKind.SOUND
    assert event.sound is not None
    assert event.sound.peak_db > event.sound.background_db + 12
    assert abs((event.start_ns - START_NS) / 1e9 - 5) < 0.5
    assert 13 < (event.end_ns - START_NS) / 1e9 < 18.5  # the clip may end before the post-roll does


def test_nobody_listens_unless_asked_to() -> None:
    told: list[Happening] = []
    looking = Looking(Eye(EyeSettings(())), Tracker(), EventMaker(Rules()), 300, told.append)
    for message in clip_messages(quiet_clip("aac", QUIET_WITH_A_SHOUT), START_NS):
        for look in looking.take(message):
            looking.found(look, [])
    looking.finish()

    assert told == []
