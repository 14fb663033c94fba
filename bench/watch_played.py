"""The clips that watching is measured on, played as taps by a process of their own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.looped import messages
from bench.processes import MeasuringFailed, all_running
from pipeline.wire import Message
from tests.support.scenes import Rate, passing_scene, still_scene

MAIN, SUB = "1920x1080", "640x360"
_STARTING_S = 300.0
_TURN_S = 18.0  # of the clip where people pass: afterwards there are only feet at its edge
_NS = 1_000_000_000


def clip_of(scene: str, stream: str, rate: Rate = "variable") -> Path:
    """Of a `still` or `passing` scene, as the `main` or `sub` stream; made once."""
    size, fps = (MAIN, 30) if stream == "main" else (SUB, 25)
    return still_scene(size, rate, fps=fps) if scene == "still" else passing_scene(size, rate, fps=fps)


def lessons(stream: str, rate: Rate, seconds: float, utc_ns: int, arrived_ns: int = 0) -> Iterator[Message]:
    """People pass and nothing moves, in turns, from that instant on: what a gate learns from."""
    for turn in range(round(seconds / _TURN_S)):
        passed_ns = round(turn * _TURN_S * _NS)
        clip = clip_of("still" if turn % 2 else "passing", stream, rate)
        yield from messages(clip, _TURN_S, utc_ns + passed_ns, arrived_ns + passed_ns)


@contextmanager
def taps(run_dir: Path, clips: Mapping[str, Path], logs: Path) -> Iterator[None]:
    """The taps `NAME.tap` in a directory, until the block ends."""
    pairs = [f"{name}={clip}" for name, clip in clips.items()]
    command = [sys.executable, "-m", "bench.watch_taps", str(run_dir), *pairs]
    with all_running({"taps": command}, logs):
        until(lambda: all((run_dir / f"{name}.tap").exists() for name in clips))
        yield


def until(reached: Callable[[], bool]) -> None:
    """Waits for what another process brings about. Raises MeasuringFailed when it does not."""
    end_s = time.monotonic() + _STARTING_S
    while not reached():
        if time.monotonic() > end_s:
            raise MeasuringFailed("the watcher did not begin")
        time.sleep(0.2)
