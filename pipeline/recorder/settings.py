"""What a recorder is told once, at its start. Changing anything means a new recorder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.source import SourceSettings


def always(_utc_ns: int) -> bool:
    """Record mode *continuous*."""
    return True


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """One camera: where its streams are, where its footage goes, and where the device keeps what it knows.

    `wanted` tells for a UTC instant (ns) whether footage is to be kept; the camera stays connected either
    way, so that it can be watched. To whom it is sealed, the household's manifest in the store says.
    """

    camera: str
    sources: Mapping[str, SourceSettings]
    store_root: Path
    run_dir: Path
    state_dir: Path
    wanted: Callable[[int], bool] = always
    flush_s: float = 2.0
    segment_s: float = 10.0
    backlog_bytes: int = (
        24 * 1024 * 1024
    )  # 20 s of two streams at 8 + 1 Mbit/s while the disk does not answer
    retry_pauses_s: tuple[float, ...] = (
        0.5,
        1,
        2,
        4,
    )  # the last one for ever: with five seconds of waiting in vain, back within 10 s of its return
    refused_pauses_s: tuple[float, ...] = (
        5,
        30,
        120,
        300,
    )  # for a wrong user or password: cameras lock an account for half an hour after some five tries in a row
