"""Recording one camera, beside `ffmpeg -c copy`, which seals nothing: at the same time, from one server.

Everything a recorder does is in its figure: receiving, cutting, sealing, tail log, flushes, index, tap.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.processes import Memory, all_running, cpu_per_minute, cpu_s, memory, private_memory_by_kind
from bench.scale import Scale
from bench.scene import COPYING, FFMPEG, Cameras, Place, cameras, household, report, until_recording
from bench.table import Findings, Goal, Row
from tests.support.household import Household

_RECORDERS = ("plain", "watched", "both")


@dataclass(frozen=True, slots=True)
class _Round:
    """CPU seconds of each process: in its first `first_s` seconds, and per minute from then on."""

    first: Mapping[str, float]
    first_s: float
    per_minute: Mapping[str, float]
    memory: Memory
    holders: Mapping[str, float]


def measure(scale: Scale, place: Place) -> Findings:
    """`scale.record_rounds` rounds; medians."""
    house = household(place.disk, place.memory)
    with cameras() as served:
        for name in _RECORDERS:
            sub = {"sub": served.url("sub")} if name == "both" else {}
            house.add(name, url=served.url(), **sub)
        rounds = [_round(scale, house, served, place.disk, number) for number in range(scale.record_rounds)]
    return Findings(_rows(rounds), _notes(rounds))


def _round(scale: Scale, house: Household, served: Cameras, disk: Path, number: int) -> _Round:
    folder = disk / f"ffmpeg-{number}"
    folder.mkdir()
    tap = house.run_dir / "watched.main.tap"
    commands = {name: house.command("record", name) for name in _RECORDERS}
    commands["ffmpeg"] = [*FFMPEG, served.url(), *COPYING, str(folder / "%05d.mp4")]
    commands["tap reader"] = [sys.executable, "-m", "bench.tap_reader", str(tap)]
    with all_running(commands, disk) as pids:
        began_s = time.monotonic()
        until_recording(house, _RECORDERS)
        time.sleep(scale.settle_s)
        first = {name: cpu_s(pid) for name, pid in pids.items()}
        first_s = time.monotonic() - began_s
        per_minute = cpu_per_minute(pids, scale.record_s)
        for name in _RECORDERS:
            report(house, name)
        return _Round(first, first_s, per_minute, memory(pids["both"]), private_memory_by_kind(pids["both"]))


def _rows(rounds: Sequence[_Round]) -> list[Row]:
    def steady(name: str) -> float:
        return median(one.per_minute[name] for one in rounds)

    def against_ffmpeg(name: str) -> float:
        return median(one.per_minute[name] / one.per_minute["ffmpeg"] for one in rounds)

    def starting(name: str) -> float:
        return median(one.first[name] - one.per_minute[name] * one.first_s / 60 for one in rounds)

    ffmpeg = f"{steady('ffmpeg'):.2f} s, ffmpeg -c copy"
    single, watched = against_ffmpeg("plain"), against_ffmpeg("watched")
    rss, pss = (median(getattr(one.memory, kind) for one in rounds) for kind in ("rss", "pss"))
    return [
        Row(
            "record + seal 1080p30 4 Mbit/s + AAC: CPU per camera-minute",
            f"{steady('plain'):.2f} s",
            ffmpeg,
            single,
            Goal("≤", 1.25, "×"),
            single,
        ),
        Row("the same, while somebody watches (tap)", f"{steady('watched'):.2f} s", ffmpeg, watched),
        Row("the same, with the sub stream", f"{steady('both'):.2f} s"),
        Row("starting a recorder: CPU", f"{starting('plain'):.2f} s", f"{starting('ffmpeg'):.2f} s, ffmpeg"),
        Row("memory of a recorder, main + sub: RSS", f"{rss:.0f} MB", goal=Goal("≤", 85, "MB"), figure=rss),
        Row("memory of a recorder, main + sub: PSS", f"{pss:.0f} MB", goal=Goal("≤", 45, "MB"), figure=pss),
    ]


def _notes(rounds: Sequence[_Round]) -> list[str]:
    last = rounds[-1]
    held = ", ".join(f"{what} {size:.0f}" for what, size in last.holders.items() if size >= 0.5)
    spread = ", ".join(f"{one.per_minute['plain'] / one.per_minute['ffmpeg']:.2f}" for one in rounds)
    return [
        f"Recording: {len(rounds)} rounds of all processes at once, medians; ratios {spread}.",
        f"Of the recorder's memory, only its own (MB): {held}. "
        "Three recorders and the server shared the rest when PSS was taken.",
    ]
