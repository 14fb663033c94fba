"""docs/format.md section 8, followed literally: bash, Debian's age and a JPEG decoder open an event."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.event_store import EventStore
from pipeline.event_store.deadlines import CLASSES
from pipeline.names import StoredSegment
from pipeline.scene import Sound
from tests.support.events import Keeping, an_event, kept, size_of
from tests.support.founding import Founded
from tests.support.store_writing import NOON_MS

TEXT = (Path(__file__).parents[3] / "docs/format.md").read_text("utf-8")
SECTION = TEXT[TEXT.index("## 8. The event") :]
START_MS = 1_795_356_300_000


def _rows(heading: str) -> set[str]:
    """The names in the first column of the table behind that text."""
    blocks = SECTION[SECTION.index(heading) :].split("\n\n")
    table = next(block for block in blocks if block.startswith("|"))
    cells = re.findall(r"^\| (`.*?) \|", table, re.M)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


@pytest.fixture
def events(keeping: Keeping) -> EventStore:
    """The one that the page names is the next."""
    (keeping.store.root / "front/events/2026-11-22/14").mkdir(parents=True)
    before = f"{START_MS - 60_000}+1000.41.json.age"
    (keeping.store.root / "front/events/2026-11-22/14" / before).write_bytes(b"")
    return keeping.begin()


@pytest.fixture
def opened(keeping: Keeping, founded: Founded, events: EventStore, tmp_path: Path) -> dict[str, Any]:
    """The record, as the commands print it; thumb.jpg lies beside the store then."""
    loud = replace(an_event(1, START_MS), sound=Sound(-20.0, -50.0))
    assert events.finish(kept(loud), NOON_MS)
    (tmp_path / "home-1.key").write_text(f"{founded.identity()}\n")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", SECTION, re.M | re.S)
    done = subprocess.run(
        ["bash", "-eu"], input=block, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    noun: dict[str, Any] = json.loads(done.stdout)
    return noun


def test_stock_age_opens_the_record_and_every_name_in_it_is_told(opened: dict[str, Any]) -> None:
    assert set(opened) == _rows("### The record")
    assert set(opened["objects"][0]) == _rows("Of each object:")
    told = SECTION[SECTION.index("### The record") :]
    for name in (*opened["picture"], *opened["sound"], *opened["objects"][0]["lines"][0]):
        assert f"`{name}`" in told, name
    at_ms, *box, score = opened["objects"][0]["path"][0]
    assert (at_ms, len(box), score) == (0, 4, 0.5)


def test_a_viewer_shows_the_thumbnail(opened: dict[str, Any], tmp_path: Path) -> None:
    assert opened["sequence"] == 42
    picture = (tmp_path / "thumb.jpg").read_bytes()
    assert size_of(picture) == (64, 48)
    comment = picture[picture.index(b"sealed-nvr/thumb/v1\n") :].split(b"\n", 1)[1]
    noun, _ = json.JSONDecoder().raw_decode(comment.decode("latin-1"))
    mark = {name: opened[name] for name in ("device", "camera", "sequence", "start_ms", "generation")}
    expected = {**mark, "stream": "thumbs", "clock_unsure": False, "picture": "crop"}
    assert noun == expected


def test_the_classes_of_deadlines_are_told() -> None:
    written = TEXT[TEXT.index("### Deadlines") :].replace("\n", " ").replace("1,095", "1095")
    assert ", ".join(map(str, CLASSES[:-1])) + f" or {CLASSES[-1]} days" in written


def test_what_lies_there_while_an_event_goes_on(keeping: Keeping, events: EventStore) -> None:
    told: list[StoredSegment] = keeping.told.segments
    events.save(kept(an_event(2, START_MS)))
    parts = [path for path in keeping.files() if path.endswith(".part")]
    assert [path.rpartition("/")[2].removesuffix(".part").rpartition(".k")[0] for path in parts] == [
        f"{START_MS}+8000.42",
        f"{START_MS}+8000.42",
    ]
    assert told == []
