"""What the watcher is told once, at its start. Changing anything means a new watcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.event import Rules


def always(_utc_ns: int) -> bool:
    """No schedule."""
    return True


@dataclass(frozen=True, slots=True)
class SoundRule:
    """What counts as loud: so much above the camera's background, for so long."""

    above_db: float
    for_s: float


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """One camera: which streams its recorder has, what counts, and how long footage of an event is kept.

    `wanted` tells for a UTC instant (ns) whether the camera is to be looked at. `sound` None: it is not
    listened to.
    """

    name: str
    streams: tuple[str, ...] = ("main",)
    rules: Rules = field(default_factory=Rules)
    events_only: bool = False  # what no event touches is not kept: so it is noted what was looked at
    days: float = 30.0  # of all its footage: an event's is never kept for less
    keep_days: float = 60.0
    keep_days_by_label: Mapping[str, float] = field(default_factory=dict)
    sound: SoundRule | None = None
    wanted: Callable[[int], bool] = always


@dataclass(frozen=True, slots=True)
class WatcherSettings:
    """All cameras, the detector, and where everything lies. `model` None: the one that comes along."""

    cameras: tuple[CameraSettings, ...]
    store_root: Path
    state_dir: Path
    run_dir: Path
    model: Path | None = None
    labels_file: Path | None = None
    threads: int = 1
