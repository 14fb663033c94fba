"""Puts right what the audit finds and can be put right: leftovers are recovered, the index is made anew.

Rules:
- No footage is deleted or changed. What is not sealed, too short or a stranger stays, for a person to judge.
- A camera that is being recorded is left to its recorder, and events are left to a watcher at work.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline import walk
from pipeline.event_store.recovery import recover_events
from pipeline.index import Rebuilt, rebuild
from pipeline.names import StoredSegment
from pipeline.store import AlreadyRunning, Recovered, Store, lock_camera, lock_watcher, recover


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done. `faults`: a sentence for each leftover that could not be dealt with."""

    recovered: tuple[StoredSegment, ...]
    rebuilt: Rebuilt
    faults: tuple[str, ...]


def repair(root: Path) -> Repaired:
    """Repairs the store `root`. Raises StoreMissing, IndexBusy and OSError.

    1. for each camera that is not being recorded, take its lock and recover what a crash left
    2. if nobody looks at the cameras, take the watcher's lock and finish the events that a crash interrupted
    3. make the index anew
    """
    store = Store(root)
    store.open_check()
    recovered: list[StoredSegment] = []
    faults: list[str] = []
    for camera in walk.cameras(root):
        try:
            with lock_camera(store, camera):
                found = recover(store, camera)
        except AlreadyRunning:
            continue
        recovered += found.published
        faults += found.failures
    for found in _recover_events(store):
        recovered += found.published
        faults += found.failures
    return Repaired(tuple(recovered), rebuild(root), tuple(faults))


def _recover_events(store: Store) -> list[Recovered]:
    try:
        with lock_watcher(store):
            return [recover_events(store, camera) for camera in walk.cameras(store.root)]
    except AlreadyRunning:
        return []
