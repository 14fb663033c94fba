"""What recording is measured on: real cameras on loopback, households as a user has them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.processes import MeasuringFailed
from pipeline.health import CameraReport, read_report
from tests.support.footage import benchmark_clip, clip
from tests.support.household import Household, make_household

FFMPEG = ("ffmpeg", "-v", "error", "-nostdin", "-rtsp_transport", "tcp", "-i")
COPYING = ("-c", "copy", "-f", "segment", "-segment_time", "10", "-reset_timestamps", "1")
_MEMORY = Path("/dev/shm")  # noqa: S108 - directories of our own are made in it


class Cameras:
    """A server of `/main` (1080p30, 4 Mbit/s, AAC) and `/sub` (360p25, 1 Mbit/s, AAC), for any number."""

    def __init__(self, process: subprocess.Popen[str], base_url: str) -> None:
        self._process, self._base_url = process, base_url
        self.skipped = -1
        """Access units that a recorder did not take in time; known after the block."""

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def url(self, stream: str = "main") -> str:
        """The address of a stream."""
        return self._base_url + stream

    def end(self) -> None:
        """Stops serving and reads what it counted."""
        self._process.terminate()
        said, _ = self._process.communicate(timeout=30)
        self.skipped = json.loads(said.strip().splitlines()[-1])["skipped"]


@contextmanager
def cameras() -> Iterator[Cameras]:
    """Serves until the block ends, in a process of its own."""
    clips = ("--clip", str(benchmark_clip()), "--sub", str(clip(audio="aac", gop_s=2.0)))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.faulty", *clips], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    ready, _, url = process.stdout.readline().strip().partition(" ")
    if ready != "ready":
        raise MeasuringFailed("the camera server did not start")
    served = Cameras(process, url.removesuffix("main"))
    try:
        yield served
    finally:
        served.end()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a section works: on a disk, and in memory for what is in memory in real life too."""

    disk: Path
    memory: Path


@contextmanager
def working_place(disk: Path) -> Iterator[Place]:
    """Two new directories, removed afterwards."""
    disk.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-", dir=disk) as on_disk,
        tempfile.TemporaryDirectory(prefix="sealed-nvr-bench-", dir=_MEMORY) as in_memory,
    ):
        yield Place(Path(on_disk), Path(in_memory))


def household(disk: Path, memory: Path, *, watched: bool = False) -> Household:
    """A household on `disk`, by `nvr init`, whose run-time directory is in memory as systemd's is."""
    disk.mkdir(exist_ok=True)
    made = make_household(disk, watched=watched)
    run_dir = memory / "run"
    text = made.config.read_text("utf-8").replace(str(made.run_dir), str(run_dir))
    made.config.write_text(text, "utf-8")
    return replace(made, run_dir=run_dir)


def report(house: Household, camera: str) -> CameraReport:
    """What the camera's recorder says. Fails when it records nothing or has lost anything."""
    found = read_report(house.run_dir, camera)
    if found is None:
        raise MeasuringFailed(f"{camera} has no recorder")
    for name, stream in found.streams.items():
        if stream.state != "recording" or stream.reconnects:
            raise MeasuringFailed(f"{camera}/{name} is {stream.state}, {stream.reconnects} reconnects")
    return found


def until_recording(house: Household, names: Sequence[str], timeout_s: float = 60) -> None:
    """Waits for all of them. Fails when one does not begin."""
    end_s = time.monotonic() + timeout_s
    while True:
        try:
            for name in names:
                report(house, name)
        except MeasuringFailed:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.1)
        else:
            return
