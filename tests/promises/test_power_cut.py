"""Promise 5: a power cut costs a flush interval more than a crash, and nothing published is unreadable.

Real recorders on an ext4 of their own. At a random moment (of a fixed seed) its disk loses a random half of
what it was not told to flush, and the system all that had not reached the disk; the journal is replayed, and
the next start is an ordinary one. Both ways of flushing: syncfs where the store has its own file system,
fdatasync of each file where the system (here: its temporary folder) writes there as well.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nvr.keyholder.opening import footage_identities
from tests.support.faulty import faulty_camera
from tests.support.footage import clip
from tests.support.household import Household, make_household
from tests.support.lives import Lives
from tests.support.mounts import Mounted, lossy_ext4
from tests.support.reading import lost_s, open_footage

CUTS = 12  # in each of the two ways
AT_ONCE = 4
FLUSH_S = 2.0
CRASH_S = 1.0
FLUSHING_S = 0.5  # what the disk takes for a flush, on a machine that runs other tests as well


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("own_file_system", [True, False], ids=["syncfs", "fdatasync"])
def test_a_power_cut_loses_a_flush_interval_more(own_file_system: bool, tmp_path: Path) -> None:
    chance = random.Random(11)
    moments = [_moments(chance) for _ in range(AT_ONCE)]
    footage = clip(audio="aac", bitrate="4M", size="1280x720", fps=30, seconds=4)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = [
            pool.submit(_cut_again_and_again, tmp_path / str(number), footage, after, own_file_system)
            for number, after in enumerate(moments)
        ]
        losses = sorted(loss for run in runs for loss in run.result())
    print(f"\n{len(losses)} power cuts, lost s: " + " ".join(f"{loss:.2f}" for loss in losses))
    assert len(losses) == CUTS
    assert losses[-1] <= CRASH_S + FLUSH_S + FLUSHING_S


def _moments(chance: random.Random) -> list[float]:
    """Seconds from the first keyframe: within the first segment, and about the publishing of it."""
    return [chance.uniform(0, 5), chance.uniform(5, 10), chance.uniform(10, 15)]


def _cut_again_and_again(
    place: Path, footage: Path, moments: Sequence[float], own_file_system: bool
) -> list[float]:
    place.mkdir()
    with lossy_ext4(place) as disk, faulty_camera({"main": footage}) as camera:
        temporary = place if own_file_system else disk.path / "tmp"
        temporary.mkdir(exist_ok=True)
        house = _house_on(disk, place)
        assert _flushes_by_syncfs(house.store, temporary) is own_file_system
        lives = Lives(house, camera, TMPDIR=str(temporary))
        for seconds in moments:
            _cut(lives, disk, seconds)
        temporary.mkdir(exist_ok=True)
        lives.end_in_order()
        _everything_opens(lives)
        return [_loss(lives, number) for number in range(len(lives.ended))]


def _house_on(disk: Mounted, place: Path) -> Household:
    """A household whose store lies on the disk, written there for good."""
    house = make_household(place)
    shutil.move(house.store, disk.path / "store")
    text = house.config.read_text("utf-8")
    assert 'path = "store"' in text
    house.config.write_text(text.replace('path = "store"', f'path = "{disk.path / "store"}"'), "utf-8")
    disk.unmount()  # also syncs
    disk.mount()
    house.store.symlink_to(disk.path / "store")
    return house


def _flushes_by_syncfs(store: Path, temporary: Path) -> bool:
    code = "import pathlib, sys; from pipeline.store.flush import has_own_file_system as own; "
    code += "sys.exit(not own(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(store)]
    return subprocess.run(command, env=os.environ | {"TMPDIR": str(temporary)}, timeout=30).returncode == 0


def _cut(lives: Lives, disk: Mounted, seconds: float) -> None:
    """One life that ends with the power; what had been settled before is still there afterwards."""
    settled: set[str] = set()

    def ending() -> None:
        settled.update(_settled(lives.house.store))
        disk.power_cut()

    lives.end_after(seconds, ending)
    disk.remount()
    assert settled <= {path.name for path in lives.house.store.rglob("*.mp4.age")}


def _settled(store: Path) -> set[str]:
    """The published segments whose tail log is gone: they have their name for good."""
    published = {path.name for path in store.rglob("*.mp4.age")}
    tails = {path.name.split(".")[1] for path in store.rglob("*.tail")}
    return {name for name in published if name.split(".")[1] not in tails}


def _everything_opens(lives: Lives) -> None:
    segments = lives.segments()
    assert segments
    sequences = [one.name.sequence for one in segments]
    assert sequences == sorted(set(sequences))
    identities = footage_identities(str(lives.house.key_file), lives.house.store, [])
    for one in segments:
        opened = open_footage(lives.house.store, one, identities)
        assert opened.mark.sequence == one.name.sequence
        assert opened.video


def _loss(lives: Lives, number: int) -> float:
    """Seconds lost, of video or audio, beyond what a starved recorder could not take."""
    life = lives.ended[number]
    found = lives.found(life)
    lost = max(lost_s(lives.sent(life, kind), getattr(found, kind, [])) for kind in ("video", "audio"))
    return lost - life.starved_s
