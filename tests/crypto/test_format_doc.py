"""docs/format.md, section 1: its example is what our code and Debian's `age` do, its sizes are ours."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.armor import armor, dearmor
from crypto.header import Stanza, encode64, parse_header
from crypto.identity import HybridIdentity, X25519Identity, parse_identities
from crypto.payload import SEALED_CHUNK_BYTES
from crypto.seal import SealWriter, seal_bytes
from tests.support.age_programs import age

TEXT = (Path(__file__).parents[2] / "docs/format.md").read_text()
BLOCKS = re.findall(r"^```(?:sh)?\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
VALUES = {
    name: bytes.fromhex(value) for name, value in re.findall(r"^\| ([^|]+) \| `([0-9a-f]+)` \|$", TEXT, re.M)
}
PLAINTEXT = b"A sealed segment."


@pytest.fixture
def sealed() -> bytes:
    return dearmor(next(block for block in BLOCKS if block.startswith("-----BEGIN")))


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 to 32 bytes from the standard library, apart from the code under test."""
    extracted = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_every_value_of_the_example_follows_from_the_formulas(sealed: bytes) -> None:
    identity = X25519PrivateKey.from_private_bytes(VALUES["identity"])
    share, recipient = VALUES["share"], VALUES["recipient"]
    assert identity.public_key().public_bytes_raw() == recipient
    assert (
        X25519PrivateKey.from_private_bytes(VALUES["fresh secret"]).public_key().public_bytes_raw() == share
    )
    assert identity.exchange(X25519PublicKey.from_public_bytes(share)) == VALUES["shared"]
    assert hkdf(VALUES["shared"], share + recipient, b"age-encryption.org/v1/X25519") == VALUES["wrap key"]
    body = ChaCha20Poly1305(VALUES["wrap key"]).encrypt(bytes(12), VALUES["file key"], None)
    header = next(block for block in BLOCKS if block.startswith("age-encryption.org")).encode()
    assert encode64(body).encode() == header.split(b"\n")[2]
    assert hkdf(VALUES["file key"], b"", b"header") == VALUES["header MAC key"]
    covered = header[: header.index(b"---") + 3]
    mac = hmac.new(VALUES["header MAC key"], covered, hashlib.sha256).digest()
    assert header == covered + b" " + encode64(mac).encode() + b"\n"
    assert hkdf(VALUES["file key"], VALUES["payload nonce"], b"payload") == VALUES["payload key"]
    chunk = ChaCha20Poly1305(VALUES["payload key"]).encrypt(bytes(11) + b"\x01", PLAINTEXT, None)
    assert chunk == VALUES["chunk 0, the last"]
    assert sealed == header + VALUES["payload nonce"] + chunk


def test_we_seal_the_example_to_the_same_bytes(sealed: bytes) -> None:
    (identity,) = parse_identities(re.findall("`(AGE-SECRET-KEY-1[^`…]+)`", TEXT)[0])
    assert str(identity.recipient) == re.findall("`(age1[^`…]+)`", TEXT)[0]
    draws = [VALUES["file key"], VALUES["payload nonce"], VALUES["fresh secret"]]
    ours = seal_bytes(PLAINTEXT, [identity.recipient], lambda count: draws.pop(0))
    assert ours == sealed
    assert armor(ours) in BLOCKS


def test_age_opens_the_example(tmp_path: Path, sealed: bytes) -> None:
    key_file = tmp_path / "example.key"
    key_file.write_text(re.findall("`(AGE-SECRET-KEY-1[^`…]+)`", TEXT)[0])
    assert age("-d", "-i", key_file, data=sealed) == PLAINTEXT


def test_the_commands_open_a_segment(tmp_path: Path) -> None:
    commands = next(block for block in BLOCKS if "age -d" in block)
    member, group = (X25519Identity.generate(os.urandom) for _ in range(2))
    segment = tmp_path / re.findall(r'"(store/.*)"', commands)[0]
    wrapped = tmp_path / "store/keys/home/1/alice.age"
    for path in (segment, wrapped):
        path.parent.mkdir(parents=True)
    (tmp_path / "alice.key").write_text(f"{member}\n")
    wrapped.write_bytes(seal_bytes(f"{group}\n".encode(), [member.recipient]))
    segment.write_bytes(seal_bytes(PLAINTEXT, [group.recipient]))
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, timeout=60, check=True)
    assert (tmp_path / "clip.mp4").read_bytes() == PLAINTEXT
    assert not (tmp_path / "home-1.key").exists()


def test_sizes_are_as_stated() -> None:
    classic, hybrid = X25519Identity(VALUES["identity"]), HybridIdentity(VALUES["identity"])
    starts = [SealWriter([who.recipient], lambda piece: None).payload_start for who in (classic, hybrid)]
    assert starts == [184, 1643]
    for recipient, size in ((classic.recipient, 98), (hybrid.recipient, 1557)):
        stanza = parse_header(seal_bytes(b"", [recipient])).stanzas[0]
        assert isinstance(stanza, Stanza)
        assert len(bytes(stanza)) == size
        assert f"stanza: {size:,} bytes" in TEXT
    assert f"{SEALED_CHUNK_BYTES:,}" in TEXT
    for plain_bytes in (0, 1, 65_535, 65_536, 65_537, 200_000):
        stated = 184 + plain_bytes + 16 * max(1, -(-plain_bytes // 65_536))
        assert len(seal_bytes(bytes(plain_bytes), [classic.recipient])) == stated
