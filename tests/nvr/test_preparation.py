"""Prepared generations that soon run out are said thirty days before."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from nvr.preparation import WARN_MS, ends_soon, running_out
from pipeline.household.choosing import prepared_until_ms
from pipeline.household.model import Generation, Group, Manifest, Member, Role

RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
DECEMBER_MS = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp() * 1000)
NOVEMBER_MS = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)


def group(name: str, from_ms: int) -> Group:
    return Group(name, (), (Generation(1, RECIPIENT, from_ms),))


def household(*groups: Group) -> Manifest:
    names = tuple(one.name for one in groups)
    anna = Member("anna", Role.OWNER, RECIPIENT, bytes(32), names)
    return Manifest(1, b"", 0, "anna", False, names[0], (anna,), groups)


def test_only_groups_that_end_soon_are_named() -> None:
    both = household(group("barn", NOVEMBER_MS), group("home", DECEMBER_MS))
    assert running_out(both, NOVEMBER_MS + 1, UTC) == (
        "generations of barn are prepared only until 2026-12-01; an owner's command prepares more: "
        "nvr group list --identity FILE"
    )
    assert running_out(household(group("home", DECEMBER_MS)), NOVEMBER_MS + 1, UTC) == ""


def test_what_has_run_out_is_left_to_the_recorders() -> None:
    assert running_out(household(group("home", NOVEMBER_MS)), DECEMBER_MS, UTC) == ""


@given(st.integers(0, 2 * WARN_MS))
def test_thirty_days(before_ms: int) -> None:
    one = group("home", NOVEMBER_MS)
    now_ms = prepared_until_ms(one) - before_ms
    assert ends_soon(one, now_ms) == (before_ms < WARN_MS)
    assert bool(running_out(household(one), now_ms, UTC)) == (0 < before_ms < WARN_MS)
