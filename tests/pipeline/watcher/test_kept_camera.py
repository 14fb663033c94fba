"""What is kept of one camera when something goes wrong: the event, and the footage that it touches."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.event import Began, Ended
from pipeline.event.nouns import BestPicture
from pipeline.store import Store
from pipeline.watched import read_watched
from pipeline.watcher.kept_camera import KeptCamera
from pipeline.watcher.settings import CameraSettings
from tests.support.events import Keeping, an_event
from tests.support.founding import found

_NS = 1_000_000_000


@pytest.fixture
def keeping(store: Store, tmp_path: Path) -> Keeping:
    return Keeping(store, found(store.root, tmp_path / "state").state_dir)


def test_an_event_whose_picture_cannot_be_made_is_kept_without_it(
    keeping: Keeping, caplog: pytest.LogCaptureFixture
) -> None:
    camera = KeptCamera(CameraSettings("front"), keeping.begin())
    event = an_event()
    assert event.picture is not None
    event = replace(event, picture=BestPicture(event.picture.note, None, None))  # type: ignore[arg-type]
    assert camera.keep(Began(event), False, "0123456789abcdef") == "front-0"
    assert camera.keep(Ended(event), False, "0123456789abcdef") == "front-0"
    assert [path.split("/")[0] for path in keeping.files()] == ["events"]
    assert "an event's picture cannot be made (AttributeError at pictures.py" in caplog.text


def test_time_of_an_event_that_was_dropped_does_not_count_as_looked_at(keeping: Keeping) -> None:
    now_ns = time.time_ns()
    camera = KeptCamera(CameraSettings("front", events_only=True), keeping.begin(now_ns // 1_000_000))
    for second in range(300, 100, -5):
        camera.looked(now_ns - second * _NS)
    camera.missed(now_ns - 200 * _NS, now_ns - 150 * _NS)
    camera.save_watched()
    spans = read_watched(keeping.state_dir, "front")
    assert len(spans) == 2
    assert not any(one.from_ms < (now_ns - 160 * _NS) // 1_000_000 < one.to_ms for one in spans)
