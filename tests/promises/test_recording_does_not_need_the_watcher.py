"""Promises 1 and 5, with somebody looking: recording goes on whatever becomes of the watcher, recorders stay
small, and nothing of an event is written unsealed: no piece of a thumbnail or record, and no label anywhere.

One household for all of it: a camera without and one with a sub stream, both showing the street.
`NVR_KILLS_S=120` kills for two minutes instead of half a one.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.health import read_report
from pipeline.names import INDEX
from tests.support.canaries import Canary, content_canaries, family, files_below, open_files, search
from tests.support.footage import clip
from tests.support.household import make_household, until
from tests.support.watching import Scene, mapped

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
UNSEALED = Path(__file__).parents[1] / "support" / "unsealed"
KILLS_S = float(os.environ.get("NVR_KILLS_S", "30"))
KILL_EVERY_S = 5.0
CAMERAS = ("street", "yard")
LABELS = ("person", "bicycle", "vehicle")  # long enough that chance does not write them into a sealed file


@contextlib.contextmanager
def looked_at(place: Path) -> Iterator[Scene]:
    house = make_household(place, watched=True)
    house.add_street("street")
    house.add("yard", url=clip(size="1280x720").as_uri(), sub=clip().as_uri())
    with house.running() as run:
        scene = Scene(house, run)
        until(lambda: all(scene.records(camera) for camera in CAMERAS), 60, run.log)
        yield scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """From the first events of both cameras on."""
    before = os.environ.get("NVR_LOG")
    os.environ["NVR_LOG"] = "DEBUG"
    try:
        with looked_at(tmp_path_factory.mktemp("looked-at")) as scene:
            yield scene
    finally:
        os.environ.pop("NVR_LOG") if before is None else os.environ.update(NVR_LOG=before)


def test_nothing_of_an_event_is_written_unsealed(scene: Scene) -> None:
    canaries = event_canaries(scene)
    assert {canary.what for canary in canaries} == {"record", "thumbnail"}
    for words in (["status"], ["status", "--json"], ["list"]):
        said = scene.house.nvr(*words)
        (scene.house.directory / f"{'-'.join(words)}.said").write_text(said.stdout + said.stderr)
    files = everything_written(scene)
    assert search(files, canaries) == []
    del files[str(scene.house.config)]  # settings may name labels: what is looked for, not what was found
    assert search(files, [Canary("label", label.encode()) for label in LABELS]) == []
    texts = {
        place: text for place, text in files.items() if not re.search(r"\.(age|part|tail|sqlite)", place)
    }
    assert [place for place, text in texts.items() if re.search(rb"\b(car|dog|cat)\b", text)] == []
    assert [place for place in files if re.search("|".join((*LABELS, r"\bcar\b")), place)] == []
    assert not re.search("|".join((*LABELS, r"\bcar\b")), index_texts(scene))


def test_only_the_watcher_loads_what_looking_needs(scene: Scene) -> None:
    until(scene.watcher)
    for camera in CAMERAS:
        assert mapped(scene.recorder(camera)) == set()
    assert mapped(scene.run.process.pid) == set()
    assert mapped(scene.watcher()) >= {"numpy", "cv2", "litert"}


def test_a_killed_watcher_leaves_no_gap(scene: Scene) -> None:
    recorders = {camera: scene.recorder(camera) for camera in CAMERAS}
    end_s = time.monotonic() + KILLS_S
    kills = 0
    while time.monotonic() < end_s:
        if watcher := scene.watcher():
            os.kill(watcher, signal.SIGKILL)
            kills += 1
        time.sleep(KILL_EVERY_S)
    assert kills > 1
    assert {camera: scene.recorder(camera) for camera in CAMERAS} == recorders
    for camera in CAMERAS:
        until(partial(is_recorded_lately, scene, camera))
        assert gaps(scene, camera) == []
    ended = scene.house.json("status")["watch"]["ended"]
    assert (ended["count"], ended["how"]) == (kills, "SIGKILL")
    until(scene.report, 60, scene.run.log)


def test_a_frozen_watcher_is_told_from_one_that_looks(scene: Scene) -> None:
    until(lambda: (report := scene.report()) and report.cameras, 60, scene.run.log)
    watcher = scene.watcher()
    os.kill(watcher, signal.SIGSTOP)
    try:
        before_ms = scene.recorded_ms("street")
        until(lambda: scene.house.json("status")["watch"]["silent"], 30)
        assert "the watcher has said nothing for" in scene.house.nvr("status").stdout
        until(lambda: scene.recorded_ms("street") > before_ms)
    finally:
        os.kill(watcher, signal.SIGCONT)
    until(lambda: not scene.house.json("status")["watch"]["silent"])


def test_a_model_that_is_garbage_is_said_and_stops_nothing(scene: Scene) -> None:
    recorders = {camera: scene.recorder(camera) for camera in CAMERAS}
    good = scene.house.config.read_text()
    (scene.house.directory / "mine.tflite").write_bytes(os.urandom(4096))
    (scene.house.directory / "mine.txt").write_text("goat\n")
    changed = '\n[detect]\nmodel = "mine.tflite"\nlabels_file = "mine.txt"\n'
    scene.house.config.write_text(good + changed)
    scene.run.process.send_signal(signal.SIGHUP)
    until(lambda: scene.house.json("status")["watch"]["problem"], 30, scene.run.log)
    said = scene.house.nvr("status").stdout
    assert "Looking: " in said
    assert "mine.tflite" in said
    assert "Traceback" not in scene.run.log()
    scene.house.config.write_text(good)
    scene.run.process.send_signal(signal.SIGHUP)
    until(lambda: (report := scene.report()) and not report.problem and report.cameras, 30, scene.run.log)
    assert {camera: scene.recorder(camera) for camera in CAMERAS} == recorders
    assert [gap for camera in CAMERAS for gap in gaps(scene, camera)] == []


def test_the_search_finds_events_when_sealing_is_switched_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_household(tmp_path, watched=True)
    house.add_street("street")
    monkeypatch.setenv("PYTHONPATH", str(UNSEALED))
    with house.running() as run:
        until(lambda: list(house.store.rglob("*.json.age.part")), 60, run.log)
        until(lambda: list(house.store.rglob("*.jpg.age.part")), 60, run.log)
    found = search(
        files_below(house.store), [Canary("record", b'"objects":[{'), Canary("mark", b"sealed-nvr/thumb/v1")]
    )
    assert {finding.what for finding in found} == {"record", "mark"}


def is_recorded_lately(scene: Scene, camera: str) -> bool:
    """Whether footage of the last seconds is published: a segment takes ten."""
    return scene.recorded_ms(camera) > time.time_ns() // 1_000_000 - 11_000


def event_canaries(scene: Scene) -> list[Canary]:
    """Pieces of what was seen, of every record and thumbnail that there is now. A time of today with its name
    before it is none: certificates in the clear have such, too.
    """
    records = [seen_in(one.plaintext) for one in scene.kept(".json.age")]
    found = [canary for record in records for canary in content_canaries("record", record, 61)]
    found = [canary for canary in found if b'_ms":' not in canary.data]
    for one in scene.kept(".jpg.age"):
        found += content_canaries("thumbnail", one.plaintext)
    return found


def seen_in(record: bytes) -> bytes:
    """Of a record what no name and no report says: its objects and its picture."""
    return record[record.index(b'"objects"') : record.index(b'"sequence"')]


def everything_written(scene: Scene) -> dict[str, bytes]:
    """All files of the household, and what its processes hold open but for the clips that cameras play."""
    files = files_below(scene.house.directory.parent)
    for pid in family(scene.run.process.pid):
        with contextlib.suppress(OSError):
            files |= open_files(pid)
    return {place: content for place, content in files.items() if not place.endswith(".mp4")}


def index_texts(scene: Scene) -> str:
    """Every value of every column, and the columns' names."""
    with contextlib.closing(sqlite3.connect(f"file:{scene.house.store / INDEX}?mode=ro", uri=True)) as index:
        tables = [row[0] for row in index.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in index.execute(f'SELECT * FROM "{table}"')]  # noqa: S608
        schema = index.execute("SELECT sql FROM sqlite_master").fetchall()
    return repr((rows, schema))


def gaps(scene: Scene, camera: str) -> list[str]:
    """Where a camera's footage does not go on, or the recorder lost anything."""
    report = read_report(scene.house.run_dir, camera)
    assert report is not None
    found = [f"lost in {name}" for name, one in report.streams.items() if one.lost_packets or one.reconnects]
    for stream in report.streams:
        names = sorted(
            (one.name for one in scene.house.segments(camera) if one.stream.stream == stream),
            key=lambda name: name.sequence,
        )
        assert len(names) > 1
        found += [
            f"{before} then {after}"
            for before, after in pairwise(names)
            if after.start_ms - before.end_ms > 1 or after.sequence != before.sequence + 1
        ]
    return found
