"""What a dashboard is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DashboardPlan:
    """`store_root` is only read. `state_dir` is where the household last accepted is remembered.

    `run_dir` has the recorders' reports. `cameras` are configured now; the store may have footage of others.
    """

    store_root: Path
    state_dir: Path
    run_dir: Path
    cameras: tuple[str, ...]
