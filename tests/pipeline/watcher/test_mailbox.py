"""The mailbox: what is put comes out in order and bounded, and no event's newest state is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.event import Began, Changed, Ended, Event, Happening
from pipeline.watcher.mailbox import Item, Kept, Looked, Mailbox

MOST = 4


def event(number: int, end_ns: int) -> Event:
    return Event(number, 0, end_ns)


def all_of(mailbox: Mailbox) -> list[Item]:
    found = []
    while (item := mailbox.take(0.0)) is not None:
        found.append(item)
    return found


def test_what_only_changed_takes_the_place_of_its_state_before() -> None:
    mailbox = Mailbox()
    mailbox.put("front", Began(event(1, 1)), False)
    mailbox.put("front", Changed(event(1, 2), False), False)
    mailbox.put("yard", Began(event(1, 3)), False)
    mailbox.put("front", Changed(event(1, 4)), True)
    mailbox.put("front", Ended(event(1, 5)), False)
    assert all_of(mailbox) == [
        Kept("front", Began(event(1, 4)), True),
        Kept("yard", Began(event(1, 3)), False),
        Kept("front", Ended(event(1, 5)), False),
    ]
    assert mailbox.lost("front") == 0


def test_of_many_events_that_nobody_takes_the_oldest_go_and_are_counted() -> None:
    mailbox = Mailbox(MOST)
    for number in range(10):
        mailbox.put("front", Ended(event(number, number)), False)
    mailbox.put("yard", Ended(event(1, 1)), False)
    assert [item.camera for item in all_of(mailbox)] == ["front"] * MOST + ["yard"]
    assert (mailbox.lost("front"), mailbox.lost("yard")) == (6, 0)
    assert mailbox.missed("front") == (0, 5)
    assert mailbox.missed("front") is None
    assert mailbox.missed("yard") is None


def test_until_when_was_looked_comes_after_what_came_before_it() -> None:
    mailbox = Mailbox()
    mailbox.looked("front", 1)
    mailbox.looked("front", 2)
    mailbox.put("front", Began(event(1, 1)), False)
    mailbox.looked("front", 3)
    mailbox.looked("yard", 9)
    mailbox.looked("front", 4)
    assert all_of(mailbox) == [
        Looked("front", 2),
        Kept("front", Began(event(1, 1)), False),
        Looked("front", 4),
        Looked("yard", 9),
    ]


@given(st.lists(st.tuples(st.sampled_from(["front", "yard"]), st.sampled_from("bceltt"))))
def test_every_event_that_began_has_its_newest_state_last(steps: list[tuple[str, str]]) -> None:
    mailbox = Mailbox(1000)
    made = {"b": Began, "c": Changed, "e": Ended}
    number = dict.fromkeys(("front", "yard"), 0)
    told: dict[tuple[str, int], Happening] = {}
    taken: list[Item] = []
    for at_ns, (camera, step) in enumerate(steps):
        if step == "t":
            taken += filter(None, [mailbox.take(0.0)])
        elif step == "l":
            mailbox.looked(camera, at_ns)
        else:
            number[camera] += step == "b"
            happening = made[step](event(number[camera], at_ns))
            told[camera, number[camera]] = happening
            mailbox.put(camera, happening, False)
    taken += all_of(mailbox)
    kept = {(item.camera, item.happening.event.number): item for item in taken if isinstance(item, Kept)}
    assert {key: item.happening.event for key, item in kept.items()} == {
        key: happening.event for key, happening in told.items()
    }
