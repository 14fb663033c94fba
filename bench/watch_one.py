"""A watcher of one camera: `python -m bench.watch_one RUN_DIR STATE_DIR CAMERA STREAM [learnt]`

It is the watcher's own thread, queue and detector. It may have looked at clips before, as fast as it goes, so
that the gate has learnt what a real one learns in some hours. Writes `CAMERA.looks` when it turns to the tap.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from pathlib import Path

from bench.watch_played import lessons
from pipeline.detect import Detector, InferenceQueue
from pipeline.watcher.camera import Shared, WatchedCamera
from pipeline.watcher.looking import Looking
from pipeline.watcher.settings import CameraSettings

_LEARNING_S = 240
_BEFORE_NS = 3600 * 1_000_000_000


class _Learnt(WatchedCamera):
    """One whose eye may have looked at clips before."""

    learnt = False
    begins: Path

    def _new_looking(self, stream: str) -> Looking:
        looking = super()._new_looking(stream)
        if self.learnt and self._eye is not None:
            then_ns = (time.time_ns() - _BEFORE_NS, time.monotonic_ns() - _BEFORE_NS)
            for message in lessons(stream, "variable", _LEARNING_S, *then_ns):
                deque(self._eye.take(message), 0)
        self.begins.touch()
        return looking


def main() -> None:
    """Until killed; says what it does every ten seconds."""
    run_dir, state_dir, camera, stream = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    streams = ("main", "sub") if stream == "sub" else ("main",)
    detector = Detector.load(None, None)
    with InferenceQueue(detector) as queue:
        shared = Shared(queue, detector.input_size, run_dir, state_dir, lambda *_: None, lambda *_: None)
        watched = _Learnt(CameraSettings(camera, streams), shared, threading.Event())
        watched.learnt = len(sys.argv) > 5
        watched.begins = run_dir / f"{camera}.looks"
        threading.Thread(target=watched.run, name="look", daemon=True).start()
        while True:
            time.sleep(10)
            print(watched.report(), flush=True)


if __name__ == "__main__":
    main()
