"""Whole programs, run to their end and timed: what a person waits for, and what the machine works for it."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.processes import MeasuringFailed

ROOT = Path(__file__).parents[1]
WORKED = "worked, CPU seconds: "  # what a measured program of ours prints at its end
_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: by the clock, and of CPU (user and system, children included)."""

    wall_s: float
    cpu_s: float
    worked_s: float
    """CPU seconds without starting, where the program says so; else all of them."""

    def __str__(self) -> str:
        return f"{self.cpu_s:.2f} s ({self.wall_s:.2f} s wall)"


def timed(command: Sequence[str | Path]) -> Took:
    """Runs it; nothing else may be run meanwhile. Fails when it does."""
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, cwd=ROOT, check=False)
    wall_s, after = time.monotonic() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise MeasuringFailed(f"{' '.join(map(str, command[:4]))} failed: {done.stderr.strip()[-500:]}")
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    _, worked, said_s = done.stdout.rpartition(WORKED)
    return Took(wall_s, cpu_s, float(said_s) if worked else cpu_s)


def in_turn(
    commands: Mapping[str, Sequence[str | Path]], rounds: int, outputs: Sequence[Path] = ()
) -> dict[str, Took]:
    """Each once, then each again: what disturbs, disturbs all. `outputs` are removed before each command.

    Medians of wall and CPU time.
    """
    found: dict[str, list[Took]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            for output in outputs:
                output.unlink(missing_ok=True)
            found[name].append(timed(command))
    return {
        name: Took(
            median(one.wall_s for one in all_),
            median(one.cpu_s for one in all_),
            median(one.worked_s for one in all_),
        )
        for name, all_ in found.items()
    }


def new_identity(file: Path) -> str:
    """Makes an identity by `age-keygen`; its recipient."""
    subprocess.run(["age-keygen", "-o", file], check=True, capture_output=True)
    done = subprocess.run(["age-keygen", "-y", file], check=True, capture_output=True, text=True)
    return done.stdout.strip()
