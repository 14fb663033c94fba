"""A part of a camera's chain as it lies in a bundle. Pure.

    the START of the file (a whole record)  count (varint)  head (32 bytes)  records as they stand in the file

Rules:
- `count` and `head` are those before the first record. A slice that begins right behind START says what
  follows from START; one that begins later says a head that only the next signature vouches for.
- `Slice.parse(bytes(piece)) == piece`, and nothing but a whole slice is parsed.
- Every signature is over the START as well: so a slice cannot be given to another camera or another day.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.chain.folding import Fold
from pipeline.chain.records import HASH_BYTES, DamagedRecord, Record, Start, encode, read_record
from pipeline.chain.varints import Reader, varint

_LAST_COUNT = 1 << 40


@dataclass(frozen=True, slots=True)
class Slice:
    """`records` are raw bytes; `head` and `count` are the chain's before the first of them."""

    start: Start
    count: int
    head: bytes
    records: bytes = field(repr=False)

    def __bytes__(self) -> bytes:
        return encode(self.start, self.start.head) + varint(self.count) + self.head + self.records

    @classmethod
    def parse(cls, data: bytes) -> Slice:
        """The slice in a file. Raises DamagedRecord; whether its records are whole is not asked."""
        found = read_record(data, 0, None)
        if not isinstance(found.record, Start):
            raise DamagedRecord("the slice does not begin with a START")
        reader = Reader(data, found.end)
        count, head = reader.varint(_LAST_COUNT), reader.take(HASH_BYTES)
        return cls(found.record, count, head, reader.rest())

    @property
    def begins_the_file(self) -> bool:
        """Whether nothing of the file is left out before its first record."""
        return self.count == self.start.count + 1

    def placed(self) -> list[Placed]:
        """Its records, each with its place in the chain. Raises DamagedRecord."""
        fold = Fold(self.start)
        if not self.begins_the_file:
            fold = Fold(self.start, self.head, self.count)
        elif fold.head != self.head:
            raise DamagedRecord("the slice does not go on where its START ends")
        found, at = [], 0
        while at < len(self.records):
            before = fold.head
            record, at = fold.read(self.records, at)
            found.append(Placed(record, fold.count, before, fold.head))
        return found


@dataclass(frozen=True, slots=True)
class Placed:
    """A record, the heads before and after it, and how many records there were with it."""

    record: Record
    count: int
    before: bytes = field(repr=False)
    head: bytes = field(repr=False)
