"""`nvr export --bundle` and `nvr verify FOLDER` as they are typed, on footage that `nvr run` has recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.identity import parse_identities
from crypto.unseal import unseal_bytes
from nvr.cli import main
from nvr.errors import FAULT, USAGE
from pipeline.chain.records import Gap
from tests.support.age_programs import age
from tests.support.bundles import Scene
from tests.support.household import Household, make_household, until
from tests.support.people import NOW_MS
from tests.support.players import play, probe

ROOT = Path(__file__).parents[3]
SPAN = ("--from", "2026-11-22T14:05:00Z", "--to", "2026-11-22T14:06:00Z")
Typed = Callable[..., int]


def verified(folder: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """On a machine with nothing but our program: no configuration, no home, no household."""
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "nvr", "verify", str(folder), *words],
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """A household whose camera has sent two segments and a bit; its recorder has stopped."""
    house = make_household(tmp_path_factory.mktemp("recorded"))
    house.add_street()
    with house.running() as run:
        until(lambda: len(house.segments()) >= 2, 60, run.log)
    return house


def test_recorded_here_and_checked_elsewhere(recorded: Household, tmp_path: Path) -> None:
    identity = ("--identity", str(recorded.key_file))
    words = ("--camera", "street", "--from", "-1h", "--to", "now", *identity)
    done = recorded.nvr("export", "--bundle", *words, "-o", str(tmp_path / "evidence"))
    assert done.returncode == 0, done.stderr
    root = done.stdout.rpartition("Fingerprint to tell the receiver: ")[2].strip()
    away = tmp_path / "away"
    shutil.move(tmp_path / "evidence", away / "received")
    checked = verified(away / "received", tmp_path / "home", "--root", root)
    assert (checked.returncode, checked.stderr) == (0, "")
    count = len(recorded.segments())
    assert f"street/main: {count} of {count} recorded segments are here, unaltered" in checked.stdout
    assert "no signature" not in checked.stdout
    assert "What this does not prove" in checked.stdout
    opened = tmp_path / "opened.mp4"
    for sealed in sorted((away / "received/segments/main").iterdir()):
        opened.write_bytes(age("-d", "-i", tmp_path / "evidence.identity.txt", sealed))
        play(opened)
        assert probe(opened).tags[0] == "video avc1"
    other = "0000 " * 8
    refused = verified(away / "received", tmp_path / "home", "--root", other)
    assert refused.returncode == FAULT
    assert refused.stderr.startswith("This bundle is of another household")
    assert list((tmp_path / "home").iterdir()) == []


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene.found(tmp_path / "house")
    scene.record(range(6))
    return scene


@pytest.fixture
def typed(scene: Scene, tmp_path: Path) -> Typed:
    def type_in(*words: str, key: str = "anna", camera: str = "front") -> int:
        store = ("--store", str(scene.store.root), "export", "--bundle", "--camera", camera)
        given = ("--identity", str(scene.people.files[key]), "-o", str(tmp_path / "evidence"))
        return main([*store, *SPAN, *given, *words])

    return type_in


def test_what_is_said(typed: Typed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed() == 0
    said = capsys.readouterr()
    assert "front/main: 6 of 6 recorded segments are here, unaltered" in said.out
    assert f"{tmp_path / 'evidence'}: the bundle, " in said.out
    assert f"{tmp_path / 'evidence.identity.txt'}: opens it. Send it by another way" in said.out
    assert "AGE-SECRET-KEY" not in said.out + said.err


def test_it_is_checked_and_what_was_changed_is_named(
    typed: Typed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed() == 0
    (tmp_path / "evidence/README.txt").write_text("Believe me.")
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "evidence")]) == FAULT
    assert "WRONG  README.txt: It was changed" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "evidence"), "--json"]) == FAULT
    noun = json.loads(capsys.readouterr().out)
    assert noun["sound"] is False
    assert [finding["path"] for finding in noun["findings"]] == ["README.txt"]


def test_the_json_is_as_documented(
    scene: Scene, typed: Typed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.box.append(Gap("main", NOW_MS + 1, "camera unreachable"), sign=True)
    assert typed() == 0
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "evidence"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    page = (ROOT / "docs/reference.md").read_text("utf-8")
    documented = json.loads(page.partition("```json verify bundle\n")[2].partition("```")[0])
    assert list(said) == list(documented)
    assert list(said["bundle"]) == list(documented["bundle"])
    assert list(said["streams"][0]) == list(documented["streams"][0])
    assert said["streams"][0]["gaps"] == [{"at_ms": NOW_MS + 1, "reason": "camera unreachable"}]


def test_wrong_use(typed: Typed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("--exact") == USAGE
    assert "--exact is for clips" in capsys.readouterr().err
    assert typed("--stream", "../x") == USAGE
    assert typed("--from", "2026-11-23T14:05:00Z", "--to", "2026-11-23T14:06:00Z") == FAULT
    assert "There is no footage of front in that time" in capsys.readouterr().err
    assert typed("-o", str(tmp_path / "missing/evidence")) == USAGE
    assert typed() == 0
    assert typed() == USAGE
    assert "exists already" in capsys.readouterr().err
    assert typed("--force") == 0
    assert main(["verify", str(tmp_path)]) == USAGE
    assert main(["verify", str(tmp_path / "evidence"), "--root", "12ab"]) == USAGE


def test_a_folder_is_named_with_or_without_a_slash(typed: Typed, tmp_path: Path) -> None:
    assert typed("-o", f"{tmp_path}/named/../slashed/") == 0
    assert (tmp_path / "slashed.identity.txt").is_file()


def test_segments_left_out_are_told(
    scene: Scene, typed: Typed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = next(one for one in sorted((scene.store.root / "front/main").rglob("*.age")))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert typed() == FAULT
    assert f"{damaged.name} was altered" in capsys.readouterr().err
    assert typed("--keep-going") == 0
    said = capsys.readouterr()
    assert f"WRONG  segments/main/{damaged.name}: It was recorded, did not expire" in said.out
    assert "The rest of the bundle is as it was exported. Ask why these were left out." in said.out
    assert "front/main: 5 of 6 recorded segments are here, unaltered" in said.out
    assert "nothing was left out" not in said.out
    assert "Left out: " in said.err
    (identity,) = parse_identities((tmp_path / "evidence.identity.txt").read_text())
    for sealed in (tmp_path / "evidence/segments/main").iterdir():
        assert unseal_bytes(sealed.read_bytes(), [identity])
    assert str(NOW_MS) in damaged.name
