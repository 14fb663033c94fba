"""The backlog is bounded in bytes, never refuses what is small, and ends in order."""

from pipeline.recorder.backlog import Backlog


def test_footage_is_refused_beyond_the_bound_and_taken_again_when_there_is_room() -> None:
    backlog: Backlog[str] = Backlog(100)
    assert backlog.put("a", 60)
    assert not backlog.put("b", 60)
    assert backlog.put("closed")
    assert backlog.waiting_bytes == 60
    assert backlog.take(1) == "a"
    assert backlog.put("c", 60)
    assert [backlog.take(1), backlog.take(1)] == ["closed", "c"]


def test_one_item_larger_than_the_bound_is_taken_when_nothing_waits() -> None:
    backlog: Backlog[str] = Backlog(100)
    assert backlog.put("an 8K keyframe", 1000)
    assert not backlog.put("b", 1)


def test_it_is_finished_only_when_closed_and_empty() -> None:
    backlog: Backlog[str] = Backlog(100)
    assert backlog.take(0.01) is None
    backlog.put("a", 1)
    backlog.close()
    before = backlog.finished
    assert backlog.take(1) == "a"
    assert (before, backlog.finished) == (False, True)
    assert backlog.take(60) is None  # does not wait
