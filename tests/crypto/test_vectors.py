"""All test vectors of the age format (C2SP/CCTV), each with the exact outcome that it states."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from crypto.armor import armor, dearmor, is_armored
from crypto.errors import CryptoError, DamagedArmor, DamagedHeader, DamagedPayload, HeaderMac, WrongIdentity
from crypto.header import parse_header, payload_start
from crypto.identity import Identity, ScryptIdentity, X25519Identity, parse_identities
from crypto.seal import SealWriter
from crypto.unseal import SealedReader, open_stream
from tests.support.age_programs import npm_age

OUTCOMES: dict[type[CryptoError], str] = {
    WrongIdentity: "no match",
    HeaderMac: "HMAC failure",
    DamagedHeader: "header failure",
    DamagedArmor: "armor failure",
    DamagedPayload: "payload failure",
}


@dataclass(frozen=True)
class Vector:
    """One vector: an age file and what must come of it."""

    name: str
    fields: list[tuple[str, str]]
    file: bytes

    def all(self, field: str) -> list[str]:
        """The values of a field, which may occur several times."""
        return [value for name, value in self.fields if name == field]

    @property
    def expected(self) -> str:
        """The outcome that the vector states."""
        return self.all("expect")[0]

    @property
    def identities(self) -> list[Identity]:
        """Everything that may be tried."""
        keys = [identity for text in self.all("identity") for identity in parse_identities(text)]
        return [*keys, *(ScryptIdentity(passphrase) for passphrase in self.all("passphrase"))]

    @property
    def binary(self) -> bytes:
        """The file without armor. Raises DamagedArmor."""
        return dearmor(self.file) if self.all("armored") else self.file


def _vector(name: str, encoded: str) -> Vector:
    head, _, file = base64.b64decode(encoded).partition(b"\n\n")
    fields = [
        (field, value) for field, _, value in (line.partition(": ") for line in head.decode().split("\n"))
    ]
    compressed = ("compressed", "zlib") in fields
    return Vector(name, fields, zlib.decompress(file) if compressed else file)


VECTORS = [_vector(name, encoded) for name, encoded in npm_age("vectors").items()]
SUCCESSES = [vector for vector in VECTORS if vector.expected == "success"]
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
each_success = pytest.mark.parametrize("vector", SUCCESSES, ids=[vector.name for vector in SUCCESSES])


def test_all_vectors_are_there() -> None:
    assert len(VECTORS) == 143
    assert {vector.expected for vector in VECTORS} == {"success", *OUTCOMES.values()}


@each_vector
def test_stream_gives_the_stated_outcome(vector: Vector) -> None:
    released = bytearray()

    def read() -> None:
        for chunk in open_stream(io.BytesIO(vector.binary), vector.identities):
            released.extend(chunk)

    assert _outcome(read) == vector.expected
    # On success the whole plaintext; on a payload failure what came before it; otherwise nothing.
    expected = vector.all("payload")
    assert hashlib.sha256(released).hexdigest() == (expected[0] if expected else hashlib.sha256().hexdigest())


@each_vector
def test_reader_gives_the_stated_outcome(vector: Vector) -> None:
    contents: list[bytes] = []
    outcome = _outcome(
        lambda: contents.append(SealedReader(io.BytesIO(vector.binary), vector.identities).readall())
    )
    assert outcome == vector.expected
    assert [hashlib.sha256(content).hexdigest() for content in contents] == (
        vector.all("payload") if outcome == "success" else []
    )


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v.expected not in ("header failure", "armor failure")]
)
def test_sound_headers_are_written_as_they_were_read(vector: Vector) -> None:
    start = payload_start(vector.binary)
    header = bytes(parse_header(vector.binary))
    assert vector.binary.startswith(header)
    # One vector has no byte after its nonce, another not even one chunk: the nonce is there in all.
    assert start == len(header) + 16


@each_success
def test_sealing_again_gives_the_same_payload(vector: Vector) -> None:
    plaintext = SealedReader(io.BytesIO(vector.binary), vector.identities).readall()
    start = payload_start(vector.binary) or 0
    draws = [bytes.fromhex(vector.all("file key")[0]), vector.binary[start - 16 : start]]
    pieces: list[bytes] = []
    writer = SealWriter(
        [X25519Identity.generate(os.urandom).recipient],
        pieces.append,
        lambda count: draws.pop(0) if draws else os.urandom(count),
    )
    writer.write(plaintext)
    writer.finish()
    assert b"".join(pieces)[writer.payload_start :] == vector.binary[start:]


@pytest.mark.parametrize("vector", [v for v in SUCCESSES if v.all("armored")])
def test_armor_is_written_as_it_was_read(vector: Vector) -> None:
    assert is_armored(vector.file)
    assert armor(vector.binary).strip() == vector.file.decode().replace("\r\n", "\n").strip()


def _outcome(action: Callable[[], None]) -> str:
    try:
        action()
    except CryptoError as error:
        return next(text for kind, text in OUTCOMES.items() if isinstance(error, kind))
    return "success"
