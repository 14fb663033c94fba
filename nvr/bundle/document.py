"""`bundle.json`: what the exporter says of a bundle, and signs. Pure, and strict.

Rules:
- Every key is always there, and no other. `from_noun(to_noun(document)) == document`.
- It names each file of the bundle with its digest, so that a changed, missing, added or renamed one is told.
- It is the exporter's word. What the recorder says stands in certificates and slices, and is believed without
  it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crypto.errors import BadSignature
from crypto.signing import SignedLine
from nvr.bundle.layout import is_ours
from nvr.errors import NvrError
from pipeline.names import LAST_MS, NotAName, camera_name, stream_name

PURPOSE = "bundle"
FORMAT = 1

_KEYS = {
    "format", "root", "device", "camera", "streams", "from_ms", "to_ms", "made_ms", "by", "recipient",
    "files", "headers",
}  # fmt: skip
_HEX = re.compile("[0-9a-f]*")


class BadDocument(NvrError):
    """`bundle.json` is not what an exporter wrote and signed."""


@dataclass(frozen=True, slots=True)
class Document:
    """A bundle of `camera`, recorded by `device` (16 bytes) in the household `root` (32 bytes).

    It holds what `streams` recorded from `from_ms` until before `to_ms`; the member `by` made it, sealed to
    the one-time `recipient`. `files` are SHA-256 digests (hex) by path, `headers` the header hashes (hex)
    that the segments had in the store.
    """

    root: bytes
    device: bytes
    camera: str
    streams: tuple[str, ...]
    from_ms: int
    to_ms: int
    made_ms: int
    by: str
    recipient: str
    files: Mapping[str, str] = field(hash=False)
    headers: Mapping[str, str] = field(hash=False)


def to_noun(document: Document) -> dict[str, Any]:
    """What `crypto.signing.sign(PURPOSE, …)` takes."""
    return {
        "format": FORMAT,
        "root": document.root.hex(),
        "device": document.device.hex(),
        "camera": document.camera,
        "streams": list(document.streams),
        "from_ms": document.from_ms,
        "to_ms": document.to_ms,
        "made_ms": document.made_ms,
        "by": document.by,
        "recipient": document.recipient,
        "files": dict(document.files),
        "headers": dict(document.headers),
    }


def parse_document(data: bytes) -> tuple[Document, SignedLine]:
    """The document in the bytes of `bundle.json`, and the line whose signature is yet to check.

    Raises BadDocument.
    """
    try:
        line = SignedLine.parse(data)
    except BadSignature:
        raise _bad() from None
    if bytes(line) != data:
        raise _bad()
    if repr(line.noun.get("format")) != repr(FORMAT):  # True is not 1 here
        raise BadDocument("bundle.json is of a format that this program does not know: use a newer one.")
    return from_noun(line.noun), line


def from_noun(noun: Mapping[str, Any]) -> Document:
    """The document that a noun spells. Raises BadDocument."""
    if noun.keys() != _KEYS:
        raise _bad()
    camera = _camera(noun["camera"])
    return Document(
        root=_hexadecimal(noun["root"], 32),
        device=_hexadecimal(noun["device"], 16),
        camera=camera,
        streams=_streams(camera, noun["streams"]),
        from_ms=_time(noun["from_ms"]),
        to_ms=_time(noun["to_ms"]),
        made_ms=_time(noun["made_ms"]),
        by=_text(noun["by"]),
        recipient=_text(noun["recipient"]),
        files=_digests(noun["files"], camera),
        headers=_digests(noun["headers"], camera),
    )


def _bad() -> BadDocument:
    return BadDocument("bundle.json was changed or cut off: it is not what the exporter signed.")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _bad()
    return value


def _time(value: object) -> int:
    if type(value) is not int or not 0 <= value <= LAST_MS:
        raise _bad()
    return value


def _hexadecimal(value: object, size: int) -> bytes:
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.fullmatch(value):
        raise _bad()
    return bytes.fromhex(value)


def _camera(value: object) -> str:
    try:
        return camera_name(_text(value))
    except NotAName:
        raise _bad() from None


def _streams(camera: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or value != sorted({_text(one) for one in value}):
        raise _bad()
    try:
        return tuple(stream_name(camera, one).stream for one in value)
    except NotAName:
        raise _bad() from None


def _digests(value: object, camera: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _bad()
    for path, digest in value.items():
        _hexadecimal(digest, 32)
        if not is_ours(path, camera):
            raise _bad()
    return value
