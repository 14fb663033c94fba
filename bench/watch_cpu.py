"""What looking costs: CPU of a watcher for one camera, beside the usual way, and its memory with eight.

All cameras and the usual way run at the same time, on taps that play clips: the kernel counts CPU time,
whatever else the machine does. Recording is not in these figures.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import watch_memory
from bench.processes import all_running, children, cpu_per_minute
from bench.scale import Scale
from bench.scene import Place
from bench.table import Findings, Goal, Row
from bench.watch_played import clip_of, lessons, taps, until
from pipeline.watcher.eye import Eye, EyeSettings, Mode

_LEAST_TIMES = 8


@dataclass(frozen=True, slots=True)
class _Watched:
    """One camera under measurement: what moves, which stream is looked at, whether the gate has learnt."""

    what: str
    scene: str
    stream: str
    learnt: bool = False
    goal: Goal | None = None

    @property
    def name(self) -> str:
        """Also of its tap."""
        return f"{self.scene}-{self.stream}{'-learnt' if self.learnt else ''}"


_STILL_SUB = _Watched("still scene, with a sub stream", "still", "sub", goal=Goal("≤", 0.8, "s"))
_STILL_MAIN = _Watched("still scene, without", "still", "main", goal=Goal("≤", 0.65, "s"))
_WATCHED = (
    _STILL_SUB,
    _STILL_MAIN,
    _Watched("the same with a gate that has learnt, with", "still", "sub", True, Goal("≤", 0.2, "s")),
    _Watched("the same with a gate that has learnt, without", "still", "main", True, Goal("≤", 0.2, "s")),
    _Watched("people cross half of the time, with a sub stream", "passing", "sub"),
    _Watched("people cross half of the time, without", "passing", "main"),
)


def measure(scale: Scale, place: Place) -> Findings:
    """CPU, the gate's choice, memory."""
    rows = [*_cpu(scale, place), *_gates(scale), *watch_memory.rows(place)]
    return Findings(
        rows,
        [
            "Watching: 1080p30 and 640x360 at 25 fps from clips, CPU seconds of a camera-minute with motion, "
            "detector and tracks in them. Alternative: ffmpeg decodes all of the clip, 5 frames a second "
            "are scaled to 300x300, and their difference is taken.",
            f"The gate's choice after {scale.gate_s:.0f} s in which people cross half of the time; asleep "
            "is when only a keyframe in about 5 s is decoded.",
        ],
    )


def _cpu(scale: Scale, place: Place) -> Iterator[Row]:
    run_dir = place.memory
    clips = {f"{one.name}.{one.stream}": clip_of(one.scene, one.stream) for one in _WATCHED}
    commands = {one.name: _watching(one, run_dir, place.disk) for one in _WATCHED}
    usual = {f"usual-{stream}": clip_of("still", stream) for stream in ("main", "sub")}
    for name, clip in usual.items():
        commands[name] = [sys.executable, "-m", "bench.usual_way", str(clip)]
    with taps(run_dir, clips, place.disk), all_running(commands, place.disk) as pids:
        until(lambda: all((run_dir / f"{one.name}.looks").exists() for one in _WATCHED))
        time.sleep(scale.settle_s)
        pids |= {f"{name}+": child for name in usual for child in children(pids[name])}
        taken = cpu_per_minute(pids, scale.watch_s)
    others = {stream: taken[f"usual-{stream}"] + taken[f"usual-{stream}+"] for stream in ("main", "sub")}
    yield from (_cpu_row(one, taken[one.name], others) for one in _WATCHED)
    ratio = others["main"] / taken[_STILL_MAIN.name]
    less = f"{taken[_STILL_MAIN.name]:.2f} s"
    at_least = Goal("≥", _LEAST_TIMES, "×")
    yield Row(
        "so many times less than the usual way, still",
        less,
        f"{others['main']:.2f} s",
        ratio,
        at_least,
        ratio,
    )


def _cpu_row(one: _Watched, taken: float, others: Mapping[str, float]) -> Row:
    still = one.scene == "still"
    usual = f"{others['main']:.2f} s" + (
        f", of the sub stream {others['sub']:.2f} s" if one.stream == "sub" else ""
    )
    return Row(
        f"watch, CPU per camera-minute: {one.what}",
        f"{taken:.2f} s",
        usual if still else "–",
        taken / others["main"] if still else None,
        one.goal,
        taken,
    )


def _watching(one: _Watched, run_dir: Path, state_dir: Path) -> list[str]:
    command = [sys.executable, "-m", "bench.watch_one", str(run_dir), str(state_dir), one.name, one.stream]
    return [*command, "learnt"] if one.learnt else command


def _gates(scale: Scale) -> Iterator[Row]:
    """What the gate makes of each kind of camera, at the end of what it has seen."""
    for rate in ("variable", "constant"):
        for stream in ("sub", "main"):
            eye = Eye(EyeSettings(is_sub=stream == "sub"))
            modes: Counter[Mode] = Counter()
            for message in lessons(stream, rate, scale.gate_s, time.time_ns()):
                deque(eye.take(message), 0)
                modes[eye.report().mode] += 1
            asleep = modes[Mode.ASLEEP] / modes.total()
            yield Row(
                f"gate's choice: {rate} bit rate, {'with' if stream == 'sub' else 'without'} a sub stream",
                f"asleep {asleep:.0%}; {eye.report().why}",
            )
