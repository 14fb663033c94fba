"""The watcher as a whole: a model that comes late, one that knows too little, a detector that hangs."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.detect import Detector, ModelError
from pipeline.detect.detector import DEFAULT_LABELS, DEFAULT_MODEL
from pipeline.event import Rules
from pipeline.store import StoreError
from pipeline.watch_report import LookState, WatchReport, read_watch_report
from pipeline.watcher import camera as camera_module
from pipeline.watcher import watcher as watcher_module
from pipeline.watcher.keeping import Nobody
from pipeline.watcher.mailbox import Mailbox
from pipeline.watcher.settings import CameraSettings, WatcherSettings
from pipeline.watcher.watcher import Watcher, WatcherFailed
from tests.support.household import STREET, until
from tests.support.tap_feed import playing


def no_store(_camera: str) -> object:
    raise StoreError("the store is not mounted")


@contextmanager
def watching(
    place: Path, *, model: Path | None = None, labels: tuple[str, ...] = ("car",)
) -> Iterator[list[WatcherFailed]]:
    """A watcher of one camera, in a thread; what its end raised."""
    settings = WatcherSettings(
        (CameraSettings("front", rules=Rules(labels=labels)),),
        place,
        place,
        place,
        model,
        DEFAULT_LABELS if model else None,
    )
    stop, raised = threading.Event(), list[WatcherFailed]()
    watcher = Watcher(settings, no_store, Nobody(), stop)  # type: ignore[arg-type]

    def run() -> None:
        try:
            watcher.run()
        except WatcherFailed as failed:
            raised.append(failed)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield raised
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def says(place: Path, what: Callable[[WatchReport], object]) -> Callable[[], object]:
    return lambda: (report := read_watch_report(place)) and what(report)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher_module, "REPORT_S", 0.1)
    monkeypatch.setattr(watcher_module, "MODEL_PAUSES_S", (0.2,))


def test_a_model_that_comes_late_is_taken_when_it_is_there(tmp_path: Path) -> None:
    model = tmp_path / "mine.tflite"
    with watching(tmp_path, model=model):
        until(says(tmp_path, lambda report: "mine.tflite" in report.problem))
        until(says(tmp_path, lambda report: not report.cameras))
        shutil.copyfile(DEFAULT_MODEL, model)
        until(says(tmp_path, lambda report: report.cameras))
        until(says(tmp_path, lambda report: "mine.tflite" not in report.problem))


def test_wanted_labels_that_the_model_does_not_know_are_counted_and_not_named(tmp_path: Path) -> None:
    with watching(tmp_path, labels=("car", "unicorn")):
        until(says(tmp_path, lambda report: "1 of the wanted labels is unknown" in report.problem))
    assert "unicorn" not in (tmp_path / "watch.json").read_text()


@pytest.mark.parametrize(("labels", "counts"), [(("unicorn",), False), (("unicorn", "car"), True)])
def test_where_nothing_can_become_an_event_nothing_counts_as_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: tuple[str, ...], counts: bool
) -> None:
    noted: list[int] = []
    monkeypatch.setattr(Mailbox, "looked", lambda _self, _camera, until_ns: noted.append(until_ns))
    with watching(tmp_path, labels=labels), playing(tmp_path, "front", "main", STREET):
        until(lambda: len(noted) > 2)
    assert (max(noted) > 0) is counts


def test_a_store_that_cannot_be_written_is_said_and_looking_goes_on(tmp_path: Path) -> None:
    with watching(tmp_path), playing(tmp_path, "front", "main", STREET):
        until(
            says(
                tmp_path,
                lambda report: "front: events cannot be kept: the store is not mounted" in report.problem,
            )
        )
        until(says(tmp_path, lambda report: report.cameras and report.cameras["front"].events))
        until(says(tmp_path, lambda report: report.cameras["front"].lost_events))
        until(says(tmp_path, lambda report: report.cameras["front"].state is LookState.LOOKING))


def test_a_detector_that_hangs_ends_the_watcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "UNANSWERED_S", 0.5)
    forever = threading.Event()
    monkeypatch.setattr(Detector, "detect", lambda *_: forever.wait(60) and [])
    with watching(tmp_path) as raised, playing(tmp_path, "front", "main", STREET):
        until(lambda: raised)
    forever.set()
    assert "has not answered" in str(raised[0])


def test_a_detector_that_fails_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_module, "PAUSES_S", (0.3,))

    def fails(*_: object) -> None:
        raise ModelError("the labels are too few")

    with watching(tmp_path), playing(tmp_path, "front", "main", STREET):
        until(says(tmp_path, lambda report: report.cameras))
        monkeypatch.setattr(Detector, "detect", fails)
        until(says(tmp_path, lambda report: "labels are too few" in report.cameras["front"].reason))
        monkeypatch.undo()
        until(says(tmp_path, lambda report: report.cameras["front"].state is LookState.LOOKING))
