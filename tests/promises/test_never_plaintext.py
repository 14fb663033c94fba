"""Promise 1: no frame, no sound and no camera's password reaches a disk, while real cameras are recorded.

Canaries are taken from the packets as they pass by on the taps. Everything is searched for them that the
processes of `nvr run` write: configuration, store, index, run-time directory, logs, home, temporary folder,
/dev/shm, and whatever else they hold open, during the run and after it. With sealing switched off the same
search finds them.
"""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from pipeline.health import State, read_report
from pipeline.model import Packet, StreamInfo
from pipeline.tap import TapClient
from pipeline.wire import Hello
from tests.support.canaries import (
    Canary,
    Finding,
    family,
    files_below,
    footage_canaries,
    open_files,
    password_canaries,
    search,
)
from tests.support.faulty import FaultyCamera, faulty_camera
from tests.support.footage import clip
from tests.support.household import Household, make_household, until
from tests.support.mjpeg import mjpeg_camera
from tests.support.rtsp import Login

UNSEALED = Path(__file__).parents[1] / "support" / "unsealed"
USER = "eye"
PASSWORDS = {"front": "Grüße+42/batterie horse", "porch": "k0nn &%staple?#:@x"}
WATCHED_S = 4.0  # of every camera: some hundred packets
SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Scene:
    """A household that records three cameras, and where all its processes write."""

    house: Household
    place: Path
    front: FaultyCamera
    process: subprocess.Popen[bytes]

    @property
    def pids(self) -> list[int]:
        """The supervisor, the recorders, and what they started."""
        return family(self.process.pid)

    def records(self, camera: str) -> bool:
        """Whether a recorder says that it does."""
        report = read_report(self.house.run_dir, camera)
        return report is not None and report.streams["main"].state is State.RECORDING

    def written(self) -> dict[str, bytes]:
        """All files, those that no name leads to any more included."""
        files = files_below(self.place)
        for pid in self.pids:
            files |= open_files(pid)
        return files


@contextmanager
def recording(place: Path, *python_path: str) -> Iterator[Scene]:
    """`nvr run` with H.264 and AAC, H.265 and G.711, and JPEG pictures that a process of its own encodes."""
    with ExitStack() as stack:
        front = stack.enter_context(
            faulty_camera({"main": clip(audio="aac")}, login=Login(USER, PASSWORDS["front"], "basic"))
        )
        yard = stack.enter_context(faulty_camera({"main": clip("h265", audio="pcma")}))
        porch = stack.enter_context(mjpeg_camera(fps=10, login=Login(USER, PASSWORDS["porch"], "basic")))
        house = make_household(place)
        house.add("front", url=front.url("main"), user=USER, password=PASSWORDS["front"])
        house.add("yard", url=yard.url("main"))
        house.add("porch", url=porch.url(USER, PASSWORDS["porch"]))
        process = stack.enter_context(_running(house, place, *python_path))
        yield Scene(house, place, front, process)


@contextmanager
def _running(house: Household, place: Path, *python_path: str) -> Iterator[subprocess.Popen[bytes]]:
    folders = {name: place / name for name in ("home", "tmp", "cwd")}
    for folder in folders.values():
        folder.mkdir()
    environment = os.environ | {
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["tmp"]),
        "NVR_LOG": "DEBUG",
    }
    environment |= {"PYTHONPATH": ":".join(python_path)}
    with (place / "run.log").open("wb") as log:
        process = subprocess.Popen(
            house.command("run"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folders["cwd"],
            env=environment,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        finally:
            process.kill()
            process.wait()


def watch(scene: Scene, camera: str) -> list[Canary]:
    """Canaries of what a camera sends, taken from its tap."""
    socket = scene.house.run_dir / f"{camera}.main.tap"
    until(socket.exists)
    until(lambda: scene.records(camera), why=(scene.place / "run.log").read_text)
    info: StreamInfo | None = None
    packets: list[Packet] = []
    client = TapClient(socket, timeout_s=10)
    end_s = time.monotonic() + WATCHED_S
    for message in client:
        if isinstance(message, Hello):
            info = message.info
        elif isinstance(message, Packet):
            packets.append(message)
        if time.monotonic() > end_s:
            break
    client.close()
    assert info is not None
    kinds = {packet.kind for packet in packets}
    assert len(kinds) == (2 if info.audio else 1)
    return footage_canaries(info, [*packets[:10], *packets[10::7]])


def talk_of_it(scene: Scene) -> None:
    """Lets things go wrong and be told: a refused password, a broken connection, every command that shows."""
    scene.front.require(Login(USER, "another", "basic"))
    scene.front.reset()
    until(lambda: not scene.records("front"))
    for words in (["status"], ["list"], ["camera", "list"], ["camera", "test", "front"], ["record", "porch"]):
        said = scene.house.nvr(*words)
        name = f"{'-'.join(words)}.said"
        (scene.place / name).write_text(said.stdout + said.stderr)
    scene.front.require(Login(USER, PASSWORDS["front"], "basic"))
    until(lambda: scene.records("front"), timeout_s=120)  # a camera that refuses is tried ever more seldom


def passwords() -> list[Canary]:
    return [canary for word in PASSWORDS.values() for canary in password_canaries(USER, word)]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nothing_that_is_written_holds_footage_or_a_password(tmp_path: Path) -> None:
    shared = files_below(SHARED_MEMORY)
    with recording(tmp_path) as scene:
        canaries = [canary for camera in ("front", "yard", "porch") for canary in watch(scene, camera)]
        assert {canary.what for canary in canaries} == {"parameter sets", "keyframe", "video", "audio"}
        canaries += passwords()
        found = _search(scene, scene.written(), canaries)
        talk_of_it(scene)
        found += _search(scene, scene.written(), canaries)
        found += search({k: v for k, v in files_below(SHARED_MEMORY).items() if k not in shared}, canaries)
        scene.process.send_signal(signal.SIGTERM)
        assert scene.process.wait(15) == 0
        found += _search(scene, files_below(tmp_path), canaries)
        published = {camera: len(scene.house.segments(camera)) for camera in ("front", "yard", "porch")}
    assert all(published.values()), published
    assert found == []


def _search(scene: Scene, files: dict[str, bytes], canaries: list[Canary]) -> list[Finding]:
    """The configuration holds passwords: it is the only place, and nobody else may read it."""
    assert scene.house.config.stat().st_mode & 0o077 == 0
    config = {place: content for place, content in files.items() if place == str(scene.house.config)}
    assert {finding.what for finding in search(config, canaries)} == {"password"}
    return search({place: files[place] for place in files.keys() - config.keys()}, canaries)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_search_finds_footage_when_sealing_is_switched_off(tmp_path: Path) -> None:
    with recording(tmp_path, str(UNSEALED)) as scene:
        canaries = [canary for camera in ("front", "yard", "porch") for canary in watch(scene, camera)]
        during = search(scene.written(), canaries)
        scene.process.send_signal(signal.SIGTERM)
        assert scene.process.wait(15) == 0
        after = search(files_below(tmp_path), canaries)
    kinds = {"parameter sets", "keyframe", "video", "audio"}
    assert {finding.what for finding in during} == kinds
    assert [finding for finding in during if finding.place.endswith(".part")]
    assert [finding for finding in during if finding.place.endswith(".tail")]
    assert [finding for finding in during if "/fd/" in finding.place]
    assert {finding.what for finding in after if finding.place.endswith(".mp4.age")} == kinds


@pytest.mark.parametrize("camera", PASSWORDS)
def test_the_search_finds_every_form_of_a_password(camera: str, tmp_path: Path) -> None:
    word = PASSWORDS[camera]
    for n, text in enumerate(
        [
            f"said: {word}!",
            f"rtsp://{USER}:{quote(word, safe='')}@host/",
            base64.b64encode(f"{USER}:{word}".encode()).decode(),
            base64.b64encode(f"user={word}&".encode()).decode(),
            repr({"password": word}),
        ]
    ):
        (tmp_path / f"{n}.log").write_text(text)
    found = search(files_below(tmp_path), password_canaries(USER, word))
    assert len({finding.place for finding in found}) == 5
