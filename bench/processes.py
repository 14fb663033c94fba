"""Processes under measurement: started, ended, and what the kernel says of them.

CPU seconds are user and system time, with those of children that have ended. The kernel gives them in
hundredths, whatever else the machine does meanwhile: so they can be compared where wall times cannot.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_END_S = 30.0
_FLUSHES_FIELD = 15  # Documentation/block/stat.rst
_MB = 1024 * 1024


class MeasuringFailed(Exception):
    """What was to be measured did not do its work: a figure would be wrong. The message says what."""


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process until the block ends, then SIGTERM. What it says goes to `log`."""
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def all_running(commands: Mapping[str, Sequence[str]], logs: Path) -> Iterator[dict[str, int]]:
    """Several at the same time; their process ids. Fails when one has ended before the block has."""
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(running(command, logs / f"{name}.log"))
            for name, command in commands.items()
        }
        yield {name: process.pid for name, process in started.items()}
        for name, process in started.items():
            if process.poll() is not None:
                said = (logs / f"{name}.log").read_text("utf-8", "replace")[-500:]
                raise MeasuringFailed(f"{name} ended early: {said}")


def cpu_s(pid: int) -> float:
    """CPU seconds since the process began."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / _TICKS_PER_S


def cpu_per_minute(pids: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Waits `seconds`; the CPU seconds that each process took of every minute of it."""
    began_s, before = time.monotonic(), {name: cpu_s(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    after, minutes = {name: cpu_s(pid) for name, pid in pids.items()}, (time.monotonic() - began_s) / 60
    return {name: (after[name] - before[name]) / minutes for name in pids}


def children(pid: int) -> list[int]:
    """The processes that it has started and that still live."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def device_flushes(path: Path) -> int:
    """Flushes that the block device under `path` has completed, whoever asked for them.

    0 where the kernel counts none, and on a device without a cache of its own, which is given none.
    """
    device = path.stat().st_dev
    counts = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    try:
        return int(counts.read_text("ascii").split()[_FLUSHES_FIELD])
    except (FileNotFoundError, IndexError):
        return 0


@dataclass(frozen=True, slots=True)
class Memory:
    """MB (1024²) of one process: resident, its share of it (PSS), and what it has alone."""

    rss: float
    pss: float
    private: float


def memory(pid: int) -> Memory:
    """What `smaps_rollup` says."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    found = {match[1]: int(match[2]) * 1024 / _MB for match in re.finditer(r"^(\w+): +(\d+) kB", text, re.M)}
    return Memory(found["Rss"], found["Pss"], found["Private_Clean"] + found["Private_Dirty"])


def private_memory_by_kind(pid: int) -> dict[str, float]:
    """MB that only this process has, by what holds them, largest first."""
    kinds: dict[str, float] = {}
    kind = ""
    for line in Path(f"/proc/{pid}/smaps").read_text("utf-8").splitlines():
        fields = line.split()
        if re.fullmatch(r"[0-9a-f]+-[0-9a-f]+", fields[0]):
            kind = _kind(fields[5] if len(fields) > 5 else "")
        elif fields[0] in ("Private_Clean:", "Private_Dirty:"):
            kinds[kind] = kinds.get(kind, 0.0) + int(fields[1]) * 1024 / _MB
    return dict(sorted(kinds.items(), key=lambda item: -item[1]))


def _kind(mapping: str) -> str:
    if mapping in ("[heap]", "") or mapping.startswith("[anon"):
        return "heap, Python objects and thread arenas"
    if mapping.startswith("[stack"):
        return "stack"
    if "/av.libs/" in mapping or "/site-packages/av/" in mapping:
        return "FFmpeg and PyAV"
    if "cryptography" in mapping:
        return "cryptography"
    return "Python and the system's libraries"
