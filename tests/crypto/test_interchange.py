"""Files go both ways between us and three other implementations of age."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest

from crypto.armor import armor, dearmor
from crypto.errors import Truncated
from crypto.identity import HybridIdentity, Identity, ScryptIdentity, X25519Identity, parse_identities
from crypto.payload import CHUNK_BYTES
from crypto.recipient import ScryptRecipient, parse_recipient
from crypto.seal import seal_bytes
from crypto.unseal import open_stream, unseal_bytes
from tests.support.age_programs import age, age_at_terminal, npm_age, npm_open, npm_seal

PASSPHRASE = "correct horse Büroklammer"
PLAINTEXTS = [b"", b"one chunk", os.urandom(CHUNK_BYTES), os.urandom(3 * CHUNK_BYTES + 5)]
each_plaintext = pytest.mark.parametrize(
    "plaintext", PLAINTEXTS, ids=["empty", "short", "one_chunk", "four_chunks"]
)


@pytest.fixture
def identity() -> X25519Identity:
    return X25519Identity.generate(os.urandom)


@pytest.fixture
def identity_file(tmp_path: Path, identity: X25519Identity) -> Path:
    path = tmp_path / "identity.txt"
    path.write_text(f"# recipient: {identity.recipient}\n{identity}\n")
    return path


@each_plaintext
def test_age_opens_ours(plaintext: bytes, identity: X25519Identity, identity_file: Path) -> None:
    assert age("-d", "-i", identity_file, data=seal_bytes(plaintext, [identity.recipient])) == plaintext


@each_plaintext
def test_we_open_what_age_sealed(plaintext: bytes, identity: X25519Identity) -> None:
    other = X25519Identity.generate(os.urandom)
    sealed = age("-r", str(other.recipient), "-r", str(identity.recipient), data=plaintext)
    assert unseal_bytes(sealed, [identity]) == plaintext


def test_age_opens_our_armor_and_we_its(identity: X25519Identity, identity_file: Path) -> None:
    ours = armor(seal_bytes(PLAINTEXTS[3], [identity.recipient]))
    assert age("-d", "-i", identity_file, data=ours.encode()) == PLAINTEXTS[3]
    its = age("-a", "-r", str(identity.recipient), data=PLAINTEXTS[3])
    assert unseal_bytes(dearmor(its), [identity]) == PLAINTEXTS[3]


def test_age_keygen_names_the_same_recipient(tmp_path: Path) -> None:
    path = tmp_path / "generated.txt"
    subprocess.run(["age-keygen", "-o", path], capture_output=True, timeout=60, check=True)
    (generated,) = parse_identities(path.read_text())
    named = subprocess.run(["age-keygen", "-y", path], capture_output=True, timeout=60, check=True)
    assert str(generated.recipient) == named.stdout.decode().strip()


def test_age_opens_with_our_passphrase_wrapped_identity(
    tmp_path: Path, identity: X25519Identity, identity_file: Path
) -> None:
    wrapped, sealed, opened = tmp_path / "wrapped.age", tmp_path / "clip.age", tmp_path / "clip"
    key_file = seal_bytes(identity_file.read_bytes(), [ScryptRecipient(PASSPHRASE, work_factor=10)])
    wrapped.write_text(armor(key_file))
    sealed.write_bytes(seal_bytes(PLAINTEXTS[3], [identity.recipient]))
    age_at_terminal(["-d", "-i", wrapped, "-o", opened, sealed], PASSPHRASE)
    assert opened.read_bytes() == PLAINTEXTS[3]


def test_we_open_an_identity_that_age_wrapped(
    tmp_path: Path, identity: X25519Identity, identity_file: Path
) -> None:
    wrapped = tmp_path / "wrapped.age"
    age_at_terminal(["-p", "-a", "-o", wrapped, identity_file], PASSPHRASE)
    text = unseal_bytes(dearmor(wrapped.read_bytes()), [ScryptIdentity(PASSPHRASE)]).decode()
    assert [str(found.recipient) for found in parse_identities(text)] == [str(identity.recipient)]


def test_age_and_we_stop_at_the_same_place_in_a_file_without_its_end(
    identity: X25519Identity, identity_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.age"
    path.write_bytes(seal_bytes(PLAINTEXTS[3], [identity.recipient])[:-100])
    with pytest.raises(subprocess.CalledProcessError) as raised:
        age("-d", "-i", identity_file, path)
    released = bytearray()
    with path.open("rb") as file, pytest.raises(Truncated):
        for chunk in open_stream(file, [identity]):
            released += chunk
    assert bytes(raised.value.stdout) == bytes(released) == PLAINTEXTS[3][: 2 * CHUNK_BYTES]


@each_plaintext
def test_pyrage_opens_ours_and_we_its(plaintext: bytes, identity: X25519Identity) -> None:
    theirs = pyrage.x25519.Identity.from_str(str(identity))
    assert str(theirs.to_public()) == str(identity.recipient)
    assert pyrage.decrypt(seal_bytes(plaintext, [identity.recipient]), [theirs]) == plaintext
    assert unseal_bytes(pyrage.encrypt(plaintext, [theirs.to_public()]), [identity]) == plaintext


def test_pyrage_opens_our_passphrase_and_we_its() -> None:
    ours = seal_bytes(PLAINTEXTS[1], [ScryptRecipient(PASSPHRASE, work_factor=10)])
    assert pyrage.passphrase.decrypt(ours, PASSPHRASE) == PLAINTEXTS[1]
    # pyrage takes a work factor of about a second of its own machine, which may be above our default maximum
    theirs = pyrage.passphrase.encrypt(PLAINTEXTS[1], PASSPHRASE)
    assert unseal_bytes(theirs, [ScryptIdentity(PASSPHRASE, max_work_factor=22)]) == PLAINTEXTS[1]


@each_plaintext
@pytest.mark.parametrize("kind", [X25519Identity, HybridIdentity])
def test_npm_opens_ours_and_we_its(plaintext: bytes, kind: type[X25519Identity | HybridIdentity]) -> None:
    ours = kind.generate(os.urandom)
    assert npm_open(seal_bytes(plaintext, [ours.recipient]), identities=[str(ours)]) == plaintext
    assert unseal_bytes(npm_seal(plaintext, recipients=[str(ours.recipient)]), [ours]) == plaintext


@pytest.mark.parametrize("hybrid", [False, True])
def test_npm_identity_has_the_same_recipient_here(hybrid: bool) -> None:
    generated = npm_age("generate", hybrid=hybrid)
    (ours,) = parse_identities(generated["identity"])
    assert str(ours.recipient) == generated["recipient"] == str(parse_recipient(generated["recipient"]))
    assert str(ours) == generated["identity"]


def test_npm_opens_our_passphrase_and_we_its() -> None:
    opener: Identity = ScryptIdentity(PASSPHRASE)
    ours = seal_bytes(PLAINTEXTS[3], [ScryptRecipient(PASSPHRASE, work_factor=10)])
    assert npm_open(ours, passphrase=PASSPHRASE) == PLAINTEXTS[3]
    assert unseal_bytes(npm_seal(PLAINTEXTS[3], passphrase=PASSPHRASE), [opener]) == PLAINTEXTS[3]
