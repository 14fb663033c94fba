"""Many cameras under a real `nvr run` on two cores: nothing lost, CPU in proportion, few flushes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.processes import all_running, children, cpu_per_minute, device_flushes, memory
from bench.scale import Scale
from bench.scene import Place, cameras, household, report, until_recording
from bench.table import Findings, Goal, Row
from tests.support.household import Household
from tests.support.mounts import MountError, ext4

_CORES = 2
_DISK_MB = 256  # and what the cameras bring while they start and are measured
_CAMERA_MB_S = 0.6
_STARTING_S = 30
_LINEAR = Goal("≤", 1.15, "×")


@dataclass(frozen=True, slots=True)
class _Watched:
    """What so many cameras cost: CPU seconds a minute, flushes a second, MB; and what was lost."""

    cameras: int
    recorders: float
    supervisor: float
    server: float
    flushes: float
    device_flushes: float
    lost: int
    skipped: int
    packets: int
    pss: float

    @property
    def each(self) -> float:
        """CPU seconds a camera-minute."""
        return self.recorders / self.cameras


def measure(scale: Scale, place: Place) -> Findings:
    """Each number of cameras in turn, then the most of them once more on a disk of its own."""
    with _two_cores():
        shared = [_watch(place, place.disk / str(n), n, _seconds(scale, n)) for n in scale.cameras]
        own = _on_own_disk(scale, place)
    most = shared[-1]
    others = ", ".join(f"{one.cameras}: {one.each:.2f} s" for one in shared[:-1])
    flushes = _flushes(own) if own else "needs root, to mount a disk"
    lost = most.lost + most.skipped + (own.lost + own.skipped if own else 0)
    growth = most.each / shared[0].each
    return Findings(
        [
            Row(
                f"{most.cameras} cameras on two cores, {_seconds(scale, most.cameras):.0f} s: packets lost",
                f"{lost} of {most.packets:,}",
                goal=Goal("≤", 0),
                figure=lost,
            ),
            Row(
                f"CPU per camera-minute with {most.cameras} cameras",
                f"{most.each:.2f} s",
                f"with {others}",
                growth,
                _LINEAR,
                growth,
            ),
            Row(f"flushes a second, {most.cameras} cameras, own disk", flushes),
            Row("the same, on a disk shared with the system and others", _flushes(most)),
            Row(f"memory of each of {most.cameras} recorders: PSS", f"{most.pss:.0f} MB"),
        ],
        [
            f"With {most.cameras} cameras, CPU seconds a minute: recorders {most.recorders:.1f}, supervisor "
            f"{most.supervisor:.1f}, and the cameras' server, on the same two cores, {most.server:.1f}."
        ],
    )


def _flushes(one: _Watched) -> str:
    return f"{one.flushes:.1f} asked for, {one.device_flushes:.1f} by the device"


def _seconds(scale: Scale, number: int) -> float:
    return scale.cameras_s if number == scale.cameras[-1] else scale.fewer_cameras_s


def _watch(place: Place, disk: Path, number: int, seconds: float) -> _Watched:
    names = [f"camera{n:02d}" for n in range(number)]
    house = household(disk, _new(place.memory / disk.name))
    with cameras() as served:
        for name in names:
            house.add(name, url=served.url())
        with all_running({"run": house.command("run")}, disk) as started:
            until_recording(house, names)
            time.sleep(5 if seconds > 10 else 1)
            observed = _observe(house, names, started["run"], served.pid, seconds)
    return replace(observed, skipped=served.skipped)


def _observe(
    house: Household, names: Sequence[str], supervisor: int, server: int, seconds: float
) -> _Watched:
    recorders = {str(pid): pid for pid in children(supervisor)}
    before = _counted(house, names)
    began_s, began_flushes = time.monotonic(), device_flushes(house.store)
    cpu = cpu_per_minute({**recorders, "supervisor": supervisor, "server": server}, seconds)
    device_flushes_since = device_flushes(house.store) - began_flushes
    seconds = time.monotonic() - began_s
    flushes, packets, lost = (b - a for a, b in zip(before, _counted(house, names), strict=True))
    return _Watched(
        len(names),
        sum(cpu[pid] for pid in recorders),
        cpu["supervisor"],
        cpu["server"],
        flushes / seconds,
        device_flushes_since / seconds,
        lost,
        0,
        packets,
        sum(memory(pid).pss for pid in recorders.values()) / len(names),
    )


def _counted(house: Household, names: Sequence[str]) -> tuple[int, int, int]:
    """Flushes, packets and lost packets of all cameras since they began."""
    reports = [report(house, name) for name in names]
    mains = [one.streams["main"] for one in reports]
    return (
        sum(one.flushes for one in reports),
        sum(one.packets for one in mains),
        sum(one.lost_packets for one in mains),
    )


def _on_own_disk(scale: Scale, place: Place) -> _Watched | None:
    number = scale.cameras[-1]
    size_mb = _DISK_MB + round(number * _CAMERA_MB_S * (scale.own_disk_s + _STARTING_S))
    try:
        with ext4(place.disk, size_mb) as disk:
            return _watch(place, disk.path / "own", number, scale.own_disk_s)
    except MountError:
        return None


def _new(directory: Path) -> Path:
    directory.mkdir()
    return directory


@contextmanager
def _two_cores() -> Iterator[None]:
    """This process and what it starts keep to two cores meanwhile."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(allowed)[:_CORES]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
