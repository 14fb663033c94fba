"""Opens segments that were never finished: whole chunks first, then the tail records that go on from there.

Rules:
- Only for what is known to be unfinished: flag u in the name, or a `.part` with its `.tail`. A finished
  segment that lost its end must not be read here, for this would hide the loss.
- Everything handed out is verified. Pieces come in order and without a hole; what cannot be joined is left
  out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from crypto.errors import CryptoError, DamagedPayload
from crypto.identity import Identity
from crypto.unseal import salvage, unseal_bytes
from pipeline.store.tail import MAGIC, TailRecord, read_record, read_records


def unfinished_plaintext(file: BinaryIO, identities: Sequence[Identity]) -> Iterator[bytes]:
    """The plaintext of an unfinished segment (flag u), piece by piece; `file` stands at its beginning.

    Raises WrongIdentity and DamagedHeader before the first piece, DamagedPayload after the pieces before the
    damage.
    """
    salvaged = salvage(file, identities, stop_marker=MAGIC)
    reach = 0
    for chunk in salvaged:
        reach += len(chunk)
        yield chunk
    if not salvaged.ended:
        file.seek(salvaged.end_offset)
        yield from _continued(read_records(file), reach, identities, salvaged.end_offset)


def growing_plaintext(part: BinaryIO, tail: BinaryIO, identities: Sequence[Identity]) -> Iterator[bytes]:
    """The plaintext of a segment that is being written now, up to about now. Raises as
    `unfinished_plaintext`.

    The length of the log is taken before the chunks are read: so every record that is used went before some
    chunk that was read, or continues the last of them.
    """
    log_bytes = tail.seek(0, 2)
    tail.seek(0)
    salvaged = salvage(part, identities)
    reach = 0
    for chunk in salvaged:
        reach += len(chunk)
        yield chunk
    if not salvaged.ended:
        yield from _continued(_up_to(tail, log_bytes), reach, identities, salvaged.end_offset)


def _up_to(tail: BinaryIO, log_bytes: int) -> Iterator[TailRecord]:
    while tail.tell() < log_bytes and (record := read_record(tail)) is not None:
        yield record


def _continued(
    records: Iterable[TailRecord], reach: int, identities: Sequence[Identity], offset: int
) -> Iterator[bytes]:
    for record in records:
        if record.plain_offset > reach:
            return
        if record.plain_end > reach:
            yield _open(record, identities, offset)[reach - record.plain_offset :]
            reach = record.plain_end


def _open(record: TailRecord, identities: Sequence[Identity], offset: int) -> bytes:
    try:
        opened = unseal_bytes(record.sealed, identities)
    except CryptoError:
        raise DamagedPayload("A record of this unfinished segment does not open.", offset) from None
    if len(opened) != record.plain_bytes:
        raise DamagedPayload("A record of this unfinished segment does not hold what it says.", offset)
    return opened
