"""`nvr index rebuild` on a store of many small segments, its names in the kernel's memory."""

from __future__ import annotations

import os

from bench.processes import MeasuringFailed
from bench.programs import timed
from bench.scale import Scale
from bench.scene import Place, household
from bench.table import Findings, Goal, Row
from crypto.recipient import parse_recipient
from crypto.seal import seal_bytes
from pipeline.household.choosing import choose
from pipeline.household.files import read_household
from pipeline.index import Index, index_path
from pipeline.model import StreamName
from pipeline.names import SegmentName, StoredSegment
from tests.support.household import Household

_BEGAN_MS = 1_795_305_600_000
_STEP_MS = 10_000
_STREAMS = [StreamName(f"camera{number}", stream) for number in range(4) for stream in ("main", "sub")]


def measure(scale: Scale, place: Place) -> Findings:
    """The whole command, from typing it to its end, once warmed."""
    house = household(place.memory, place.memory)
    count = _fill(house, scale.rebuilt_segments)
    command = house.command("index", "rebuild")
    timed(command)
    took = timed(command)
    with Index(index_path(house.store), read_only=True) as index:
        found = sum(total.segments for total in index.totals().values())
    if found != count:
        raise MeasuringFailed(f"the rebuilt index has {found} segments instead of {count}")
    rate = count / took.wall_s
    return Findings(
        [
            Row(
                f"nvr index rebuild, {count:,} segments: segments a second",
                f"{rate:,.0f} ({took} in all)",
                goal=Goal("≥", 20_000),
                figure=rate,
            )
        ]
    )


def _fill(house: Household, count: int) -> int:
    """Segments of real names, each a whole age file of nothing; how many."""
    choice = choose(read_household(house.store).manifest, _STREAMS[0].camera, _BEGAN_MS)
    content = seal_bytes(b"", [parse_recipient(choice.recipient)])
    each = count // len(_STREAMS)
    for stream in _STREAMS:
        directory = ""
        for number in range(each):
            name = SegmentName(_BEGAN_MS + number * _STEP_MS, _STEP_MS, number)
            path = house.store / StoredSegment(stream, name, len(content)).path
            if str(path.parent) != directory:
                directory = str(path.parent)
                path.parent.mkdir(parents=True)
            _write(str(path), content)
    return each * len(_STREAMS)


def _write(path: str, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(file, content)
    os.close(file)
