"""What waits for one viewer: bounded, and a loss is whole GOPs and counted."""

from __future__ import annotations

from pipeline.model import Kind, Packet
from pipeline.wire import Dropped
from web.live.feed import Feed
from web.live.heard import Away, Back, Heard, Why

SECOND_NS = 1_000_000_000


def packet(at: int, *, key: bool = False, kind: Kind = Kind.VIDEO, size: int = 10) -> Packet:
    return Packet(kind, at, at, 1, key, at * SECOND_NS // 10, bytes(size))


def gop(begin: int, length: int = 5) -> list[Packet]:
    return [packet(at, key=at == begin) for at in range(begin, begin + length)]


def drained(feed: Feed) -> list[Heard]:
    found = []
    while (heard := feed.take()) is not None:
        found.append(heard)
    return found


def offered(feed: Feed, packets: list[Packet]) -> None:
    for one in packets:
        feed.offer(one)


def test_what_fits_comes_in_order() -> None:
    feed = Feed()
    offered(feed, gop(0) + gop(5))
    assert drained(feed) == [*gop(0), *gop(5)]
    assert (feed.lost_packets, feed.lost_gops) == (0, 0)


def test_a_gop_that_does_not_fit_is_lost_whole() -> None:
    feed = Feed(limit_bytes=80)
    offered(feed, gop(0) + gop(5))
    assert drained(feed) == gop(0)
    offered(feed, gop(10))
    assert drained(feed) == [Dropped(5, 1), *gop(10)]
    assert (feed.lost_packets, feed.lost_gops) == (5, 1)


def test_the_rest_of_a_gop_that_was_begun_is_lost_and_counts_as_one() -> None:
    feed = Feed(limit_bytes=30)
    offered(feed, gop(0)[:2])
    assert drained(feed) == gop(0)[:2]
    offered(feed, [packet(2, size=40), packet(3), packet(4)])
    assert drained(feed) == []
    offered(feed, gop(5, 2))
    assert drained(feed) == [Dropped(3, 1), *gop(5, 2)]


def test_a_keyframe_replaces_what_is_too_old() -> None:
    feed = Feed(lag_ns=2 * SECOND_NS)
    offered(feed, [one for begin in range(0, 40, 5) for one in gop(begin)])
    assert drained(feed) == [Dropped(25, 5), *gop(25), *gop(30), *gop(35)]
    assert (feed.lost_packets, feed.lost_gops) == (25, 5)


def test_a_note_behind_what_is_kept_stays_there() -> None:
    feed = Feed(limit_bytes=80)
    offered(feed, gop(0))
    feed.tell(Away(Why.CAMERA))
    feed.tell(Back())
    offered(feed, gop(5, 9) + gop(20, 3))
    assert drained(feed) == [*gop(0), Away(Why.CAMERA), Back(), Dropped(9, 1), *gop(20, 3)]


def test_a_loss_keeps_the_newest_note() -> None:
    feed = Feed(limit_bytes=80)
    offered(feed, gop(0))
    feed.tell(Back())
    feed.tell(Away(Why.CAMERA))
    offered(feed, [packet(5, key=True, size=40)])
    assert drained(feed) == [Away(Why.CAMERA), Dropped(5, 1), packet(5, key=True, size=40)]


def test_a_viewer_who_never_takes_costs_no_memory() -> None:
    feed = Feed(limit_bytes=1000)
    for turn in range(1000):
        feed.tell(Away(Why.RECORDER))
        feed.tell(Back())
        offered(feed, gop(turn * 5))
    assert len(feed) <= 250


def test_sound_alone_resumes_at_once() -> None:
    feed = Feed(frozenset({Kind.AUDIO}), limit_bytes=25)
    sounds = [packet(at, kind=Kind.AUDIO) for at in range(4)]
    offered(feed, [packet(0, key=True), *sounds])
    heard = drained(feed)
    assert heard[-1] == sounds[-1]
    assert feed.lost_gops == 0
    assert feed.lost_packets + sum(isinstance(one, Packet) for one in heard) == 4


def test_beginning_anew_is_no_loss() -> None:
    feed = Feed()
    offered(feed, gop(0))
    feed.begin([Back()], gop(5))
    assert drained(feed) == [Back(), *gop(5)]
    assert feed.lost_packets == 0
