"""What watching is measured on: clips that go on for ever, and lessons for a gate."""

from __future__ import annotations

from itertools import islice, pairwise

from bench.looped import looped
from bench.watch_played import clip_of, lessons
from pipeline.model import Packet
from pipeline.wire import Hello

_NS = 1_000_000_000


def test_a_looped_clip_goes_on_as_a_camera_would() -> None:
    _, packets = looped(clip_of("still", "sub"))
    two_rounds = list(islice(packets, 1000))
    assert {later.pts - earlier.pts for earlier, later in pairwise(two_rounds)} == {3600}
    assert [number for number, one in enumerate(two_rounds) if one.is_keyframe] == list(range(0, 1000, 50))
    assert two_rounds[0].arrived_ns == 0
    assert two_rounds[-1].arrived_ns == 999 * _NS // 25


def test_lessons_go_on_in_time() -> None:
    messages = list(lessons("sub", "variable", 54, 10**18, 7))
    assert [one.anchor.utc_ns for one in messages if isinstance(one, Hello) and one.anchor] == [
        10**18,
        10**18 + 18 * _NS,
        10**18 + 36 * _NS,
    ]
    arrived = [one.arrived_ns for one in messages if isinstance(one, Packet)]
    assert arrived[0] == 7
    assert arrived == sorted(arrived)
