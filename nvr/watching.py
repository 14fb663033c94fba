"""From a watch plan to a watcher at work: what the pipeline's watcher is told."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from datetime import datetime
from functools import partial
from pathlib import Path

from nvr.errors import NvrError
from nvr.local_zone import local_zone
from nvr.newest_footage import newest_sure_ns
from nvr.notify import Notifiers
from nvr.schedule import in_schedule, parse_span
from nvr.watch_plan import CameraWatch, WatchPlan
from pipeline import walk
from pipeline.event_store import EventPlace, EventStore
from pipeline.index import IndexThread
from pipeline.store import Store, lock_watcher
from pipeline.watcher.memory import give_back_frames
from pipeline.watcher.settings import CameraSettings, SoundRule, WatcherSettings, always
from pipeline.watcher.watcher import Watcher, WatcherFailed

NICE = 5  # recorders come first


def watch_until(plan: WatchPlan, stop: threading.Event) -> None:
    """Looks at all cameras until `stop` is set.

    Raises `AlreadyRunning`, `StoreError`, `OSError` at its start, `NvrError` later.
    """
    os.nice(NICE)
    give_back_frames()
    settings = watcher_settings(plan)
    store = Store(settings.store_root)
    with lock_watcher(store), contextlib.ExitStack() as indexes:
        open_store = partial(_open_events, store, settings.state_dir, indexes)
        cameras = [one.name for one in settings.cameras]
        notifiers = indexes.enter_context(Notifiers.at_work(plan.notify, cameras))
        try:
            Watcher(settings, open_store, notifiers, stop).run()
        except WatcherFailed as fault:
            raise NvrError(f"The watcher ends: {fault}.") from None


def _open_events(store: Store, state_dir: Path, indexes: contextlib.ExitStack, camera: str) -> EventStore:
    """The camera's store of events, its index told of them. Raises HouseholdError, StoreError, OSError."""
    streams = partial(walk.event_streams, store.root, camera)
    index = IndexThread(store.root, camera, streams=streams).start()
    indexes.callback(index.stop)
    newest_ns = newest_sure_ns(store.root, walk.streams(store.root, camera))
    place = EventPlace(store, state_dir, camera, newest_ns)
    return EventStore(place, index, time.time_ns() // 1_000_000)


def watcher_settings(plan: WatchPlan) -> WatcherSettings:
    """What the pipeline's watcher is told."""
    return WatcherSettings(
        cameras=tuple(camera_settings(camera) for camera in plan.cameras),
        store_root=Path(plan.store_root),
        state_dir=Path(plan.state_dir),
        run_dir=Path(plan.run_dir),
        model=Path(plan.model) if plan.model else None,
        labels_file=Path(plan.labels_file) if plan.labels_file else None,
        threads=plan.threads,
    )


def camera_settings(camera: CameraWatch) -> CameraSettings:
    """One camera's."""
    spans = [parse_span(line) for line in camera.schedule]
    zone = local_zone()

    def in_time(utc_ns: int) -> bool:
        return in_schedule(spans, datetime.fromtimestamp(utc_ns / 1e9, zone))

    return CameraSettings(
        name=camera.camera,
        streams=camera.streams,
        rules=camera.rules,
        days=camera.days,
        events_only=camera.events_only,
        keep_days=camera.keep_days,
        keep_days_by_label=camera.keep_days_by_label,
        sound=SoundRule(camera.sound.db, camera.sound.s) if camera.sound else None,
        wanted=in_time if spans else always,
    )
