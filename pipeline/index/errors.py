"""What can go wrong with the index, by what the caller does next. It can always be made anew from the
store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

_DAMAGED = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_FORMAT}
)


class IndexFault(Exception):
    """The index could not be used; the message says why in a sentence."""


class IndexBusy(IndexFault):
    """Not now (locked by another process, a full or read-only disk): try again later."""


class IndexMissing(IndexFault):
    """There is no index, or not this program's: make it from the store."""


class IndexDamaged(IndexFault):
    """Its bytes are damaged: set it aside and make it from the store."""


@contextmanager
def told_apart() -> Iterator[None]:
    """Turns what SQLite raises into the faults above."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _DAMAGED:
            raise IndexDamaged(
                "the index is damaged: nvr index rebuild makes it anew from the store"
            ) from error
        if code == sqlite3.SQLITE_ERROR and "no such" in str(error):
            raise IndexMissing(
                "there is no whole index: nvr index rebuild makes it from the store"
            ) from error
        if code == sqlite3.SQLITE_CANTOPEN:
            raise IndexMissing("there is no index: nvr index rebuild makes it from the store") from error
        raise IndexBusy(f"the index cannot be used now: {error}") from error
