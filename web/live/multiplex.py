"""Several live streams on one HTTP answer: the frames. Pure. All numbers are big-endian and unsigned.

| bytes | what |
| --- | --- |
| 4 | length of what follows, 3 to 33,554,432 |
| 1 | type |
| 2 | stream: its place in the request, from 0; 65535 for none |
| … | body |

| type | name | body |
| --- | --- | --- |
| 0 | IDLE | empty, stream 65535: nothing else has come for ten seconds |
| 1 | INIT | 2 bytes: length of the JSON; the JSON object; an init segment (`ftyp`, `uuid`, `moov`) |
| 2 | FRAGMENT | `moof` and `mdat`, one packet or a few, at most 0.1 s of video |
| 3 | STATE | JSON: `{"state": "away", "why": "recorder"}`, why also `camera`; or `{"state": "live"}` |
| 4 | DROPPED | JSON: `{"packets": 31, "gops": 1}`: lost here since last told, because this client is slow |

The JSON of INIT is `{"type": "video/mp4; codecs=\\"avc1.64001f, mp4a.40.2\\"", "begin_ms": 1795356300000,
"note": ""}`: `type` is for `MediaSource.isTypeSupported`, `begin_ms` the UTC instant of decode time 0 or
null, `note` what the recorder changed.

A player: for each INIT calls `changeType` if `type` is another one, and sets `timestampOffset` to the end of
what it has buffered, since times begin at 0 again. After DROPPED times go on behind a gap: it seeks to the
newest. A type that it does not know it skips.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from pipeline.wire import Dropped
from web.live.heard import Away, Back

CONTENT_TYPE = "application/octet-stream"
MAX_FRAME_BYTES = 32 * 1024 * 1024
NO_STREAM = 0xFFFF
_HEAD = struct.Struct(">IBH")
_HEAD_BYTES_COUNTED = 3
_NS_IN_MS = 1_000_000


class FrameType(IntEnum):
    """What a frame holds."""

    IDLE = 0
    INIT = 1
    FRAGMENT = 2
    STATE = 3
    DROPPED = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; `bytes()` is how it goes out."""

    kind: FrameType
    stream: int
    body: bytes

    def __bytes__(self) -> bytes:
        return _HEAD.pack(_HEAD_BYTES_COUNTED + len(self.body), self.kind, self.stream) + self.body


IDLE = Frame(FrameType.IDLE, NO_STREAM, b"")


def init_frame(stream: int, mime_type: str, begin_ns: int | None, note: str, data: bytes) -> Frame:
    """`data` is the init segment; `begin_ns` UTC nanoseconds."""
    begin_ms = None if begin_ns is None else begin_ns // _NS_IN_MS
    head = _json({"type": mime_type, "begin_ms": begin_ms, "note": note})
    return Frame(FrameType.INIT, stream, len(head).to_bytes(2, "big") + head + data)


def fragment_frame(stream: int, data: bytes) -> Frame:
    """`data` is a moof and its mdat."""
    return Frame(FrameType.FRAGMENT, stream, data)


def note_frame(stream: int, note: Away | Back | Dropped) -> Frame:
    """What became of the stream."""
    match note:
        case Away(why):
            return Frame(FrameType.STATE, stream, _json({"state": "away", "why": why.value}))
        case Back():
            return Frame(FrameType.STATE, stream, _json({"state": "live"}))
        case Dropped(packets, gops):
            return Frame(FrameType.DROPPED, stream, _json({"packets": packets, "gops": gops}))


def parse(data: bytes) -> Iterator[Frame]:
    """The whole frames in `data`, as a player reads them. Raises ValueError for what is none."""
    at = 0
    while at < len(data):
        try:
            length, kind, stream = _HEAD.unpack_from(data, at)
        except struct.error:
            raise ValueError("a frame is cut short") from None
        end = at + 4 + length
        if not _HEAD_BYTES_COUNTED <= length <= MAX_FRAME_BYTES or end > len(data):
            raise ValueError("a frame has an impossible length")
        yield Frame(FrameType(kind), stream, data[at + _HEAD.size : end])
        at = end


def _json(value: dict[str, object]) -> bytes:
    return json.dumps(value).encode()
