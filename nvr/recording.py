"""From a recording plan to a recorder at work: what the pipeline's recorder is told, and its index."""

from __future__ import annotations

import threading
from pathlib import Path

from nvr.errors import NvrError
from nvr.local_zone import local_zone
from nvr.newest_footage import newest_sure_ns
from nvr.recording_plan import RecordingPlan, StreamAddress
from pipeline import walk
from pipeline.index import IndexThread
from pipeline.names import GapMark, StoredSegment
from pipeline.recorder import Recorder, RecorderFailed, RecorderSettings
from pipeline.source import SourceSettings
from pipeline.store import Store, lock_camera


def record_until(plan: RecordingPlan, stop: threading.Event) -> None:
    """Records the camera until `stop` is set.

    Raises `AlreadyRunning`, `StoreError`, `HouseholdError`, `OSError` at its start, `NvrError` later.
    """
    settings = recorder_settings(plan)
    store = Store(settings.store_root)
    with lock_camera(store, plan.camera):
        index = IndexThread(store.root, plan.camera).start()
        try:
            Recorder(settings, store, _IndexCatalogue(index, store.root, plan.camera), stop).run()
        except RecorderFailed as fault:
            raise NvrError(f"{fault}.") from None
        finally:
            index.stop()


class _IndexCatalogue:
    """The index as the recorder sees it."""

    def __init__(self, index: IndexThread, root: Path, camera: str) -> None:
        self._index = index
        self._root = root
        self._camera = camera

    def published(self, segment: StoredSegment) -> None:
        self._index.published(segment)

    def marked(self, mark: GapMark) -> None:
        self._index.marked(mark)

    def newest_sure_ns(self) -> int | None:
        """From the names in the store: the index may be missing, and must not delay recording."""
        return newest_sure_ns(self._root, walk.streams(self._root, self._camera))

    @property
    def waiting(self) -> int:
        return self._index.behind


def recorder_settings(plan: RecordingPlan) -> RecorderSettings:
    """What the pipeline's recorder is told."""
    return RecorderSettings(
        camera=plan.camera,
        sources={name: source_settings(plan, stream) for name, stream in plan.streams.items()},
        store_root=Path(plan.store_root),
        run_dir=Path(plan.run_dir),
        state_dir=Path(plan.state_dir),
        wanted=plan.wanted(local_zone()),
        flush_s=plan.flush_s,
    )


def source_settings(plan: RecordingPlan, stream: StreamAddress) -> SourceSettings:
    """One stream's."""
    return SourceSettings(
        url=stream.url,
        user=stream.user,
        password=stream.password,
        transport=plan.transport,
        audio=plan.audio,
        tls_ca_file=plan.tls_ca or None,
        tls_verify=plan.tls_verify,
    )
