"""What the pages tell people to type does what they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.recipient import parse_recipient
from nvr.keyholder.household import HouseholdPlan, make_household
from nvr.keyholder.recovery_sheet import identity_in_sheet
from pipeline.household.choosing import choose
from pipeline.household.files import read_household
from pipeline.store import Store, open_segment
from tests.support.footage import clip
from tests.support.household import STREET, until
from tests.support.packets import read_packets
from tests.support.players import play, probe
from tests.support.recorded import DEVICE, record

ROOT = Path(__file__).parents[2]
NAMED = "store/front/main/2026-11-22/14/1795356300000+10000.42.mp4.age"
BEGAN_NS = 1_795_356_300_000_000_000


def block(page: str, words: str) -> str:
    """The fenced block of a page that contains the words."""
    fenced: list[str] = re.findall(
        r"^```(?:sh|bash)?\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.M | re.S
    )
    return next(text for text in fenced if words in text)


@pytest.fixture
def folder(tmp_path: Path, member: str) -> Path:
    """Where a stranger stands: key file, sheet's text, and the store with the segment named."""
    plan = HouseholdPlan(tmp_path / "house", tmp_path / "keys", member, DEVICE, datetime.now(UTC))
    make_household(plan)
    info, packets = read_packets(clip(audio="aac"))
    recorded = record(info, packets, BEGAN_NS, target_s=10, sequence=42)[0]
    recipient = parse_recipient(choose(read_household(plan.store_root).manifest, "front", 0).recipient)
    segment = open_segment(Store(plan.store_root), recorded.mark, [recipient])
    segment.append(recorded.plaintext, recorded.duration_ns)
    published = segment.finish(10_000_000_000)
    place = tmp_path / "stranger"
    place.mkdir()
    shutil.copy(plan.key_file, place)
    (place / "sheet.txt").write_text(identity_in_sheet(plan.sheet_file.read_text()) or "")
    (place / "store").symlink_to(plan.store_root)
    assert f"store/{published.path}" == NAMED
    return place


@pytest.mark.parametrize(
    ("page", "member", "clip_name"),
    [
        ("README.md", "owner", "segment.mp4"),
        ("docs/format.md", "alice", "clip.mp4"),
        ("docs/guide.md", "owner", "segment.mp4"),
    ],
)
def test_stock_age_opens_a_segment_as_the_page_says(page: str, clip_name: str, folder: Path) -> None:
    text = block(page, NAMED).replace("sudo apt install age\n", "")
    done = subprocess.run(
        ["bash", "-eu"], input=text, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    play(folder / clip_name)
    assert probe(folder / clip_name).duration_s == pytest.approx(10, abs=0.1)
    assert sorted(path.name for path in folder.glob("home*")) == []  # what opens everything was removed


def environment(place: Path) -> dict[str, str]:
    """A newcomer's shell, with `nvr` on its path and the passphrase in a file instead of a terminal."""
    (place / "passphrase").write_text("six-words-that-a-person-chose-here\n")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"HOME": str(place), "PATH": path, "NVR_PASSPHRASE_FILE": str(place / "passphrase"), "TZ": "UTC"}


@pytest.mark.slow
def test_the_three_lines_of_the_readme_record_and_its_export_gives_a_clip(tmp_path: Path) -> None:
    shell = environment(tmp_path)
    text = block("README.md", "nvr init DIR").replace("rtsp://192.168.1.20/stream1", STREET.as_uri())
    init, add, run = text.strip().replace("DIR", "house").splitlines()
    subprocess.run(
        ["bash", "-euc", f"{init}\n{add}"],
        cwd=tmp_path,
        env=shell,
        check=True,
        capture_output=True,
        timeout=60,
    )
    config = tmp_path / "house/nvr.toml"
    config.write_text(config.read_text().replace("2GB", "100MB"))
    recorder = subprocess.Popen(shlex.split(run), cwd=tmp_path, env=shell, stderr=subprocess.DEVNULL)
    try:
        until(lambda: list((tmp_path / "house/store/front").rglob("*.mp4.age")))
    finally:
        recorder.terminate()
        recorder.wait(20)
    shutil.copy(tmp_path / "sealed-nvr-keys/house/owner.key", tmp_path / "house")
    text = (
        block("README.md", "nvr export").replace("yesterday 18:00", "-1h").replace("yesterday 18:05", "now")
    )
    subprocess.run(
        ["bash", "-euc", text], cwd=tmp_path / "house", env=shell, check=True, capture_output=True, timeout=60
    )
    play(tmp_path / "house/front.mp4")
