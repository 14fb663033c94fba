"""Where the figures come from: a table without its machine says nothing."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("av", "cryptography")


def describe(now: datetime) -> str:
    """Date, processor, cores, kernel and versions, as Markdown."""
    cores = len(os.sched_getaffinity(0))
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    programs = f"ffmpeg {_ffmpeg_version()}, age {_said('age', '--version').lstrip('v')}"
    return (
        f"{now:%Y-%m-%d %H:%M}, {_processor()}, {cores} cores, {_memory_gb()} GB, "
        f"Linux {platform.release()}; Python {platform.python_version()}, {packages}; {programs}.\n"
    )


def load() -> float:
    """How many processes wanted to run in the last minute: above the cores, wall times say little."""
    return os.getloadavg()[0]


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def _ffmpeg_version() -> str:
    return _said("ffmpeg", "-version").removeprefix("ffmpeg version ").split(" ")[0]


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
