"""What `nvr list` and `nvr export` say of one stream, as a person or a program would ask for it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.household import Household


@dataclass(frozen=True, slots=True)
class Listed:
    """The runs and gaps of one stream, as in `nvr list --json`."""

    runs: list[dict[str, Any]]
    gaps: list[dict[str, Any]]

    @property
    def ended_gaps(self) -> list[dict[str, Any]]:
        """Those after which footage goes on."""
        return [gap for gap in self.gaps if gap["to_ms"] is not None]


def listed(house: Household, camera: str, stream: str = "main") -> Listed:
    """What there is of the last hour; nothing for a stream that was never recorded."""
    noun = house.json("list", "--from", "-1h", "--to", "now")
    for one in noun["streams"]:
        if (one["camera"], one["stream"]) == (camera, stream):
            return Listed(one["runs"], one["gaps"])
    return Listed([], [])


def recorded_ms(house: Household, camera: str, stream: str = "main") -> int:
    """How much footage is published."""
    return sum(run["to_ms"] - run["from_ms"] for run in listed(house, camera, stream).runs)


def at(utc_ms: int) -> str:
    """An instant as `--from` and `--to` take it."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).isoformat(timespec="milliseconds")


def export(
    house: Household, camera: str, from_ms: int, to_ms: int, out: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    """`nvr export` with the household's own key; not checked."""
    span = ("--from", at(from_ms), "--to", at(to_ms))
    identity = () if "--identity" in words else ("--identity", str(house.key_file))
    return house.nvr("export", "--camera", camera, *span, *identity, "-o", str(out), *words)
