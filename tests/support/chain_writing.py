"""A chain as a recorder and a supervisor write it, on a store with real segments; also as processes that a
test kills: `python -m … WHAT ROOT STATE`.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crypto.recipient import Recipient
from pipeline.chain.content import content_of
from pipeline.chain.log import ChainBusy, ChainKeeper, ChainLog, ChainPlace, Head
from pipeline.chain.records import Expired, Gap, Reason, Record, Segment
from pipeline.chain.rotation import HOUR_NS
from pipeline.durable import DISK, DiskCalls
from pipeline.model import StreamName
from pipeline.names import DAY_MS, StoredSegment
from pipeline.store import Store
from tests.support.store_writing import DEVICE, FRONT, NOON_MS, SEGMENT_MS, write_segment


def chain_record(root: Path, segment: StoredSegment, *, found: bool = False) -> Segment:
    """The record of a stored segment."""
    name = segment.name
    with (root / segment.path).open("rb", buffering=0) as file:
        content = content_of(file, unfinished=name.unfinished)
    return Segment(
        segment.stream.stream,
        name.sequence,
        name.start_ms,
        name.duration_ms,
        content.size_bytes,
        1,
        content.digest,
        name.clock_unsure,
        name.unfinished,
        found,
    )


@dataclass
class Box:
    """A device whose clock a test turns."""

    root: Path
    state_dir: Path
    now_ms: int = NOON_MS
    disk: DiskCalls = DISK
    logs: dict[str, ChainLog] = field(default_factory=dict)
    boot_ns: int = HOUR_NS
    keeper: ChainKeeper = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def place(self) -> ChainPlace:
        """Where things are."""
        return ChainPlace(self.root, self.state_dir, DEVICE)

    def restart(self) -> None:
        """As when all processes end and begin again."""
        self.keeper = ChainKeeper(self.place, self.disk)
        self.logs = {}

    def log(self, camera: str = "front") -> ChainLog:
        """The camera's chain."""
        if camera not in self.logs:
            self.logs[camera] = ChainLog(self.keeper, camera, disk=self.disk)
        return self.logs[camera]

    def append(self, *records: Record, camera: str = "front", sign: bool = False) -> Head:
        """Appends, now."""
        return self.log(camera).append(records, self.now_ms, sign=sign)

    def sign(self, camera: str = "front") -> Head:
        """Signs, now."""
        return self.append(camera=camera, sign=True)

    def tend(self, *, sure: bool = True, damaged: bool = False) -> bool:
        """What upkeep does."""
        return self.keeper.tend(self.now_ms, self.boot_ns, sure=sure, damaged=damaged)

    def next_day(self) -> None:
        """A day passes, and the key is exchanged."""
        self.now_ms += DAY_MS
        self.boot_ns += 24 * HOUR_NS
        self.tend()

    def record(
        self,
        store: Store,
        recipients: Sequence[Recipient],
        sequences: Sequence[int],
        stream: StreamName = FRONT,
    ) -> list[StoredSegment]:
        """Writes and chains segments, the first at the present time, and signs."""
        segments = []
        for place, sequence in enumerate(sequences):
            start_ms = self.now_ms + place * SEGMENT_MS
            segment = write_segment(store, recipients, sequence, start_ms, stream)
            self.append(chain_record(store.root, segment), camera=stream.camera)
            segments.append(segment)
        self.sign(stream.camera)
        return segments

    def expire(self, segments: Sequence[StoredSegment], reason: Reason = Reason.AGE) -> None:
        """Tombstones first, then the files."""
        for segment in segments:
            stream = segment.stream
            self.append(Expired(stream.stream, reason, segment.name.sequence, 1), camera=stream.camera)
            (self.root / segment.path).unlink()
            self.sign(stream.camera)


def _append_for_ever(box: Box) -> None:
    for number in itertools.count():
        try:
            head = box.append(Gap("main", NOON_MS + number, "test"), sign=number % 5 == 0)
        except ChainBusy:
            continue
        print(head.number, head.count, head.head.hex(), flush=True)


def _rotate_for_ever(box: Box) -> None:
    while True:
        try:
            box.next_day()
        except ChainBusy:
            continue
        print("rotated", flush=True)
        time.sleep(0.001)


if __name__ == "__main__":
    what, root, state = sys.argv[1:]
    {"append": _append_for_ever, "rotate": _rotate_for_ever}[what](Box(Path(root), Path(state)))
