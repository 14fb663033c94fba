"""docs/format.md section 6, followed literally: with hashlib, Ed25519 and nothing of the code under test."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.chain.certificates import judge
from pipeline.chain.heads import parse_heads
from pipeline.chain.reading import ChainFile
from pipeline.chain.records import Segment, Signed, Start

DOCUMENT = (Path(__file__).parents[3] / "docs/format.md").read_text("utf-8")
SECTION = DOCUMENT[DOCUMENT.index("## 6. The chain") : DOCUMENT.index("## 7. The bundle")]
VALUES = {
    name: bytes.fromhex(value)
    for name, value in re.findall(r"^\| ([^|]+) \| `([0-9a-f]+)` \|$", SECTION, re.M)
}
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def _block(title: str) -> bytes:
    found = re.search(rf"^```json {title}\n(.*?)\n```$", SECTION, re.M | re.S)
    assert found
    return found[1].encode()


def _varint(number: int) -> bytes:
    return bytes([number]) if number < 128 else bytes([number % 128 + 128]) + _varint(number // 128)


def _name(name: str) -> bytes:
    return bytes([len(name)]) + name.encode()


def _record(kind: int, body: bytes, head: bytes) -> tuple[bytes, bytes]:
    after = sha256(head + bytes([kind]) + body).digest()
    return _varint(1 + len(body)) + bytes([kind]) + body + after[:4], after


def test_the_example_follows_from_the_description() -> None:
    device, nonce = bytes(range(16)), bytes(range(0xF0, 0x100))
    start = b"\1" + _varint(1) + device + _name("front") + _varint(0) + bytes(32) + nonce + b"\0"
    assert sha256(start).digest() == VALUES["SHA-256 of START's body"]
    assert _record(1, start, bytes(32)) == (VALUES["START"], VALUES["head after START"])
    content = sha256(sha256(b"header").digest() + sha256(b"payload").digest()).digest()
    assert content == VALUES["content"]
    numbers = b"".join(map(_varint, (3, 42, 1795356300000, 10_000, 5_012_345)))
    segment = _name("main") + b"\0" + numbers + content
    assert _record(2, segment, VALUES["head after START"]) == (
        VALUES["SEGMENT"],
        VALUES["head after SEGMENT"],
    )
    at_ms = 1795356312000
    message = b"sealed-nvr/chain/v1\n" + sha256(start).digest() + VALUES["head after SEGMENT"]
    signature = SIGNER.sign(message + at_ms.to_bytes(8, "big"))
    assert _record(5, _varint(at_ms) + signature, VALUES["head after SEGMENT"]) == (
        VALUES["SIGNED"],
        VALUES["head after SIGNED"],
    )


def test_we_read_the_example() -> None:
    file = ChainFile(VALUES["START"] + VALUES["SEGMENT"] + VALUES["SIGNED"])
    start, segment, signed = file
    assert isinstance(start, Start)
    assert isinstance(segment, Segment)
    assert isinstance(signed, Signed)
    assert (segment.stream, segment.sequence, segment.generation) == ("main", 42, 3)
    assert file.fold is not None
    assert (file.fold.count, file.fold.head) == (3, VALUES["head after SIGNED"])


def test_the_certificate_is_of_the_key_and_signed_by_it() -> None:
    assert SIGNER.public_key().public_bytes_raw() == VALUES["day key, public half"]
    line = _block("certificate")
    body, _, signature = line.rpartition(b" ")
    assert SIGNER.sign(b"sealed-nvr/day/v1\n" + body) == base64.b64decode(signature)
    judged = judge([line], bytes(range(16)), [VALUES["day key, public half"]])
    assert judged.faults == ()
    assert judged.unconfirmed == ()


def test_the_head_is_of_the_example() -> None:
    heads, line = parse_heads(_block("head"))
    assert line is None
    assert heads.cameras["front"].head == VALUES["head after SIGNED"]
    assert bytes(heads) == _block("head") + b"\n"
