"""Asking a large index: eight cameras with two streams each, a segment every ten seconds, a month."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.processes import MeasuringFailed
from bench.programs import Took
from bench.scale import Scale
from bench.scene import Place
from bench.table import Findings, Goal, Row
from pipeline.index import Index, index_path, rebuild
from pipeline.model import StreamName
from pipeline.names import DAY_MS
from pipeline.store import create

_BEGAN_MS = 1_795_305_600_000
_STEP_MS = 10_000
_STREAMS = [StreamName(f"camera{number}", stream) for number in range(8) for stream in ("main", "sub")]
_DAY_ROWS = DAY_MS // _STEP_MS
_WARM, _COLD = 100, 20
# Hour after hour, each stream in turn: rows come in the order in which recorders publish.
_FILL = """
WITH RECURSIVE stream(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM stream WHERE id < ?1),
  number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < ?2 - 1)
INSERT INTO segment SELECT id, ?3 + n * 10000, n, 10000, 0, 5000000 + n % 1000, 0 FROM number, stream
"""


def measure(scale: Scale, place: Place) -> Findings:
    """A day of one camera: both its streams."""
    root = place.disk / "store"
    create(root, bytes(16), datetime(2026, 11, 22, tzinfo=UTC))
    rebuild(root)
    _fill(index_path(root), scale.index_days * _DAY_ROWS)
    chosen = random.Random(1)
    warm = _warm(root, scale.index_days, chosen)
    cold = [_cold(root, scale.index_days, chosen) for _ in range(_COLD)]
    rows, size = scale.index_days * _DAY_ROWS * len(_STREAMS), index_path(root).stat().st_size
    return Findings(
        [
            _row(f"a camera's day out of {rows / 1e6:.1f} million rows: CPU", warm),
            _row("the same, nothing of the index in memory: CPU", cold),
        ],
        [f"The index of {rows:,} rows has {size / 1e6:.0f} MB; a day of a camera is {2 * _DAY_ROWS:,} rows."],
    )


def _row(what: str, took: Sequence[Took]) -> Row:
    cpu_ms, wall_ms = median(one.cpu_s for one in took) * 1000, median(one.wall_s for one in took) * 1000
    best_ms = min(one.wall_s for one in took) * 1000
    return Row(
        what,
        f"{cpu_ms:.1f} ms ({wall_ms:.1f} ms wall, best {best_ms:.1f})",
        goal=Goal("≤", 20, "ms"),
        figure=cpu_ms,
    )


def _fill(file: Path, count: int) -> None:
    with closing(sqlite3.connect(file)) as connection:
        names = [(number, one.camera, one.stream) for number, one in enumerate(_STREAMS, start=1)]
        connection.executemany("INSERT INTO stream VALUES (?, ?, ?)", names)
        connection.execute(_FILL, (len(_STREAMS), count, _BEGAN_MS))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _day(index: Index, days: int, chosen: random.Random) -> Took:
    """Reads a random camera's random day."""
    camera = chosen.choice(_STREAMS).camera
    from_ms = _BEGAN_MS + chosen.randrange(days) * DAY_MS
    began_s, began_cpu_s = time.perf_counter(), time.thread_time()
    rows = [index.rows(StreamName(camera, s), from_ms, from_ms + DAY_MS) for s in ("main", "sub")]
    cpu_s = time.thread_time() - began_cpu_s
    took = Took(time.perf_counter() - began_s, cpu_s, cpu_s)
    if sum(map(len, rows)) != 2 * _DAY_ROWS:
        raise MeasuringFailed(f"a day had {sum(map(len, rows))} rows instead of {2 * _DAY_ROWS}")
    return took


def _warm(root: Path, days: int, chosen: random.Random) -> list[Took]:
    with Index(index_path(root), read_only=True) as index:
        for _ in range(3):
            _day(index, days, chosen)
        return [_day(index, days, chosen) for _ in range(_WARM)]


def _cold(root: Path, days: int, chosen: random.Random) -> Took:
    with index_path(root).open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with Index(index_path(root), read_only=True) as index:
        return _day(index, days, chosen)
