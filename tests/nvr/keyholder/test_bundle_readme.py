"""The README of a bundle, done by somebody who has nothing of ours: a shell, `age`, `sha256sum`, a player."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from crypto.unseal import unseal_bytes
from nvr.bundle import check_bundle
from nvr.keyholder.group_identities import GroupIdentities
from nvr.keyholder.unfinished import unfinished_plaintext
from tests.support.age_programs import npm_open
from tests.support.bundles import Scene
from tests.support.people import NOW_MS
from tests.support.players import play, probe


def _commands(readme: str) -> list[str]:
    """The indented blocks that are commands, in the order of the text."""
    blocks = re.findall(r"(?:^    .*\n)+", readme, re.MULTILINE)
    dedented = [re.sub(r"(?m)^    ", "", block) for block in blocks]
    return [block for block in dedented if re.match(r"mkdir|sha256sum|nvr|segment=", block)]


def _shell(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), **environment},
    )


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene.found(tmp_path / "house")


def test_its_commands_open_and_check_the_bundle(scene: Scene, tmp_path: Path) -> None:
    segments = scene.film()
    given = tmp_path / "given"
    given.mkdir()
    scene.made(given / "evidence")
    opening, checking, verifying = _commands((given / "evidence/README.txt").read_text())
    done = _shell(opening, given / "evidence")
    assert (done.returncode, done.stderr) == (0, "")
    opened = sorted((given / "opened").iterdir())
    assert [path.name for path in opened] == [f"main-{one.name}".removesuffix(".age") for one in segments]
    for path in opened:
        play(path)
        assert probe(path).tags == ("video avc1", "audio mp4a")
    done = _shell(checking, given / "evidence")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK\n") == len(check_bundle(given / "evidence").document.files)  # type: ignore[union-attr]
    words = shlex.split(verifying)
    assert words[:3] == ["nvr", "verify", "evidence"]
    assert check_bundle(given / words[2], words[4]).is_sound


def test_what_age_gives_is_what_was_recorded(scene: Scene, tmp_path: Path) -> None:
    (first, *_) = scene.film()
    scene.made(tmp_path / "evidence")
    (opening, *_) = _commands((tmp_path / "evidence/README.txt").read_text())
    _shell(opening, tmp_path / "evidence")
    identities = GroupIdentities(scene.membership().opening)
    recorded = unseal_bytes((scene.store.root / first.path).read_bytes(), [identities])
    assert (tmp_path / "opened" / f"main-{first.name}".removesuffix(".age")).read_bytes() == recorded


def test_a_segment_that_broke_off_is_opened_whole(scene: Scene, tmp_path: Path) -> None:
    last = scene.film(broken_off=True)[-1]
    assert last.name.unfinished
    scene.made(tmp_path / "evidence")
    opening, whole, *_ = _commands((tmp_path / "evidence/README.txt").read_text())
    _shell(opening, tmp_path / "evidence")  # age says of the last that its end is missing
    done = _shell(whole, tmp_path / "evidence")
    assert done.returncode == 0, done.stderr
    with (scene.store.root / last.path).open("rb") as file:
        identities = GroupIdentities(scene.membership().opening)
        recorded = b"".join(unfinished_plaintext(file, [identities]))
    assert (tmp_path / "opened/whole.mp4").read_bytes() == recorded
    assert check_bundle(tmp_path / "evidence").streams[0].unfinished == 1


def test_names_with_blanks_are_quoted(scene: Scene, tmp_path: Path) -> None:
    scene.film()
    scene.made(tmp_path / "for the police; $HOME")
    opening, _, verifying = _commands((tmp_path / "for the police; $HOME/README.txt").read_text())
    done = _shell(opening, tmp_path / "for the police; $HOME")
    assert (done.returncode, done.stderr) == (0, "")
    assert shlex.split(verifying)[2] == "for the police; $HOME"


def test_a_post_quantum_bundle_says_which_age_it_needs(tmp_path: Path) -> None:
    scene = Scene.found(tmp_path / "house", post_quantum=True)
    (first, *_) = scene.film()
    scene.made(tmp_path / "evidence")
    assert 'The program "age", version 1.3 or newer,' in (tmp_path / "evidence/README.txt").read_text()
    text = (tmp_path / "evidence.identity.txt").read_text().splitlines()[-1]
    assert text.startswith("AGE-SECRET-KEY-PQ-1")
    sealed = (tmp_path / "evidence/segments/main" / str(first.name)).read_bytes()
    identities = GroupIdentities(scene.membership().opening)
    recorded = unseal_bytes((scene.store.root / first.path).read_bytes(), [identities])
    assert npm_open(sealed, identities=[text]) == recorded
    assert check_bundle(tmp_path / "evidence").is_sound


def test_it_says_what_is_in_it_and_what_not(scene: Scene, tmp_path: Path) -> None:
    scene.film()
    scene.made(tmp_path / "evidence")
    text = (tmp_path / "evidence/README.txt").read_text()
    assert "front/main: 3 of 3 recorded segments are here, unaltered" in text
    assert max(map(len, text.splitlines())) <= 110
    for promise in (
        "evidence.identity.txt, which opens the recordings. It is not in\n  this folder",
        "names the members of the household, their public keys",
        "taken over while it recorded",
        "That the clock was right",
        "after the last signature",
        "by another way",
    ):
        assert promise in text, promise
    assert "AGE-SECRET-KEY" not in text
    assert str(NOW_MS) not in text
