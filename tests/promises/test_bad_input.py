"""Whatever is wrong ends in its exit code and one clear sentence, and nothing recorded is lost by it.

What the cameras and the disk can do wrong is in `test_cameras` and `test_small_disk`; the settings one by one
in `tests/nvr/test_config`. Here everything is a real command on a household with real footage.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto.recipient import parse_recipient
from crypto.seal import seal_bytes
from nvr.errors import FAULT, RUNNING, USAGE, WRONG_IDENTITY
from pipeline.names import SegmentName, StoredSegment
from tests.support.faulty import FaultyCamera, faulty_camera
from tests.support.footage import clip
from tests.support.household import Household, make_household, until
from tests.support.listed import export
from tests.support.players import play
from tests.support.rehoused import copy_household
from tests.support.rtsp import Login

pytestmark = pytest.mark.slow

PASSWORD = "hunter2-under-the-mat"
HEADER_BYTES = 168
CHUNK_BYTES = 65_552


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """Four segments of two seconds from a camera whose clock jumps, and its small stream. Nothing runs."""
    house = make_household(tmp_path_factory.mktemp("recorded"))
    clips = {"main": clip(audio="aac", seconds=6), "sub": clip(size="320x180")}
    with faulty_camera(clips) as front:
        house.add("front", url=front.url("main"), sub=front.url("sub"))
        house.add("porch", url="rtsp://127.0.0.1:1/x", user="eye", password=PASSWORD)
        with house.running("record", "front") as run:
            until(lambda: run.log().count(": recording") == 2, why=run.log)
            for _ in range(3):
                sent = len(front.sent)
                assert front.wait_until(lambda sent=sent: len(front.sent) >= sent + 250)  # type: ignore[misc]
                front.jump(100)
            sent = len(front.sent)
            assert front.wait_until(lambda: len(front.sent) >= sent + 150)
    assert len(main_segments(house)) == 4
    return house


@pytest.fixture
def house(recorded: Household, tmp_path: Path) -> Household:
    """A copy to spoil."""
    return copy_household(recorded, tmp_path)


def main_segments(house: Household) -> list[StoredSegment]:
    """Those of `front/main`, in the order of recording."""
    found = [one for one in house.segments("front") if one.stream.stream == "main"]
    return sorted(found, key=lambda one: one.name.sequence)


def export_all(house: Household, out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Everything of `front/main`."""
    names = [one.name for one in main_segments(house)]
    return export(house, "front", names[0].start_ms, names[-1].end_ms, out, *words)


def assert_one_sentence(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """Ended so, with one line on standard error that says these words."""
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.rstrip().endswith((".", "?")), done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr + done.stdout


def digests(place: Path) -> dict[str, str]:
    """Every sealed file below, by what is in it."""
    return {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in place.rglob("*.age")
    }


def test_sound_footage_is_exported(house: Household, tmp_path: Path) -> None:
    """So that what follows fails for its reason alone."""
    done = export_all(house, tmp_path / "out.mp4")
    assert (done.returncode, done.stderr) == (0, "")
    play(tmp_path / "out.mp4")


def test_an_identity_of_another_household(house: Household, tmp_path: Path) -> None:
    other = make_household(tmp_path / "other")
    done = export_all(house, tmp_path / "out.mp4", "--identity", str(other.key_file))
    assert_one_sentence(done, WRONG_IDENTITY, "This key is not for this store")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("given", ["nothing-there.key", "config"])
def test_what_is_no_identity(house: Household, tmp_path: Path, given: str) -> None:
    given = str(house.config) if given == "config" else str(tmp_path / given)
    done = export_all(house, tmp_path / "out.mp4", "--identity", given)
    assert_one_sentence(done, USAGE, given)


@dataclass(frozen=True)
class Damage:
    """What happens to the second segment's file, and what is said of it."""

    name: str
    spoil: Callable[[Path], bytes]
    code: int
    words: str


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _chunks_swapped(path: Path) -> bytes:
    data = path.read_bytes()
    body = HEADER_BYTES + 16
    first, second = (data[body + n * CHUNK_BYTES : body + (n + 1) * CHUNK_BYTES] for n in range(2))
    assert len(second) == CHUNK_BYTES
    return data[:body] + second + first + data[body + 2 * CHUNK_BYTES :]


def _strangers(path: Path) -> bytes:
    return seal_bytes(path.read_bytes()[:1000], [parse_recipient(STRANGER)])


STRANGER = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"
DAMAGES = [
    Damage("not-an-age-file", lambda path: b"<html>" + path.read_bytes()[6:], FAULT, "is damaged"),
    Damage("damaged_header", lambda path: _flip(path.read_bytes(), 150), FAULT, "is damaged"),
    Damage("damaged_chunk", lambda path: _flip(path.read_bytes(), 100_000), FAULT, "is damaged"),
    Damage("swapped_chunks", _chunks_swapped, FAULT, "is damaged"),
    Damage("truncated_last_chunk", lambda path: path.read_bytes()[:-100], FAULT, "is damaged"),
    Damage("truncated_at_a_chunk", lambda path: path.read_bytes()[: 184 + CHUNK_BYTES], FAULT, "is damaged"),
    Damage("empty", lambda path: b"", FAULT, "is damaged"),
    Damage("a_strangers_file", _strangers, WRONG_IDENTITY, "is sealed to somebody else"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_damaged_segment_is_named_and_the_others_come_out(
    house: Household, tmp_path: Path, damage: Damage
) -> None:
    path = house.store / main_segments(house)[1].path
    path.write_bytes(damage.spoil(path))
    assert_refused_but_for_the_others(house, tmp_path, path, damage.code, damage.words)


def assert_refused_but_for_the_others(
    house: Household, place: Path, path: Path, code: int, words: str
) -> None:
    """An export names the file; with --keep-going the rest comes out clean; nothing is changed by either."""
    before = digests(house.store)
    done = export_all(house, place / "out.mp4")
    assert_one_sentence(done, code, str(path), words, "--keep-going")
    assert not (place / "out.mp4").exists()
    done = export_all(house, place / "rest.mp4", "--keep-going")
    assert done.returncode == 0, done.stderr
    assert f"Left out: {path}" in done.stderr
    play(place / "rest.mp4")
    assert digests(house.store) == before


def _other_camera(house: Household, second: StoredSegment) -> Path:
    target = house.store / second.path.replace("front/", "porch/")
    target.parent.mkdir(parents=True)
    (house.store / "porch" / "lock").touch()
    return target


@pytest.mark.parametrize("where", ["time", "sequence", "clock", "stream"])
def test_a_segment_under_another_name_is_refused(house: Household, tmp_path: Path, where: str) -> None:
    """The mark inside the seal says where it belongs."""
    first, second, *_ = main_segments(house)
    name = second.name
    path = house.store / second.path
    if where == "stream":
        small = next(one for one in house.segments("front") if one.stream.stream == "sub")
        shutil.copy(house.store / small.path, path)
    elif where == "sequence":
        shutil.copy(house.store / first.path, path)
    else:
        moved = SegmentName(
            name.start_ms + (where == "time"), name.duration_ms, name.sequence, where == "clock"
        )
        path = path.rename(path.with_name(str(moved)))
    assert_refused_but_for_the_others(house, tmp_path, path, FAULT, "was swapped: inside is")


def test_a_segment_under_another_cameras_name_is_refused(house: Household, tmp_path: Path) -> None:
    second = main_segments(house)[1]
    target = _other_camera(house, second)
    shutil.copy(house.store / second.path, target)
    done = export(house, "porch", second.name.start_ms, second.name.end_ms, tmp_path / "out.mp4")
    assert_one_sentence(done, FAULT, str(target), "was swapped: inside is segment 1 of front/main")


def test_a_segment_of_another_recorder_is_refused(house: Household, tmp_path: Path) -> None:
    marker = house.store / "store.json"
    device = marker.read_text().split('"device": "')[1][:32]
    marker.write_text(marker.read_text().replace(device, "0" * 32))
    done = export_all(house, tmp_path / "out.mp4")
    assert_one_sentence(done, FAULT, "of another recorder")


def test_a_damaged_store_file_is_said_and_nothing_is_touched(house: Household) -> None:
    (house.store / "store.json").write_text("{")
    before = digests(house.store)
    for words in (("run",), ("record", "front"), ("list",)):
        assert_one_sentence(house.nvr(*words), 4, "store.json is damaged")
    assert digests(house.store) == before


FAULTS = """
[store]
days = -1
flush = 3.0
[cameras.front]
url = "gopher://front"
password = 12345678
[cameras.Porch]
url = "rtsp://porch/1"
"""


@pytest.mark.parametrize("words", [("run",), ("record", "front"), ("list",), ("status",), ("camera", "list")])
def test_a_configuration_with_five_faults_has_all_of_them_named(
    house: Household, words: tuple[str, ...]
) -> None:
    house.config.write_text(FAULTS)
    done = house.nvr(*words)
    assert done.returncode == USAGE
    first, *faults = done.stderr.splitlines()
    assert "has 5 faults; nothing was started." in first
    places = [fault.split(": ")[0].strip().removeprefix(f"{house.config}:") for fault in faults]
    assert places == ["3", "4", "6", "7", "8"]
    for word in ("store.days", "did you mean flush_s?", "cameras.front.url", "password", "Porch"):
        assert word in done.stderr
    assert "12345678" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("setting", ["pasword", "passwort", "PASSWORD"])
def test_a_mistyped_password_setting_never_shows_its_value(house: Household, setting: str) -> None:
    house.add("gate", url="rtsp://127.0.0.1/1", **{setting: PASSWORD})
    done = house.nvr("run")
    assert done.returncode == USAGE
    assert f"cameras.gate.{setting} is not a setting" in done.stderr
    assert PASSWORD not in done.stderr + done.stdout


@pytest.fixture(scope="module")
def gate() -> Iterator[FaultyCamera]:
    """A camera that wants a password."""
    with faulty_camera({"main": clip(seconds=6)}, login=Login("eye", PASSWORD)) as gate:
        yield gate


@pytest.mark.parametrize("words", ["camera test", "camera add"])
def test_an_unreachable_camera(house: Household, words: str) -> None:
    given = ("porch",) if words == "camera test" else ("gate", "rtsp://127.0.0.1:1/x", "--no-sub")
    before = house.config.read_text()
    done = house.nvr(*words.split(), *given)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == FAULT
    assert "refuses connections" in last
    assert PASSWORD not in done.stderr
    assert house.config.read_text() == before


def test_a_wrong_password(house: Household, gate: FaultyCamera, tmp_path: Path) -> None:
    house.add("gate", url=gate.url("main"), user="eye", password="not-the-word")
    done = house.nvr("camera", "test", "gate")
    assert_one_sentence(done, FAULT, "rong user or password")
    assert "not-the-word" not in done.stderr


def test_what_is_not_video(house: Household, gate: FaultyCamera, tmp_path: Path) -> None:
    page = tmp_path / "page.mp4"
    page.write_text("<!DOCTYPE html><title>Camera</title>")
    assert_one_sentence(house.nvr("camera", "test", page.as_uri()), FAULT, "o video there")
    gate.answer_html()
    try:
        done = house.nvr("camera", "test", gate.url("main"))
    finally:
        gate.answer_html(False)
    assert_one_sentence(done, FAULT, "o video there")


def test_a_second_run_and_a_second_recorder(house: Household) -> None:
    with house.running() as run:
        until(lambda: "porch/main: away" in run.log(), why=run.log)
        assert_one_sentence(house.nvr("run"), RUNNING, "already running", str(run.process.pid))
        assert_one_sentence(house.nvr("record", "porch"), RUNNING, "he recorder of porch is already running")
        assert run.process.poll() is None


def test_an_unknown_camera_and_a_span_without_footage(house: Household, tmp_path: Path) -> None:
    names = main_segments(house)[0].name
    done = export(house, "attic", names.start_ms, names.end_ms, tmp_path / "out.mp4")
    assert_one_sentence(done, USAGE, 'no camera "attic"')
    done = export(house, "front", names.start_ms - 90_000, names.start_ms - 60_000, tmp_path / "out.mp4")
    assert_one_sentence(done, FAULT, "There is no footage of front")


def test_output_that_cannot_be_written(house: Household, tmp_path: Path) -> None:
    done = export_all(house, tmp_path / "nowhere" / "out.mp4")
    assert done.returncode in (FAULT, USAGE)
    assert_one_sentence(done, done.returncode, "nowhere")


def test_no_terminal_no_passphrase(house: Household, tmp_path: Path) -> None:
    """A wrapped key file without anybody to ask."""
    wrapped = tmp_path / "wrapped"
    making = [sys.executable, "-m", "nvr", "init", str(wrapped / "house"), "--keys-to", str(wrapped / "keys")]
    subprocess.run(making, check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
    done = export_all(house, tmp_path / "out.mp4", "--identity", str(wrapped / "keys" / "owner.key"))
    assert_one_sentence(done, USAGE, "NVR_PASSPHRASE_FILE")
