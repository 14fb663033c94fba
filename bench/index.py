"""Asking a large index: eight cameras with two streams each, a segment every ten seconds, a month."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.processes import MeasuringFailed
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
    warm = median(_warm(root, scale.index_days, chosen))
    cold = median(_cold(root, scale.index_days, chosen) for _ in range(_COLD))
    rows, size = scale.index_days * _DAY_ROWS * len(_STREAMS), index_path(root).stat().st_size
    goal = Goal("≤", 20, "ms")
    return Findings(
        [
            Row(
                f"a camera's day out of {rows / 1e6:.1f} million rows",
                f"{warm:.1f} ms",
                goal=goal,
                figure=warm,
            ),
            Row("the same, nothing of the index in memory", f"{cold:.1f} ms", goal=goal, figure=cold),
        ],
        [f"The index of {rows:,} rows has {size / 1e6:.0f} MB; a day of a camera is {2 * _DAY_ROWS:,} rows."],
    )


def _fill(file: Path, count: int) -> None:
    with closing(sqlite3.connect(file)) as connection:
        names = [(number, one.camera, one.stream) for number, one in enumerate(_STREAMS, start=1)]
        connection.executemany("INSERT INTO stream VALUES (?, ?, ?)", names)
        connection.execute(_FILL, (len(_STREAMS), count, _BEGAN_MS))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _day_ms(index: Index, days: int, chosen: random.Random) -> float:
    """Milliseconds to read a random camera's random day."""
    camera = chosen.choice(_STREAMS).camera
    from_ms = _BEGAN_MS + chosen.randrange(days) * DAY_MS
    began_s = time.perf_counter()
    rows = [
        row for s in ("main", "sub") for row in index.rows(StreamName(camera, s), from_ms, from_ms + DAY_MS)
    ]
    took_ms = (time.perf_counter() - began_s) * 1000
    if len(rows) != 2 * _DAY_ROWS:
        raise MeasuringFailed(f"a day had {len(rows)} rows instead of {2 * _DAY_ROWS}")
    return took_ms


def _warm(root: Path, days: int, chosen: random.Random) -> list[float]:
    with Index(index_path(root), read_only=True) as index:
        for _ in range(3):
            _day_ms(index, days, chosen)
        return [_day_ms(index, days, chosen) for _ in range(_WARM)]


def _cold(root: Path, days: int, chosen: random.Random) -> float:
    with index_path(root).open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with Index(index_path(root), read_only=True) as index:
        return _day_ms(index, days, chosen)
