"""The records of a chain: made and parsed here, nowhere else. Pure.

    record:      length (varint: kind and body)  kind (1 byte)  body  check (4 bytes)
    head after:  SHA-256(head before || kind || body);  check: its first four bytes

Rules:
- There is one spelling of each record: `parse_body(record.kind, record.body) == record`, and the other way
  round.
- A record says all of itself: none depends on numbers in another, so a slice of a chain can be judged alone.
- Numbers are unsigned LEB128 varints in their shortest form. Times are UTC milliseconds.
- What is no such record raises `DamagedRecord`; what merely ends too early, `TornRecord`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import ClassVar

from pipeline.chain.varints import DamagedRecord, Reader, TornRecord, text, varint
from pipeline.names import LAST_MS, LAST_SEQUENCE, LONGEST_MS, NotAName, camera_name, stored_stream_name

VERSION = 1
HASH_BYTES = 32
CHECK_BYTES = 4
DEVICE_BYTES = 16
NONCE_BYTES = 16
SIGNATURE_BYTES = 64
NO_HEAD = bytes(HASH_BYTES)
MOST_STREAMS = 16
LONGEST_REASON_BYTES = 200
LONGEST_BODY = 1250  # a START with 16 streams of the longest names
LONGEST_RECORD = 2 + 1 + LONGEST_BODY + CHECK_BYTES
_LAST_NUMBER = 1 << 40  # of files, generations, counts: more than there will ever be

__all__ = ["DamagedRecord", "TornRecord"]


class Reason(IntEnum):
    """Why a segment expired."""

    AGE = 1
    CAMERA_BYTES = 2
    STORE_BYTES = 3
    FREE_SPACE = 4
    NO_EVENT = 5


@dataclass(frozen=True, slots=True)
class StreamCheckpoint:
    """A stream at the beginning of a file: `next_sequence` is one above the highest so far; `generation` the
    last one used, 0 for none; `kept` how many of its segments in the chain had not expired.
    """

    name: str
    next_sequence: int = 0
    generation: int = 0
    kept: int = 0

    def __bytes__(self) -> bytes:
        return text(self.name) + varint(self.next_sequence) + varint(self.generation) + varint(self.kept)


@dataclass(frozen=True, slots=True)
class Start:
    """The first record of each file: `count` and `head` are those of the chain before it."""

    kind: ClassVar[int] = 1
    number: int
    device: bytes
    camera: str
    count: int
    head: bytes
    nonce: bytes = field(repr=False)
    streams: tuple[StreamCheckpoint, ...] = ()

    @property
    def body(self) -> bytes:
        """The bytes on disk behind the kind."""
        table = b"".join(map(bytes, self.streams))
        place = bytes([VERSION]) + varint(self.number) + self.device + text(self.camera)
        return place + varint(self.count) + self.head + self.nonce + bytes([len(self.streams)]) + table

    @property
    def digest(self) -> bytes:
        """What a certificate commits itself to, and every signature in the file includes."""
        return sha256(self.body).digest()


@dataclass(frozen=True, slots=True)
class Segment:
    """A published segment. `found`: seen at a start, not while it was recorded. `content`: as in
    `pipeline.chain.content`.
    """

    kind: ClassVar[int] = 2
    stream: str
    sequence: int
    start_ms: int
    duration_ms: int
    size_bytes: int
    generation: int
    content: bytes
    clock_unsure: bool = False
    unfinished: bool = False
    found: bool = False

    @property
    def body(self) -> bytes:
        """The bytes on disk behind the kind."""
        flags = self.clock_unsure | self.unfinished << 1 | self.found << 2
        numbers = (self.generation, self.sequence, self.start_ms, self.duration_ms, self.size_bytes)
        return text(self.stream) + bytes([flags]) + b"".join(map(varint, numbers)) + self.content


@dataclass(frozen=True, slots=True)
class Gap:
    """Recording of a stream stopped, and why (short words)."""

    kind: ClassVar[int] = 3
    stream: str
    at_ms: int
    reason: str

    @property
    def body(self) -> bytes:
        """The bytes on disk behind the kind."""
        return text(self.stream) + varint(self.at_ms) + self.reason.encode()


@dataclass(frozen=True, slots=True)
class Expired:
    """`count` segments from `first` on, by their sequence, are deleted for `reason`."""

    kind: ClassVar[int] = 4
    stream: str
    reason: Reason
    first: int
    count: int

    @property
    def body(self) -> bytes:
        """The bytes on disk behind the kind."""
        return text(self.stream) + bytes([self.reason]) + varint(self.first) + varint(self.count)


@dataclass(frozen=True, slots=True)
class Signed:
    """The day key of the file's number signs `signed_message` of everything before."""

    kind: ClassVar[int] = 5
    at_ms: int
    signature: bytes = field(repr=False)

    @property
    def body(self) -> bytes:
        """The bytes on disk behind the kind."""
        return varint(self.at_ms) + self.signature


@dataclass(frozen=True, slots=True)
class Collapsed:
    """The camera's files up to `number` are removed: all their segments had expired."""

    kind: ClassVar[int] = 6
    number: int

    @property
    def body(self) -> bytes:
        """The bytes on disk behind the kind."""
        return varint(self.number)


Record = Start | Segment | Gap | Expired | Signed | Collapsed


@dataclass(frozen=True, slots=True)
class Read:
    """A record, the head after it, and where it ends."""

    record: Record
    head: bytes
    end: int


def head_after(head: bytes, record: Record) -> bytes:
    """The head of a chain that had `head` before the record."""
    return sha256(head + bytes([record.kind]) + record.body).digest()


def encode(record: Record, head: bytes) -> bytes:
    """The record as it is written behind the chain that has `head`."""
    framed = bytes([record.kind]) + record.body
    return varint(len(framed)) + framed + sha256(head + framed).digest()[:CHECK_BYTES]


def signed_message(start_digest: bytes, head: bytes, at_ms: int) -> bytes:
    """What a day key signs: the file by its START, the chain by its head, and the time."""
    return b"sealed-nvr/chain/v1\n" + start_digest + head + at_ms.to_bytes(8, "big")


def read_record(data: bytes, at: int, head: bytes | None) -> Read:
    """The record that begins at `at`, behind a chain with `head`; None: what a START says. Raises
    DamagedRecord, TornRecord.
    """
    reader = Reader(data, at)
    length = reader.varint(1 + LONGEST_BODY)
    if length < 1:
        raise DamagedRecord("a record has no kind")
    framed, check = reader.take(length), reader.take(CHECK_BYTES)
    record = parse_body(framed[0], framed[1:])
    if head is None:
        if not isinstance(record, Start):
            raise DamagedRecord("the file does not begin with a START")
        head = record.head
    after = sha256(head + framed).digest()
    if after[:CHECK_BYTES] != check:
        raise DamagedRecord("a record's check does not fit: it, or one before it, was changed")
    return Read(record, after, reader.at)


def parse_body(kind: int, body: bytes) -> Record:
    """The record of that kind. Raises DamagedRecord."""
    parse = _PARSERS.get(kind)
    if parse is None:
        raise DamagedRecord(f"a record has the kind {kind}, which this program does not know")
    reader = Reader(body)
    try:
        record = parse(reader)
    except TornRecord:
        raise DamagedRecord("a record is shorter than its kind is") from None
    except (NotAName, UnicodeDecodeError):
        raise DamagedRecord("a record has a name or reason that is none") from None
    if reader.at != len(body):
        raise DamagedRecord("a record is longer than its kind is")
    return record


def _parse_start(reader: Reader) -> Start:
    if reader.byte() != VERSION:
        raise DamagedRecord("the file is of a newer version: use a newer program")
    number, device = reader.varint(_LAST_NUMBER, 1), reader.take(DEVICE_BYTES)
    camera, count = camera_name(reader.text()), reader.varint(_LAST_NUMBER)
    head, nonce, streams = reader.take(HASH_BYTES), reader.take(NONCE_BYTES), reader.byte()
    if streams > MOST_STREAMS:
        raise DamagedRecord("a START has more streams than a camera can have")
    table = tuple(_parse_checkpoint(reader) for _ in range(streams))
    if len({stream.name for stream in table}) != len(table):
        raise DamagedRecord("a START names a stream twice")
    return Start(number, device, camera, count, head, nonce, table)


def _parse_checkpoint(reader: Reader) -> StreamCheckpoint:
    return StreamCheckpoint(
        _stream(reader),
        reader.varint(LAST_SEQUENCE + 1),
        reader.varint(_LAST_NUMBER),
        reader.varint(_LAST_NUMBER),
    )


def _stream(reader: Reader) -> str:
    return stored_stream_name("any", reader.text()).stream


def _parse_segment(reader: Reader) -> Segment:
    stream, flags, generation = _stream(reader), reader.byte(), reader.varint(_LAST_NUMBER)
    if flags > 7:
        raise DamagedRecord("a segment has a flag that this program does not know")
    sequence, start_ms = reader.varint(LAST_SEQUENCE), reader.varint(LAST_MS)
    duration_ms, size_bytes = reader.varint(LONGEST_MS), reader.varint(1 << 56)
    marks = bool(flags & 1), bool(flags & 2), bool(flags & 4)
    content = reader.take(HASH_BYTES)
    return Segment(stream, sequence, start_ms, duration_ms, size_bytes, generation, content, *marks)


def _parse_gap(reader: Reader) -> Gap:
    stream, at_ms, reason = _stream(reader), reader.varint(LAST_MS), reader.rest()
    if len(reason) > LONGEST_REASON_BYTES:
        raise DamagedRecord("a gap's reason is too long")
    return Gap(stream, at_ms, reason.decode())


def _parse_expired(reader: Reader) -> Expired:
    stream, reason = _stream(reader), reader.byte()
    if reason not in set(Reason):
        raise DamagedRecord("segments expired for a reason that this program does not know")
    return Expired(stream, Reason(reason), reader.varint(LAST_SEQUENCE), reader.varint(LAST_SEQUENCE, 1))


def _parse_signed(reader: Reader) -> Signed:
    return Signed(reader.varint(LAST_MS), reader.take(SIGNATURE_BYTES))


def _parse_collapsed(reader: Reader) -> Collapsed:
    return Collapsed(reader.varint(_LAST_NUMBER, 1))


_PARSERS: dict[int, Callable[[Reader], Record]] = {
    Start.kind: _parse_start,
    Segment.kind: _parse_segment,
    Gap.kind: _parse_gap,
    Expired.kind: _parse_expired,
    Signed.kind: _parse_signed,
    Collapsed.kind: _parse_collapsed,
}
