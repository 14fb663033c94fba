"""When generations begin, and that no clock spoils them."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crypto.identity import X25519Identity
from nvr.keyholder.generations import first_generations, renewed, topped_up
from pipeline.household.choosing import current, prepared_until_ms
from pipeline.household.model import Group

DAY_MS = 86_400_000
NOW_MS = round(datetime(2026, 11, 22, 14, 5, tzinfo=UTC).timestamp() * 1000)
IDENTITY = X25519Identity.generate(os.urandom)


def make() -> X25519Identity:
    return IDENTITY


def group(now_ms: int = NOW_MS) -> Group:
    return first_generations("home", ["front"], now_ms, make).group


def day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def test_a_year_ahead_by_months() -> None:
    begins = [one.from_ms for one in group().generations]
    assert begins[0] == 0 and [one.number for one in group().generations] == list(range(1, 14))
    assert (day(begins[1]), day(begins[2]), day(begins[12])) == ("2026-12-01", "2027-01-01", "2027-11-01")
    assert day(prepared_until_ms(group())) == "2027-12-01"


def test_a_new_one_from_now_on_drops_what_was_prepared() -> None:
    grown = renewed(group(), NOW_MS, frozenset({1}), make)
    numbers = [one.number for one in grown.group.generations]
    assert numbers == [1, *range(14, 27)] and [one.number for one in grown.made] == numbers[1:]
    assert grown.group.generations[1].from_ms == NOW_MS
    assert current(grown.group, NOW_MS).number == 14


def test_what_was_used_by_a_clock_ahead_of_ours_is_kept() -> None:
    grown = renewed(group(), NOW_MS, frozenset({1, 3}), make)
    assert [one.number for one in grown.group.generations][:4] == [1, 2, 3, 14]
    assert day(grown.group.generations[3].from_ms) == "2027-01-01"


def test_a_month_later_one_more_is_made_and_nothing_else() -> None:
    before = group()
    assert topped_up(before, NOW_MS + DAY_MS, frozenset(), make).group is before
    grown = topped_up(before, NOW_MS + 10 * DAY_MS, frozenset(), make)
    assert [one.number for one in grown.made] == [14]
    assert grown.group.generations[:-1] == before.generations
    assert day(grown.group.newest.from_ms) == "2027-12-01"


def test_after_they_have_run_out_one_begins_at_once() -> None:
    late_ms = NOW_MS + 800 * DAY_MS
    grown = topped_up(group(), late_ms, frozenset(), make)
    assert grown.group.generation(14) is not None and current(grown.group, late_ms).number == 14
    assert len(grown.made) == 13


def test_a_clock_that_was_years_ahead_is_made_good() -> None:
    spoiled = renewed(group(), NOW_MS + 4000 * DAY_MS, frozenset({1}), make).group
    assert spoiled.newest.from_ms > NOW_MS + 4000 * DAY_MS
    mended = topped_up(spoiled, NOW_MS, frozenset({1}), make).group
    assert day(prepared_until_ms(mended)) == "2027-12-01"


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 4_000_000_000_000), st.sets(st.integers(1, 60))), max_size=6
    )
)
def test_whatever_the_clock_says_numbers_ascend_and_times_do_not_descend(
    steps: list[tuple[bool, int, set[int]]],
) -> None:
    now = group()
    for renew, at_ms, used in steps:
        before = now
        now = (renewed if renew else topped_up)(now, at_ms, used, make).group
        numbers = [one.number for one in now.generations]
        times = [one.from_ms for one in now.generations]
        assert numbers == sorted(set(numbers)) and times == sorted(times)
        kept = {one.number: one for one in now.generations if one.number <= before.newest.number}
        assert set(kept.values()) <= set(before.generations)
        assert now.newest.number >= before.newest.number
        assert {one for one in before.generations if one.number in used} <= set(now.generations)
        assert not renew or current(now, max(at_ms, now.generations[-13].from_ms)) not in before.generations
