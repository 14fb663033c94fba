"""The one place where all cameras' pictures wait for the detector.

Rules:
- One thread, named `inference`. A camera has at most one picture waiting: a newer one takes its place, and
  that is counted. So what is looked at is never older than the time of one look at each camera.
- Cameras take turns: who was looked at last waits behind all others.
- A fault of one look is a fault of that look: it is counted, its camera is told, the thread goes on.
- `submit` never waits for a look.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from pipeline.detect.detector import Detector
from pipeline.picture import Picture
from pipeline.scene import Box, Detection


@dataclass(frozen=True, slots=True)
class Job:
    """A picture to be looked at. `done` and `failed` are called from the queue's thread: be quick there."""

    picture: Picture = field(repr=False)
    regions: Sequence[Box]
    done: Callable[[list[Detection]], object]
    failed: Callable[[Exception], object] = lambda fault: None
    minimum: float = 0.3
    wanted: Collection[str] | None = None


@dataclass(slots=True)
class Counts:
    """What happened to a camera's jobs."""

    looked: int = 0
    replaced: int = 0
    faults: int = 0


class InferenceQueue:
    """Looks at what cameras submit, one after the other. `with` starts and ends its thread."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._waiting: OrderedDict[str, Job] = OrderedDict()
        self._counts: dict[str, Counts] = {}
        self._changed = threading.Condition()
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    def __enter__(self) -> InferenceQueue:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        self._thread.join()

    def submit(self, camera: str, job: Job) -> None:
        """Takes the place of this camera's waiting job, if there is one: its turn stays."""
        with self._changed:
            counts = self._counts.setdefault(camera, Counts())
            counts.replaced += camera in self._waiting
            self._waiting[camera] = job
            self._changed.notify()

    def forget(self, camera: str) -> None:
        """Drops what waits: the camera has gone."""
        with self._changed:
            self._waiting.pop(camera, None)

    def counts(self, camera: str) -> Counts:
        """A copy of what was counted so far."""
        with self._changed:
            counts = self._counts.get(camera, Counts())
            return Counts(counts.looked, counts.replaced, counts.faults)

    def _run(self) -> None:
        while (taken := self._next()) is not None:
            self._look(*taken)

    def _next(self) -> tuple[str, Job] | None:
        """Waits for the next job; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_ending)
            return None if self._is_ending else self._waiting.popitem(last=False)

    def _look(self, camera: str, job: Job) -> None:
        try:
            job.done(self._detector.detect(job.picture, job.regions, job.minimum, job.wanted))
        except Exception as fault:  # noqa: BLE001 - whatever a picture provokes must not end every camera's looking
            self._count(camera, faults=1)
            with contextlib.suppress(Exception):
                job.failed(fault)
        else:
            self._count(camera, looked=1)

    def _count(self, camera: str, looked: int = 0, faults: int = 0) -> None:
        with self._changed:
            self._counts[camera].looked += looked
            self._counts[camera].faults += faults
