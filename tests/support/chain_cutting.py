"""A chain's file with its end cut off, as somebody does who wants the last recordings never to have been."""

from __future__ import annotations

from pipeline.chain.reading import ChainFile
from pipeline.chain.records import Segment


def cut_before(data: bytes, sequence: int) -> bytes:
    """Without the record of that segment and all that comes behind it."""
    file, end = ChainFile(data), 0
    for record in file:
        if isinstance(record, Segment) and record.sequence == sequence:
            return data[:end]
        end = file.at
    raise ValueError("the chain has no such segment")
