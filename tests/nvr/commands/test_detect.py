"""`nvr detect` on the street clip: as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.support.footage import STREET
from tests.support.household import Household, make_household

AREAS = """
[[cameras.front.detect.zones]]
name = "kerb"
polygon = [[0.5, 0.5], [1.0, 0.5], [1.0, 1.0], [0.5, 1.0]]

[[cameras.front.detect.masks]]
polygon = [[0.0, 0.6], [0.5, 0.6], [0.5, 1.0], [0.0, 1.0]]
"""


def detect(*arguments: object, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What the command says and ends with."""
    given = ["--config", str(config)] if config else []
    return subprocess.run(
        [sys.executable, "-m", "nvr", *given, "detect", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """With a camera that plays the clip, a zone and a mask."""
    made = make_household(tmp_path_factory.mktemp("house"))
    text = made.config.read_text("utf-8")
    made.config.write_text(f'{text}\n[cameras.front]\nurl = "{STREET.as_uri()}"\n{AREAS}', "utf-8")
    return made


def test_a_video_and_the_picture_that_shows_most(tmp_path: Path) -> None:
    done = detect(STREET, "--seconds", 6, "-o", tmp_path / "most.png")
    assert done.returncode == 0, done.stderr
    assert {"car", "person", "bicycle"} <= {line.split()[2] for line in done.stdout.splitlines()}
    assert "anybody who gets this file can look at it" in done.stderr
    drawn = cv2.imread(str(tmp_path / "most.png"))
    assert drawn is not None
    assert drawn.shape == (272, 640, 3)
    assert (tmp_path / "most.png").stat().st_mode & 0o777 == 0o600
    again = detect(tmp_path / "most.png")
    assert again.returncode == 0
    assert " s  " not in again.stdout  # a picture has no time


def test_a_camera_by_its_name_with_its_zone_and_mask(house: Household) -> None:
    done = detect("front", "--seconds", 6, "--json", config=house.config)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"source", "model", "pictures", "events"}
    found = [one for picture in told["pictures"] for one in picture["found"]]
    assert all(set(one) == {"label", "score", "box", "against", "zones"} for one in found)
    assert {"masked", "in no zone"} & {reason for one in found for reason in one["against"]}
    assert any(one["zones"] == ["kerb"] and one["label"] == "person" for one in found)
    for one in found:
        if "masked" in one["against"]:
            assert (one["box"][0] + one["box"][2]) / 2 <= 0.5 + 1e-3


def test_events_of_a_file_with_a_cameras_zones(house: Household) -> None:
    done = detect(STREET, "--camera", "front", "--events", "--json", config=house.config)
    assert done.returncode == 0, done.stderr
    events = json.loads(done.stdout)["events"]
    assert events
    assert all("kerb" in one["zones"] for event in events for one in event["objects"])


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (("nowhere.mp4",), "is neither a file nor a camera", 2),
        ((STREET, "--camera", "back"), 'no camera "back"', 2),
        ((STREET, "-o", "picture.gif"), "must end in .jpg", 2),
        ((STREET, "-o", "/nowhere/picture.jpg"), "There is no folder /nowhere", 2),
        ((Path(__file__),), "is neither a picture nor a video that can be read.", 1),
        (("rtsp://127.0.0.1:1/main",), "camera refuses connections", 1),
        (("gopher://x",), "The address", 2),
    ],
)
def test_what_cannot_be_looked_at(
    house: Household, arguments: tuple[object, ...], says: str, code: int
) -> None:
    done = detect(*arguments, config=house.config)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == code


def test_a_picture_that_exists_stays(tmp_path: Path) -> None:
    (tmp_path / "there.jpg").write_bytes(b"dear")
    done = detect(STREET, "-o", tmp_path / "there.jpg")
    assert (done.returncode, (tmp_path / "there.jpg").read_bytes()) == (2, b"dear")
    assert "exists already" in done.stderr


def test_a_model_of_ones_own_that_is_none(house: Household, tmp_path: Path) -> None:
    text = house.config.read_text("utf-8")
    bad = house.config.with_name("bad.toml")
    (tmp_path / "bad.tflite").write_bytes(b"not a model")
    own = f'model = "{tmp_path}/bad.tflite"\nlabels_file = "{tmp_path}/l.txt"\n'
    bad.write_text(text.replace("\n[detect]\n", f"\n[detect]\n{own}", 1), "utf-8")
    (tmp_path / "l.txt").write_text("person\n")
    done = detect(STREET, config=bad)
    assert done.returncode == 2
    assert "is not a TensorFlow Lite model: name a .tflite file." in done.stderr
