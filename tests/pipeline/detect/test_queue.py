"""The queue: the newest picture of a camera, in turns, and no fault ends it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import cast

import numpy as np
import pytest

from pipeline.detect import Detector, InferenceQueue, Job
from pipeline.picture import Picture
from pipeline.scene import WHOLE, Box, Detection

GREY = Picture.from_rgb(np.full((64, 64, 3), 100, np.uint8))


class Gated:
    """A detector that waits to be let go on: what waits meanwhile is what is tested."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Semaphore(0), threading.Semaphore(0)

    def detect(
        self, picture: Picture, regions: Sequence[Box], minimum: float, wanted: Collection[str] | None
    ) -> list[Detection]:
        """Finds nothing, when it is let."""
        self.entered.release()
        assert self.go_on.acquire(timeout=30)
        if not regions:
            raise ValueError("a picture that nothing can be done with")
        return []


def test_newest_wins_cameras_take_turns_and_faults_are_counted() -> None:
    gated, order = Gated(), list[str]()
    told = threading.Semaphore(0)

    def job(name: str, regions: Sequence[Box] = (WHOLE,)) -> Job:
        def done(_: object) -> None:
            order.append(name)
            told.release()

        return Job(GREY, regions, done, done)

    with InferenceQueue(cast(Detector, gated)) as queue:
        queue.submit("a", job("a1"))
        assert gated.entered.acquire(timeout=30)
        for name in ("a2", "b1", "a3", "c1", "b2"):
            queue.submit(name[0], job(name, () if name == "c1" else (WHOLE,)))
        gated.go_on.release(4)
        for _ in range(4):
            assert told.acquire(timeout=30)
        assert order == ["a1", "a3", "b2", "c1"]
    assert (queue.counts("a").looked, queue.counts("a").replaced) == (2, 1)
    assert (queue.counts("b").looked, queue.counts("b").replaced) == (1, 1)
    assert (queue.counts("c").looked, queue.counts("c").faults) == (0, 1)


@pytest.mark.parametrize("cameras", [3])
def test_with_the_real_detector(cameras: int) -> None:
    told: list[tuple[int, list[Detection]]] = []
    all_told = threading.Semaphore(0)
    with InferenceQueue(Detector.load()) as queue:
        for number in range(cameras):

            def done(found: list[Detection], number: int = number) -> None:
                told.append((number, found))
                all_told.release()

            queue.submit(f"camera{number}", Job(GREY, [WHOLE], done))
        for _ in range(cameras):
            assert all_told.acquire(timeout=30)
    assert [number for number, _ in told] == list(range(cameras))
