"""When a session ends: its clock is given, so that hours pass at once."""

from __future__ import annotations

from itertools import count

import pytest

from pipeline.household.model import Manifest, Member, Role
from web.sessions import IDLE_S, LIFE_S, MOST_OF_MEMBER, Sessions
from web.throttle import MOST_ADDRESSES, Throttle

ANNA = Member("anna", Role.OWNER, "age1…", b"a" * 32, ("home",))
HOUSE = Manifest(1, b"", 0, "anna", False, "home", (ANNA,), ())


@pytest.fixture
def sessions() -> Sessions:
    numbers = count()
    return Sessions(lambda size: next(numbers).to_bytes(size, "big"))


def test_it_lasts_while_it_is_used_until_its_life_is_over(sessions: Sessions) -> None:
    token, _ = sessions.begin(ANNA, "a browser", 0.0, 0)
    now_s = 0.0
    while now_s < LIFE_S - IDLE_S:
        now_s += IDLE_S - 1
        assert sessions.of(token, HOUSE, min(now_s, LIFE_S - 1))
    assert sessions.of(token, HOUSE, LIFE_S) is None


def test_it_ends_when_nobody_asks(sessions: Sessions) -> None:
    token, _ = sessions.begin(ANNA, "a browser", 0.0, 0)
    assert sessions.of(token, HOUSE, IDLE_S) is None
    assert sessions.of_member("anna", 0.0) == []


def test_who_watches_is_not_idle(sessions: Sessions) -> None:
    token, session = sessions.begin(ANNA, "a browser", 0.0, 0)
    assert sessions.still(session.session_id, IDLE_S - 1)
    assert sessions.sweep(HOUSE, IDLE_S + 1) == 0
    assert sessions.of(token, HOUSE, IDLE_S + 1)
    assert not sessions.still(session.session_id, LIFE_S)


def test_another_key_under_the_same_name_is_somebody_else(sessions: Sessions) -> None:
    token, _ = sessions.begin(ANNA, "a browser", 0.0, 0)
    other = Member("anna", Role.OWNER, "age1…", b"b" * 32, ("home",))
    house = Manifest(2, b"", 0, "anna", False, "home", (other,), ())
    assert sessions.sweep(house, 1.0) == 1
    assert sessions.of(token, HOUSE, 1.0) is None


def test_the_one_that_was_silent_longest_makes_room(sessions: Sessions) -> None:
    tokens = [sessions.begin(ANNA, "", float(number), 0)[0] for number in range(MOST_OF_MEMBER + 1)]
    assert sessions.of(tokens[0], HOUSE, 60.0) is None
    assert all(sessions.of(token, HOUSE, 60.0) for token in tokens[1:])


def test_an_address_waits_only_for_itself_and_not_for_long() -> None:
    throttle = Throttle(burst=2, per_s=0.5)
    assert [throttle.wait_s("here", 0.0) for _ in range(3)] == [0.0, 0.0, 2.0]
    assert throttle.wait_s("there", 0.0) == 0.0
    assert throttle.wait_s("here", 2.0) == 0.0


def test_no_number_of_addresses_fills_the_memory() -> None:
    throttle = Throttle(burst=1, per_s=1.0)
    for number in range(MOST_ADDRESSES + 10):
        throttle.wait_s(str(number), 0.0)
    assert throttle.wait_s("0", 0.0) == 0.0  # forgotten
    assert throttle.wait_s(str(MOST_ADDRESSES + 9), 0.0) > 0.0
