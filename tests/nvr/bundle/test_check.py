"""A bundle is sound as it was made, on any machine; whatever is done to it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from nvr.bundle import check_bundle, told
from tests.support.bundles import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene.found(tmp_path)


def test_a_bundle_is_sound(scene: Scene, tmp_path: Path) -> None:
    scene.record(range(8))
    target = tmp_path / "evidence"
    report = scene.made(target)
    verdict = check_bundle(target)
    assert verdict.is_sound
    assert verdict == check_bundle(target, verdict.fingerprint) or not verdict.root_given
    (main,) = verdict.streams
    assert (main.recorded, main.present, main.unsigned) == (6, 6, 0)
    assert main.begins
    assert main.ends
    assert report.verdict.streams == verdict.streams
    print("\n".join(told(verdict)))
    print((target / "README.txt").read_text())
