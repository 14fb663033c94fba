"""Recorders that end without warning: started, killed, started again, with nobody repairing anything.

lives = Lives(house, camera)
lives.end_after(1.7)                 # one life: started, killed 1.7 s after the first keyframe was sent
lives.end_in_order()                 # the last one: SIGTERM, exit code 0
losses = [lost_s(lives.sent(life, "video"), lives.found(life).video) for life in lives.ended]
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.identity import Identity
from nvr.keyholder.opening import footage_identities
from pipeline.names import StoredSegment
from tests.support.faulty import FaultyCamera
from tests.support.household import Household
from tests.support.live import Sent
from tests.support.reading import OpenedFootage, open_footage, sent_between

CAMERA = "front"
PATH = "main"
START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 15.0
LAST_S = 1.5  # of a life: more than a fragment and what is on its way


@dataclass(frozen=True, slots=True)
class Life:
    """One recorder process, from its start to its end; wall times in ms, monotonic ones in ns.

    `starved_s`: how long its threads stood in line for a processor in its last moments. What a machine that
    is busy with other things did not let it do, it cannot have done.
    """

    began_ms: int
    ended_ms: int
    began_ns: int
    ended_ns: int
    starved_s: float


class Lives:
    """The recorders of one camera, one after the other, on one store."""

    def __init__(self, house: Household, camera: FaultyCamera, **environment: str) -> None:
        self.house, self.camera = house, camera
        self.ended: list[Life] = []
        self._environment = os.environ | environment
        house.add(CAMERA, url=camera.url(PATH))

    def end_after(self, seconds: float, ending: Callable[[], None] | None = None) -> Life:
        """One life, ended so many seconds after the camera sent it its first keyframe.

        `ending` happens right before SIGKILL, and its moment is the end of the life.
        """
        with self._recorder() as process:
            began_ms, began_ns = _now_ms(), time.monotonic_ns()
            self._await_keyframe(process, began_ns)
            _wait(process, seconds - LAST_S)
            in_line_s = _in_line_s(process.pid)
            _wait(process, min(seconds, LAST_S))
            assert process.poll() is None, f"the recorder ended by itself: {self.log()}"
            ended_ns, starved_s = time.monotonic_ns(), _in_line_s(process.pid) - in_line_s
            if ending:
                ending()
            process.kill()
            process.wait(END_TIMEOUT_S)
        life = Life(began_ms, _now_ms(), began_ns, ended_ns, starved_s)
        self.ended.append(life)
        return life

    def end_in_order(self) -> None:
        """A life that is ended with SIGTERM. It recovers what the one before it left, in the index too."""
        with self._recorder() as process:
            self._await_keyframe(process, time.monotonic_ns())
            process.terminate()
            assert process.wait(END_TIMEOUT_S) == 0, self.log()
        assert not list(self.house.store.rglob("*.part")), self.log()
        assert not list(self.house.store.rglob("*.tail")), self.log()
        checked = self.house.nvr("check")
        assert checked.returncode == 0, checked.stdout + checked.stderr + self.log()

    def sent(self, life: Life, kind: str) -> list[Sent]:
        """What the camera had sent that recorder, from the first keyframe on."""
        return sent_between(self.camera, kind, life.began_ns, life.ended_ns)

    def segments(self, life: Life | None = None) -> list[StoredSegment]:
        """What is published, of one life or of all, in the order of sequence numbers."""
        found = sorted(self.house.segments(CAMERA), key=lambda one: one.name.sequence)
        if life is None:
            return found
        return [one for one in found if life.began_ms <= one.name.start_ms <= life.ended_ms]

    def found(self, life: Life) -> OpenedFootage | None:
        """All packets published of one life; None for nothing at all."""
        opened = [open_footage(self.house.store, one, self.identities) for one in self.segments(life)]
        if not opened:
            return None
        video = [packet for one in opened for packet in one.video]
        audio = [packet for one in opened for packet in one.audio]
        return OpenedFootage(opened[0].mark, video, audio)

    @property
    def identities(self) -> list[Identity]:
        """What opens the household's footage."""
        return footage_identities(str(self.house.key_file), self.house.store, [])

    def log(self) -> str:
        """What all these recorders said."""
        return self._log_file.read_text("utf-8")

    @property
    def _log_file(self) -> Path:
        return self.house.keys.parent / "recorders.log"

    @contextlib.contextmanager
    def _recorder(self) -> Iterator[subprocess.Popen[bytes]]:
        with self._log_file.open("ab") as log:
            process = subprocess.Popen(
                self.house.command("record", CAMERA),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _await_keyframe(self, process: subprocess.Popen[bytes], began_ns: int) -> None:
        came = self.camera.wait_until(
            lambda: process.poll() is not None or bool(sent_between(self.camera, "video", began_ns, 1 << 62)),
            START_TIMEOUT_S,
        )
        assert came and process.poll() is None, self.log()


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, seconds))


def _in_line_s(pid: int) -> float:
    """How long the threads of a process have been ready to run, but not run, in all (proc_pid_schedstat)."""
    waited_ns = [int(task.read_text().split()[1]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(waited_ns) / 1e9


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
