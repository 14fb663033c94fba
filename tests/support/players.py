"""ffprobe and ffmpeg as judges of an MP4: they must have nothing to say about it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Probed:
    """What ffprobe says of a file; times in seconds, `tags` as "video hvc1"."""

    start_s: float
    duration_s: float
    tags: tuple[str, ...]
    creation_time: str


def probe(path: Path) -> Probed:
    """Asserts that ffprobe warns of nothing, and returns what it found."""
    found = _probed(path, "-show_format", "-show_streams")
    streams = found["streams"]
    return Probed(
        float(found["format"]["start_time"]),
        float(found["format"]["duration"]),
        tuple(f"{s['codec_type']} {s['codec_tag_string']}" for s in streams),
        found["format"].get("tags", {}).get("creation_time", ""),
    )


def play(path: Path) -> None:
    """Asserts that ffmpeg decodes every frame without a warning."""
    _silent("ffmpeg", "-v", "warning", "-xerror", "-i", str(path), "-map", "0", "-f", "null", "-")


def packet_hashes(path: Path, selector: str) -> list[tuple[float, str]]:
    """Time shown (seconds) and SHA-256 of every packet of the track (`v:0`, `a:0`), in decode order."""
    found = _probed(path, "-select_streams", selector, "-show_packets", "-show_data_hash", "SHA256")
    return [(float(p["pts_time"]), p["data_hash"].removeprefix("SHA256:")) for p in found["packets"]]


def shown_frames(path: Path, selector: str = "v:0") -> list[float]:
    """The times (seconds) of the frames a player shows: edit lists applied, hidden frames left out."""
    found = _probed(path, "-select_streams", selector, "-show_frames", "-show_entries", "frame=pts_time")
    return [float(f["pts_time"]) for f in found["frames"]]


def _probed(path: Path, *wanted: str) -> Any:
    return json.loads(_silent("ffprobe", "-v", "warning", *wanted, "-of", "json", str(path)))


def _silent(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
