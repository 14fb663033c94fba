"""Which generation counts when: by time alone, and never none."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from pipeline.household.choosing import (
    Choice,
    choose,
    current,
    has_run_out,
    month_after_ms,
    prepared_until_ms,
)
from pipeline.household.model import Generation, Group
from pipeline.names import LAST_MS
from tests.support.manifest_histories import STEPS, Step, play


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp()) * 1000


HOME = Group(
    "home",
    ("front",),
    (
        Generation(3, "age1c", _ms("2026-11-05")),
        Generation(5, "age1e", _ms("2026-12-01")),
        Generation(6, "age1f", _ms("2026-12-01")),
        Generation(9, "age1i", _ms("2027-01-01")),
    ),
)


def test_the_highest_that_has_begun_counts() -> None:
    def at(text: str) -> int:
        return current(HOME, _ms(text)).number

    assert at("2026-11-05") == at("2026-11-30T23:59:59") == 3
    assert at("2026-12-01") == at("2026-12-31T23:59:59") == 6
    assert at("2027-01-01") == at("2099-01-01") == 9
    assert at("1970-01-01") == at("2026-11-04") == 3, "before the first one, the lowest"


def test_run_out_is_said_when_the_last_ones_month_is_over() -> None:
    assert prepared_until_ms(HOME) == _ms("2027-02-01")
    assert not has_run_out(HOME, _ms("2027-01-31T23:59:59"))
    assert has_run_out(HOME, _ms("2027-02-01"))


def test_months_end_where_they_end() -> None:
    assert month_after_ms(_ms("2028-02-29T23:59:59")) == _ms("2028-03-01")
    assert month_after_ms(_ms("2026-12-31T12:00")) == _ms("2027-01-01")
    assert month_after_ms(_ms("2026-12-01")) == _ms("2027-01-01")
    assert month_after_ms(0) == _ms("1970-02-01")
    assert month_after_ms(LAST_MS) == LAST_MS


@given(STEPS, st.integers(0, 2**32), st.integers(0, LAST_MS))
def test_every_camera_has_one_choice_at_any_time(steps: list[Step], seed: int, now_ms: int) -> None:
    _, history = play(steps, seed)
    manifest = history[-1].manifest
    for camera in ("door", "garden", "hall", "nobody-named-it"):
        choice = choose(manifest, camera, now_ms)
        group = manifest.group_of(camera)
        generation = group.generation(choice.generation)
        assert generation is not None
        assert choice == Choice(group.name, generation.number, generation.recipient)
        assert choose(manifest, camera, now_ms + 1).generation >= choice.generation
