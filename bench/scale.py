"""How long and how large the measurements are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """What each section measures. Seconds are of steady state, after `settle_s`."""

    settle_s: float
    record_s: float
    record_rounds: int
    cameras: tuple[int, ...]
    """How many cameras run together, in turn; the last is the one whose packets must all arrive."""
    cameras_s: float
    fewer_cameras_s: float
    own_disk_s: float
    sealed_bytes: int
    sealing_rounds: int
    index_days: int
    rebuilt_segments: int
    export_s: int
    proof_s: int
    proof_segments: int
    watch_s: float = 60
    gate_s: float = 240
    inferences: int = 100
    inference_rounds: int = 5
    difficult_s: float = 600


FULL = Scale(5, 60, 3, (1, 4, 8, 16), 300, 60, 60, 1 << 30, 3, 30, 200_000, 3600, 2400, 259_200)
QUICK = Scale(5, 30, 1, (1, 16), 60, 30, 20, 256 << 20, 2, 30, 50_000, 600, 600, 20_000, 30, 120, 50, 3, 120)
TINY = Scale(0.5, 2, 1, (1, 2), 3, 2, 3, 2 << 20, 1, 1, 300, 20, 60, 100, 3, 10, 5, 1, 10)
"""Only shows that the measuring works: its figures mean nothing."""
