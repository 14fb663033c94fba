"""A wrong password is not tried so often that the camera locks the account."""

from __future__ import annotations

from pathlib import Path

from pipeline.recorder.refusals import ASKING_S, Refusals
from pipeline.recorder.settings import RecorderSettings

PAUSES_S = (5, 30, 120, 300)


def test_the_pauses_grow_to_the_last_one() -> None:
    refusals, now_s, waited_s = Refusals(PAUSES_S), 1000.0, []
    for _ in range(6):
        refusals.refused(now_s)
        waited_s.append(refusals.pause_s(now_s))
        now_s += waited_s[-1]
        assert refusals.pause_s(now_s) == 0
    assert waited_s == [5, 30, 120, 300, 300, 300]
    assert str(refusals) == "after 5, 30, 120 s and then every 300 s"


def test_a_right_password_begins_anew() -> None:
    refusals = Refusals(PAUSES_S)
    for _ in range(3):
        refusals.refused(1000)
    refusals.let_in()
    assert refusals.pause_s(1000) == 0
    refusals.refused(1000)
    assert refusals.pause_s(1000) == 5


def test_one_stream_asks_for_all() -> None:
    refusals = Refusals(PAUSES_S)
    refusals.refused(1000)
    refusals.refused(1000)  # both began at once
    assert [refusals.pause_s(1010), refusals.pause_s(1030), refusals.pause_s(1030)] == [20, 0, ASKING_S]
    refusals.refused(1031)
    assert refusals.pause_s(1031) == 120
    assert refusals.pause_s(1151) == 0
    assert refusals.pause_s(1151 + ASKING_S) == 0, "the first one never came to an answer"
    refusals.let_in()
    assert [refusals.pause_s(1165), refusals.pause_s(1165)] == [0, 0]


def test_two_streams_try_at_most_five_times_in_ten_minutes() -> None:
    settings = RecorderSettings("front", {}, Path(), Path(), Path())
    refusals, tries_s = Refusals(settings.refused_pauses_s), [0.0, 0.0]
    for now_s in (0, 0):
        refusals.refused(now_s)
    for now_s in range(600):
        for _ in ("main", "sub"):
            if not refusals.pause_s(now_s):
                tries_s.append(now_s)
                refusals.refused(now_s)
    assert tries_s == [0, 0, 30, 150, 450]
