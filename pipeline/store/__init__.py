"""The store: sealed segments on disk, made so that nothing published is ever half there.

What others need of it is named here; the procedures stand in the docstrings of the modules.
"""

from pipeline.store.errors import AlreadyRunning, FlushFailed, StoreError, StoreMissing
from pipeline.store.flush import GroupFlush, has_own_file_system, next_tick_ns
from pipeline.store.layout import Store, create
from pipeline.store.locks import Lock, lock_camera, lock_store, lock_watcher
from pipeline.store.marks import append_gap_mark, hold, unhold
from pipeline.store.recover import Recovered, last_sequence, recover
from pipeline.store.segment_file import SegmentFile, open_segment

__all__ = [
    "AlreadyRunning",
    "FlushFailed",
    "GroupFlush",
    "Lock",
    "Recovered",
    "SegmentFile",
    "Store",
    "StoreError",
    "StoreMissing",
    "append_gap_mark",
    "create",
    "has_own_file_system",
    "hold",
    "last_sequence",
    "lock_camera",
    "lock_store",
    "lock_watcher",
    "next_tick_ns",
    "open_segment",
    "recover",
    "unhold",
]
