"""What a watcher of eight cameras takes of memory: the real process."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.processes import all_running, memory
from bench.scene import Place, household
from bench.table import Goal, Row
from bench.watch_played import clip_of, taps, until
from pipeline.watch_report import LookState, read_watch_report
from tests.support.household import Household

_CAMERAS = 8
_SETTLING_S = 20.0


def rows(place: Place) -> Iterator[Row]:
    """With sub streams, and with main streams only; people in all pictures, or in none."""
    for stream, without in (("sub", ""), ("main", "out")):
        for scene, whom in (("still", "nobody in any"), ("passing", "people in all of them, always")):
            yield _row(place, stream, scene, f"with{without} sub streams, {whom}")


def _row(place: Place, stream: str, scene: str, what: str) -> Row:
    rss = _rss_mb(place, stream, scene)
    return Row(
        f"memory of a watcher with {_CAMERAS} cameras, {what}: RSS",
        f"{rss:.0f} MB",
        goal=Goal("≤", 250, "MB"),
        figure=rss,
    )


def _rss_mb(place: Place, stream: str, scene: str) -> float:
    names = [f"camera{number}" for number in range(_CAMERAS)]
    folder = place.disk / f"watch-{stream}-{scene}"
    house = household(folder, place.memory / f"watch-{stream}-{scene}", watched=True)
    house.run_dir.mkdir(parents=True, exist_ok=True)
    for name in names:
        sub = {"sub": "rtsp://127.0.0.1:9/sub"} if stream == "sub" else {}
        house.add(name, url="rtsp://127.0.0.1:9/main", **sub)
    clips = {f"{name}.{stream}": clip_of(scene, stream) for name in names}
    watch = {"watch": house.command("watch")}
    with taps(house.run_dir, clips, folder), all_running(watch, folder) as pids:
        until(lambda: _looks(house))
        time.sleep(_SETTLING_S)
        return memory(pids["watch"]).rss


def _looks(house: Household) -> bool:
    """Whether it looks at all of them."""
    report = read_watch_report(house.run_dir)
    states = [one.state for one in report.cameras.values()] if report else []
    return len(states) == _CAMERAS and set(states) == {LookState.LOOKING}
