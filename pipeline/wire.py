"""The packet wire format of the tap and of the encoder process: bytes in, values out; no I/O.

A message is `u32 length` (big-endian, of what follows), `u8 type`, body:

- HELLO (1): a JSON object: `format` 1, `epoch`, `anchor` (`pts` and `utc_ns`, or null), `video`, `audio` or
  null, `note`. The anchor says which UTC instant a video pts is. A new HELLO means new parameters: a decoder
  starts afresh with the packet that follows; `epoch` grows by one with each.
- PACKET (2): `u8 kind` (0 video, 1 audio), `u8 flags` (1 = keyframe), `i64 pts`, `i64 dts`, `u32 duration`,
  `u64 arrived_ns`, then the access unit as `pipeline.model.Packet` defines it.
- DROPPED (3): `u32 packets`, `u32 gops`: what the reader was too slow for, since the last such message.

A message longer than `MAX_MESSAGE_BYTES` or of an unknown type is an error: both ends are of one version.
"""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from typing import Any

from pipeline.model import Codec, Kind, Packet, StreamInfo, Track

MAX_MESSAGE_BYTES = 32 * 1024 * 1024  # an 8K keyframe stays below 16 MiB
_HEAD = struct.Struct(">IB")
_PACKET = struct.Struct(">BBqqIQ")
_DROPPED = struct.Struct(">II")
_HELLO_TYPE, _PACKET_TYPE, _DROPPED_TYPE = 1, 2, 3
_KINDS = (Kind.VIDEO, Kind.AUDIO)


class WireError(ValueError):
    """The bytes are not of this format: end the connection."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The UTC instant (ns) at which the video timestamp `pts` is shown."""

    pts: int
    utc_ns: int


@dataclass(frozen=True, slots=True)
class Hello:
    """What a stream carries from here on, and how its timestamps map to UTC."""

    info: StreamInfo
    epoch: int
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """How much a slow reader has lost since it was last told."""

    packets: int
    gops: int


Message = Hello | Packet | Dropped


def encode_hello(info: StreamInfo, epoch: int = 0, anchor: Anchor | None = None) -> bytes:
    """The HELLO message for `info`."""
    body = {
        "format": 1,
        "epoch": epoch,
        "anchor": {"pts": anchor.pts, "utc_ns": anchor.utc_ns} if anchor else None,
        "video": _track_to_json(info.video),
        "audio": _track_to_json(info.audio) if info.audio else None,
        "note": info.note,
    }
    return _message(_HELLO_TYPE, json.dumps(body).encode())


def encode_packet_head(packet: Packet) -> bytes:
    """Everything of a PACKET message but the data, which the sender appends (no copy of a large keyframe)."""
    kind = 0 if packet.kind is Kind.VIDEO else 1
    fields = _PACKET.pack(
        kind, packet.is_keyframe, packet.pts, packet.dts, packet.duration, packet.arrived_ns
    )
    return _HEAD.pack(1 + len(fields) + len(packet.data), _PACKET_TYPE) + fields


def encode_packet(packet: Packet) -> bytes:
    """The whole PACKET message."""
    return encode_packet_head(packet) + packet.data


def encode_dropped(dropped: Dropped) -> bytes:
    """The DROPPED message."""
    return _message(_DROPPED_TYPE, _DROPPED.pack(dropped.packets, dropped.gops))


class Decoder:
    """Turns a byte stream, in pieces of any size, into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> list[Message]:
        """The messages that `data` completes. Raises WireError for bytes that are not of the format."""
        self._buffer += data
        messages: list[Message] = []
        at = 0
        while (end := self._end(at)) is not None:
            messages.append(_decode(bytes(memoryview(self._buffer)[at + 4 : end])))
            at = end
        del self._buffer[:at]
        return messages

    def _end(self, at: int) -> int | None:
        """Where the message that begins `at` ends; None while it is not whole."""
        if len(self._buffer) < at + 4:
            return None
        length = int.from_bytes(self._buffer[at : at + 4], "big")
        if not 1 <= length <= MAX_MESSAGE_BYTES:
            raise WireError(f"a message of {length} bytes is not possible")
        end = at + 4 + length
        return end if len(self._buffer) >= end else None


def _decode(body: bytes) -> Message:
    try:
        match body[0]:
            case 1:
                return _decode_hello(body[1:])
            case 2:
                return _decode_packet(body)
            case 3:
                return Dropped(*_DROPPED.unpack(body[1:]))
    except (ValueError, KeyError, TypeError, struct.error, IndexError) as error:
        raise WireError(f"a message of type {body[0]} is malformed") from error
    raise WireError(f"a message of unknown type {body[0]}")


def _decode_packet(body: bytes) -> Packet:
    kind, flags, pts, dts, duration, arrived_ns = _PACKET.unpack_from(body, 1)
    return Packet(_KINDS[kind], pts, dts, duration, bool(flags & 1), arrived_ns, body[1 + _PACKET.size :])


def _decode_hello(body: bytes) -> Hello:
    fields = json.loads(body)
    if fields["format"] != 1:
        raise WireError("a HELLO of another format")
    info = StreamInfo(
        _track_from_json(fields["video"]),
        _track_from_json(fields["audio"]) if fields["audio"] else None,
        str(fields["note"]),
    )
    anchor = fields["anchor"]
    return Hello(
        info, int(fields["epoch"]), Anchor(int(anchor["pts"]), int(anchor["utc_ns"])) if anchor else None
    )


def _message(message_type: int, body: bytes) -> bytes:
    return _HEAD.pack(1 + len(body), message_type) + body


def _track_to_json(track: Track) -> dict[str, Any]:
    return {
        "kind": track.kind.value,
        "codec": track.codec.value,
        "timescale": track.timescale,
        "extradata": base64.b64encode(track.extradata).decode(),
        "width": track.width,
        "height": track.height,
        "channels": track.channels,
        "reorder": track.reorder,
    }


def _track_from_json(fields: dict[str, Any]) -> Track:
    return Track(
        Kind(fields["kind"]),
        Codec(fields["codec"]),
        int(fields["timescale"]),
        base64.b64decode(fields["extradata"], validate=True),
        int(fields["width"]),
        int(fields["height"]),
        int(fields["channels"]),
        int(fields["reorder"]),
    )
