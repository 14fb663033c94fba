"""Where a chain stands after some of its records. Pure.

`head` and `count` are those after the last record taken; `count` is of all records since the camera's first.
The streams' table is that of the START brought up to date.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.chain.records import (
    MOST_STREAMS,
    NO_HEAD,
    Collapsed,
    DamagedRecord,
    Expired,
    Record,
    Segment,
    Signed,
    Start,
    StreamCheckpoint,
    encode,
    head_after,
    read_record,
    signed_message,
)


class Fold:
    """A chain's standing within one file, which `start` began. Made with the standing right behind START, or
    with that of a later place (`head`, `count`).
    """

    def __init__(self, start: Start, head: bytes | None = None, count: int | None = None) -> None:
        self.start = start
        self.start_digest = start.digest
        self.head = head_after(start.head, start) if head is None else head
        self.count = start.count + 1 if count is None else count
        self.streams = {stream.name: stream for stream in start.streams}
        self.unsigned = 1
        self.collapsed = 0
        self.last_signed_ms = 0

    def copy(self) -> Fold:
        """The same standing, to be changed apart."""
        other = Fold.__new__(Fold)
        other.__dict__.update(self.__dict__)
        other.streams = dict(self.streams)
        return other

    @property
    def number(self) -> int:
        """Of the file, and so of the day key that signs it."""
        return self.start.number

    def next_sequence(self, stream: str) -> int:
        """One above the stream's highest sequence in the chain; 0 when it has none."""
        found = self.streams.get(stream)
        return found.next_sequence if found else 0

    def signed_message(self, at_ms: int) -> bytes:
        """What the day key would sign here."""
        return signed_message(self.start_digest, self.head, at_ms)

    def append(self, record: Record) -> bytes:
        """Takes a record that is to be written next, and returns its bytes. Raises DamagedRecord if it can
        not stand here.
        """
        data = encode(record, self.head)
        self.take(record, head_after(self.head, record))
        return data

    def read(self, data: bytes, at: int) -> tuple[Record, int]:
        """Takes the record that begins at `at`; returns it and where it ends. Raises as `read_record`."""
        found = read_record(data, at, self.head)
        self.take(found.record, found.head)
        return found.record, found.end

    def take(self, record: Record, head: bytes) -> None:
        """Goes on behind `record`, after which the chain has `head`. Raises DamagedRecord, having changed
        nothing.
        """
        match record:
            case Start():
                raise DamagedRecord("a START stands in the middle of a file")
            case Segment():
                self._take_segment(record)
            case Expired():
                self._take_expired(record)
            case Collapsed():
                self.collapsed = max(self.collapsed, record.number)
            case _:
                pass
        self.head = head
        self.count += 1
        self.unsigned += 1
        if isinstance(record, Signed):
            self.unsigned, self.last_signed_ms = 0, record.at_ms

    def _take_segment(self, segment: Segment) -> None:
        stream = self.streams.get(segment.stream, StreamCheckpoint(segment.stream))
        if segment.stream not in self.streams and len(self.streams) >= MOST_STREAMS:
            raise DamagedRecord(f"the chain has more than {MOST_STREAMS} streams")
        self.streams[segment.stream] = replace(
            stream,
            next_sequence=max(stream.next_sequence, segment.sequence + 1),
            generation=segment.generation,
            kept=stream.kept + 1,
        )

    def _take_expired(self, expired: Expired) -> None:
        if stream := self.streams.get(expired.stream):
            self.streams[expired.stream] = replace(stream, kept=max(0, stream.kept - expired.count))

    def next_start(self, number: int, nonce: bytes) -> Start:
        """The START of the file that goes on behind this standing."""
        table = tuple(self.streams[name] for name in sorted(self.streams))
        return Start(number, self.start.device, self.start.camera, self.count, self.head, nonce, table)


def first_start(number: int, device: bytes, camera: str, nonce: bytes) -> Start:
    """The START of a camera's first file."""
    return Start(number, device, camera, 0, NO_HEAD, nonce)
