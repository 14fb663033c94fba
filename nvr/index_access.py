"""The store's index, opened for reading; made from the store first where it is missing."""

from __future__ import annotations

from pipeline.index import Index, IndexDamaged, IndexMissing, index_path, open_or_restore
from pipeline.store import Store

PATIENCE_S = 10.0  # a recorder's first second makes the index, too; 200,000 segments take two


def open_index(store: Store) -> Index:
    """Raises `IndexBusy` when it is missing and cannot be made now; another process has time to make it."""
    try:
        return Index(index_path(store.root), read_only=True)
    except (IndexMissing, IndexDamaged):
        open_or_restore(store.root, wait_s=PATIENCE_S).close()
        return Index(index_path(store.root), read_only=True)
