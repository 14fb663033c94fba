"""Puts right what the audit finds and can be put right: leftovers are recovered, the index is made anew.

Rules:
- No footage is deleted or changed. What is not sealed, too short or a stranger stays, for a person to judge.
- A camera that is being recorded is left to its recorder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline import walk
from pipeline.index import Rebuilt, rebuild
from pipeline.names import StoredSegment
from pipeline.store import AlreadyRunning, Store, lock_camera, recover


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done. `faults`: a sentence for each leftover that could not be dealt with."""

    recovered: tuple[StoredSegment, ...]
    rebuilt: Rebuilt
    faults: tuple[str, ...]


def repair(root: Path) -> Repaired:
    """Repairs the store `root`. Raises StoreMissing, IndexBusy and OSError.

    1. for each camera that is not being recorded, take its lock and recover what a crash left
    2. make the index anew
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
    return Repaired(tuple(recovered), rebuild(root), tuple(faults))
