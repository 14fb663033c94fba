"""The index: what the names in the store say, so that it need not be read for every question.

Rules:
- The store is the truth. A row that contradicts it is wrong, and losing all rows loses nothing.
- A row is added after its file's name is durable, and dropped after its file is gone.
- What is added never lowers a deadline: whoever publishes a segment may say so after another raised it.
- Every process has its own connection; one connection is for one thread at a time.
- Whoever finds the file damaged, gone or exchanged goes by `restore` in `pipeline.index.rebuild`.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Self

from pipeline import walk
from pipeline.index.errors import IndexMissing, told_apart
from pipeline.model import StreamName
from pipeline.names import HOUR_MS, GapMark, HoldName, SegmentName, StoredSegment, kind_of
from pipeline.walk import Hour

VERSION = 1
UNSURE = 1
UNFINISHED = 2
_COLUMNS = "start_ms, seq, duration_ms, flags, bytes, kept_until_ms"
_ADD = """
INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
  duration_ms = excluded.duration_ms, flags = excluded.flags,
  bytes = excluded.bytes, kept_until_ms = max(kept_until_ms, excluded.kept_until_ms)
"""
_STARTING = f"""
SELECT {_COLUMNS} FROM segment WHERE stream = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms, seq
"""  # noqa: S608 - the columns are a constant
_REACHING_INTO = f"""
SELECT {_COLUMNS} FROM segment
WHERE stream = ?1 AND start_ms < ?2 AND start_ms + duration_ms > ?2
  AND start_ms >= ?2 - coalesce((SELECT longest_ms FROM total WHERE stream = ?1), 0)
ORDER BY start_ms, seq
"""  # noqa: S608


class Row(NamedTuple):
    """A segment as the index keeps it: light, since a day of a stream is some ten thousand of them."""

    start_ms: int
    sequence: int
    duration_ms: int
    flags: int
    size_bytes: int
    kept_until_ms: int

    @property
    def end_ms(self) -> int:
        """Where the next segment would begin, UTC."""
        return self.start_ms + self.duration_ms

    @property
    def clock_unsure(self) -> bool:
        """Whether its start may be wrong."""
        return bool(self.flags & UNSURE)

    @property
    def unfinished(self) -> bool:
        """Whether it was made at start-up from what a crash left."""
        return bool(self.flags & UNFINISHED)

    def segment(self, stream: StreamName) -> StoredSegment:
        """The segment of `stream` that this is a row of."""
        name = SegmentName(
            self.start_ms,
            self.duration_ms,
            self.sequence,
            self.clock_unsure,
            self.unfinished,
            self.kept_until_ms,
            kind_of(stream.stream),
        )
        return StoredSegment(stream, name, self.size_bytes)


# A row of SQLite as a Row, at half the cost of `Row._make`, which is Python. Statements give all its columns.
_row = partial(tuple.__new__, Row)


def row_of(segment: StoredSegment) -> Row:
    """The row of a segment."""
    name = segment.name
    flags = UNSURE * name.clock_unsure + UNFINISHED * name.unfinished
    return Row(name.start_ms, name.sequence, name.duration_ms, flags, segment.size_bytes, name.kept_until_ms)


@dataclass(frozen=True, slots=True)
class Total:
    """What there is of a stream."""

    segments: int = 0
    size_bytes: int = 0
    recorded_ms: int = 0


class Index:
    """An open index. Every method may raise IndexBusy, IndexMissing or IndexDamaged."""

    def __init__(self, path: Path, *, read_only: bool = False, busy_s: float = 5.0) -> None:
        """Opens what is there; never makes it. `busy_s`: how long to wait for other processes."""
        self._path = path
        self._ids: dict[StreamName, int] = {}
        with told_apart():
            self._place = _place(path)
            mode = "ro" if read_only else "rw"
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=busy_s,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            self._prepare(read_only=read_only)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, *, read_only: bool) -> None:
        with told_apart():
            if self._connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
                raise IndexMissing("the index is of another version: nvr index rebuild makes it anew")
            if not read_only:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")

    def is_current(self) -> bool:
        """Whether the open file is still the one of that name; False after it was deleted or made anew."""
        try:
            return _place(self._path) == self._place
        except IndexMissing:
            return False

    @property
    def place(self) -> tuple[int, int]:
        """Which file it is, whatever its name."""
        return self._place

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Changing.

    def add(self, segments: Iterable[StoredSegment], marks: Iterable[GapMark] = ()) -> None:
        """Adds or corrects rows, all or none."""
        with told_apart(), self._transaction():
            rows = [(self._id(segment.stream), *row_of(segment)) for segment in segments]
            self._connection.executemany(_ADD, rows)
            gaps = [(self._id(mark.stream), mark.at_ms, mark.reason) for mark in marks]
            self._connection.executemany("INSERT OR IGNORE INTO gap VALUES (?, ?, ?)", gaps)

    def remove(self, segments: Iterable[StoredSegment]) -> None:
        """Drops the rows of segments that are gone, all or none."""
        with told_apart(), self._transaction():
            self._connection.executemany(
                "DELETE FROM segment WHERE stream = ? AND start_ms = ? AND seq = ?",
                [(self._id(one.stream), one.name.start_ms, one.name.sequence) for one in segments],
            )

    def set_hour(self, root: Path, hour: Hour) -> None:
        """Makes the rows of one folder what the store has there. Also raises OSError.

        The folder is read when the index is locked already: so the file of every row met here has been in it.
        """
        with told_apart(), self._transaction():
            rows = {row_of(segment) for segment in walk.segments(root, hour)}
            stream = self._id(hour.stream)
            bounds = (stream, hour.start_ms, hour.start_ms + HOUR_MS)
            known = set(map(_row, self._connection.execute(_STARTING, bounds)))
            self._connection.executemany(
                "DELETE FROM segment WHERE stream = ? AND start_ms = ? AND seq = ?",
                [(stream, row.start_ms, row.sequence) for row in known - rows],
            )
            self._connection.executemany(_ADD, [(stream, *row) for row in rows - known])

    def drop_gap_marks(self, camera: str, before_ms: int) -> None:
        """Drops the camera's gap marks from before that time."""
        with told_apart(), self._transaction():
            sql = "DELETE FROM gap WHERE at_ms < ? AND stream IN (SELECT id FROM stream WHERE camera = ?)"
            self._connection.execute(sql, (before_ms, camera))

    def set_holds(self, holds: Iterable[HoldName]) -> None:
        """Makes the holds those that the store has now."""
        rows = [(hold.camera, hold.from_ms, hold.to_ms, hold.made_ms) for hold in holds]
        with told_apart(), self._transaction():
            self._connection.execute("DELETE FROM hold")
            self._connection.executemany("INSERT OR IGNORE INTO hold VALUES (?, ?, ?, ?)", rows)

    # Asking.

    def streams(self) -> list[StreamName]:
        """Every stream that has ever had a row, in order."""
        with told_apart():
            rows = self._connection.execute("SELECT camera, stream FROM stream ORDER BY 1, 2")
            return [StreamName(camera, stream) for camera, stream in rows]

    def totals(self) -> dict[StreamName, Total]:
        """What there is of each stream, without counting it anew."""
        sql = """SELECT camera, stream.stream, segments, bytes, recorded_ms FROM total
                 JOIN stream ON stream.id = total.stream ORDER BY 1, 2"""
        with told_apart():
            return {StreamName(row[0], row[1]): Total(*row[2:]) for row in self._connection.execute(sql)}

    def rows(self, stream: StreamName, from_ms: int, to_ms: int) -> list[Row]:
        """What overlaps the time from `from_ms` until before `to_ms`, in order of start."""
        with told_apart(), _without_collecting():
            known = self._known(stream)
            before = self._connection.execute(_REACHING_INTO, (known, from_ms))
            within = self._connection.execute(_STARTING, (known, from_ms, to_ms))
            return list(map(_row, chain(before, within)))

    def segments(self, stream: StreamName, from_ms: int, to_ms: int) -> list[StoredSegment]:
        """As `rows`, as segments."""
        return [row.segment(stream) for row in self.rows(stream, from_ms, to_ms)]

    def hours(self, stream: StreamName) -> list[int]:
        """When the hours begin that have rows of the stream, in order. Jumps from hour to hour."""
        sql = "SELECT min(start_ms) FROM segment WHERE stream = ? AND start_ms >= ?"
        found: list[int] = []
        with told_apart():
            known = self._known(stream)
            next_ms = 0
            while (first := self._connection.execute(sql, (known, next_ms)).fetchone()[0]) is not None:
                found.append(first - first % HOUR_MS)
                next_ms = found[-1] + HOUR_MS
        return found

    def starting_in(self, stream: StreamName, from_ms: int, to_ms: int) -> list[StoredSegment]:
        """What begins at or after `from_ms` and before `to_ms`, in order of start."""
        with told_apart():
            within = self._connection.execute(_STARTING, (self._known(stream), from_ms, to_ms)).fetchall()
        return [_row(row).segment(stream) for row in within]

    def oldest(self, stream: StreamName, *, unsure: bool) -> Generator[StoredSegment, None, None]:
        """The stream's segments, oldest first: of a sure clock by their start, of an unsure one by sequence.

        Reads as far as it is iterated; close it before anything is changed on this index.
        """
        order, wanted = ("seq", "flags & 1") if unsure else ("start_ms, seq", "NOT flags & 1")
        sql = f"SELECT {_COLUMNS} FROM segment WHERE stream = ? AND {wanted} ORDER BY {order}"  # noqa: S608
        with told_apart():
            for row in map(_row, self._connection.execute(sql, (self._known(stream),))):
                yield row.segment(stream)

    def newest(self, stream: StreamName) -> StoredSegment | None:
        """The segment of a sure clock with the latest start; None when there is none."""
        sql = f"""SELECT {_COLUMNS} FROM segment WHERE stream = ? AND NOT flags & 1
                  ORDER BY start_ms DESC, seq DESC LIMIT 1"""  # noqa: S608
        with told_apart():
            row = self._connection.execute(sql, (self._known(stream),)).fetchone()
        return _row(row).segment(stream) if row else None

    def unsure_sequences(self, stream: StreamName, first: int, last: int) -> list[int]:
        """The sequence numbers from `first` to `last` of segments of an unsure clock, whenever they lie."""
        sql = "SELECT seq FROM segment WHERE stream = ? AND flags & 1 AND seq BETWEEN ? AND ? ORDER BY seq"
        with told_apart():
            return [row[0] for row in self._connection.execute(sql, (self._known(stream), first, last))]

    def has_sequences(self, stream: StreamName, first: int, before: int | None) -> bool:
        """Whether the stream has a segment numbered `first` or above, and below `before` if that is given."""
        sql = "SELECT 1 FROM segment WHERE stream = ?1 AND seq >= ?2 AND (?3 IS NULL OR seq < ?3) LIMIT 1"
        with told_apart():
            found = self._connection.execute(sql, (self._known(stream), first, before)).fetchone()
        return found is not None

    def oldest_start_ms(self) -> int | None:
        """The earliest start of all segments and events, by whatever clock; None when there are none."""
        sql = "SELECT min((SELECT min(start_ms) FROM segment WHERE stream = id)) FROM stream"
        with told_apart():
            found: int | None = self._connection.execute(sql).fetchone()[0]
        return found

    def gap_marks(self, stream: StreamName, from_ms: int, to_ms: int) -> list[GapMark]:
        """Why recording stopped, at or after `from_ms` and before `to_ms`."""
        sql = "SELECT at_ms, reason FROM gap WHERE stream = ? AND at_ms >= ? AND at_ms < ? ORDER BY 1, 2"
        with told_apart():
            rows = self._connection.execute(sql, (self._known(stream), from_ms, to_ms))
            return [GapMark(stream, at_ms, reason) for at_ms, reason in rows]

    def holds(self, camera: str | None = None) -> list[HoldName]:
        """The holds of one camera, or all."""
        with told_apart():
            rows = self._connection.execute("SELECT * FROM hold ORDER BY camera, from_ms, to_ms, made_ms")
            return [HoldName(*row) for row in rows if camera in (None, row[0])]

    def _known(self, stream: StreamName) -> int:
        """The number of a stream; -1 when it never had a row."""
        if stream not in self._ids:
            sql = "SELECT id FROM stream WHERE camera = ? AND stream = ?"
            row = self._connection.execute(sql, (stream.camera, stream.stream)).fetchone()
            if row is None:
                return -1
            self._ids[stream] = row[0]
        return self._ids[stream]

    def _id(self, stream: StreamName) -> int:
        """The number of a stream, given to it now if it had none. Within a transaction."""
        if self._known(stream) < 0:
            sql = "INSERT INTO stream (camera, stream) VALUES (?, ?)"
            cursor = self._connection.execute(sql, (stream.camera, stream.stream))
            return cursor.lastrowid or -1
        return self._ids[stream]

    def _transaction(self) -> _Transaction:
        return _Transaction(self._connection, self._ids)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Rows are never garbage in a cycle; but ten thousand new ones make the collector walk all that lives,
    again and again.
    """
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()


class _Transaction:
    """BEGIN IMMEDIATE, so that a lock is met before anything is done; then all or nothing."""

    def __init__(self, connection: sqlite3.Connection, ids: dict[StreamName, int]) -> None:
        self._connection = connection
        self._ids = ids

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        self._ids.clear()  # some may have been given out just now
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _place(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise IndexMissing("there is no index: nvr index rebuild makes it from the store") from error
    return found.st_dev, found.st_ino
