"""A house whose store is verified: two cameras, two days; and how an attacker writes into its chains."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

from crypto.recipient import Recipient
from pipeline.chain.day_key import opened
from pipeline.chain.findings import Fault, Report
from pipeline.chain.folding import Fold
from pipeline.chain.footage_check import Asked
from pipeline.chain.heads import Heads
from pipeline.chain.reading import read_chain_file
from pipeline.chain.records import Record, Signed, Start, encode
from pipeline.chain.verify import Question, verify
from pipeline.model import StreamName
from pipeline.names import StoredSegment, chain_path
from pipeline.store import Store
from tests.support.chain_writing import Box
from tests.support.store_writing import DEVICE, FRONT

SUB = StreamName("front", "sub")
BACK = StreamName("back", "main")
DAYS = Path("keys/days.jsonl")


@dataclasses.dataclass
class House:
    """Two cameras, two days, and the head that a member remembered at noon of the second."""

    store: Store
    box: Box
    segments: dict[StreamName, list[StoredSegment]]
    first_key: bytes
    recipients: list[Recipient]
    head: Heads

    @property
    def root(self) -> Path:
        return self.store.root

    def path(self, stream: StreamName, sequence: int) -> Path:
        return self.root / self.segments[stream][sequence].path

    def verify(
        self,
        *,
        heads: bool = False,
        owned: Collection[bytes] | None = (),
        asked: Asked | None = None,
        cameras: Collection[str] = (),
        now_s: float | None = None,
    ) -> Report:
        question = Question(
            DEVICE,
            frozenset(cameras),
            asked or Asked(),
            [self.first_key] if owned == () else owned,
            {"anna": self.head} if heads else {},
        )
        return verify(self.root, question, self.box.now_ms / 1000 if now_s is None else now_s)

    def faults(self, *, heads: bool = False) -> list[tuple[Fault, str]]:
        return [(one.fault, one.path) for one in self.verify(heads=heads).findings]

    def kinds(self, *, heads: bool = False) -> set[Fault]:
        return {one.fault for one in self.verify(heads=heads).findings}

    def day(self, sequences: range) -> None:
        for stream in (FRONT, SUB, BACK):
            self.segments.setdefault(stream, []).extend(
                self.box.record(self.store, self.recipients, sequences, stream)
            )


def heads_of(box: Box) -> Heads:
    heads = {camera: box.sign(camera) for camera in ("front", "back")}
    return Heads("", DEVICE, box.now_ms, 0, "", heads)


def chain_file(house: House, number: int, camera: str = "front") -> Path:
    return house.root / chain_path(camera, number)


def records_of(house: House, number: int, camera: str = "front") -> list[Record]:
    return list(read_chain_file(house.root, camera, number))


def write_chain(house: House, number: int, records: list[Record], camera: str = "front") -> Fold:
    """A chain's file made anew, as whoever knows the format can."""
    start = records[0]
    assert isinstance(start, Start)
    fold, data = Fold(start), encode(start, start.head)
    for record in records[1:]:
        data += fold.append(record)
    chain_file(house, number, camera).write_bytes(data)
    return fold


def signed_by_today(house: House, fold: Fold, at_ms: int) -> Signed:
    with opened(house.box.place.day_key) as (_, signer):
        return Signed(at_ms, signer.sign(fold.signed_message(at_ms)))
