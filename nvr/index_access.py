"""The store's index, opened for reading; made from the store first where it is missing."""

from __future__ import annotations

from pipeline.index import Index, IndexDamaged, IndexMissing, index_path, open_or_restore
from pipeline.store import Store


def open_index(store: Store) -> Index:
    """Raises `IndexBusy` when it is missing and cannot be made now."""
    try:
        return Index(index_path(store.root), read_only=True)
    except (IndexMissing, IndexDamaged):
        open_or_restore(store.root).close()
        return Index(index_path(store.root), read_only=True)
