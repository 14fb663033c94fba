"""A certificate of the user's own: what is wrong with it is said before anybody connects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from tests.web.tls.verifying import NOW
from web.errors import CertificateTrouble
from web.tls.context import server_context
from web.tls.issuing import LEAF_LIFE, new_authority, new_leaf
from web.tls.names import Names
from web.tls.own import own_certificate
from web.tls.reading import pem

HOUSE = Names.of(["nvr.example"])


@dataclass(frozen=True, slots=True)
class Files:
    chain: Path
    key: Path
    private: ec.EllipticCurvePrivateKey

    def write_key(
        self, private: ec.EllipticCurvePrivateKey, how: KeySerializationEncryption | None = None
    ) -> None:
        how = how or NoEncryption()
        self.key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    authority = new_authority(HOUSE, NOW)
    leaf = new_leaf(authority, HOUSE, NOW)
    made = Files(tmp_path / "chain.pem", tmp_path / "key.pem", leaf.private)
    made.chain.write_bytes(pem(leaf.certificate, authority.intermediate))
    made.write_key(leaf.private)
    return made


def complaint(files: Files, days: float = 0) -> str:
    with pytest.raises(CertificateTrouble) as caught:
        own_certificate(files.chain, files.key, NOW + timedelta(days=days))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_pair_is_taken(files: Files) -> None:
    own = own_certificate(files.chain, files.key, NOW)
    assert (own.file, own.key_file) == (files.chain, files.key)
    assert own.leaf.public_key() == files.private.public_key()
    server_context(own.file, own.key_file)


def test_both_may_be_in_one_file(files: Files) -> None:
    files.chain.write_bytes(files.key.read_bytes() + files.chain.read_bytes())
    own = own_certificate(files.chain, files.chain, NOW)
    server_context(own.file, own.key_file)


def test_the_key_of_another_certificate(files: Files) -> None:
    files.write_key(ec.generate_private_key(ec.SECP256R1()))
    assert complaint(files) == f"The key in {files.key} is not that of the certificate: they must be a pair."


def test_a_key_with_a_passphrase(files: Files) -> None:
    files.write_key(files.private, BestAvailableEncryption(b"secret"))
    assert "has a passphrase" in complaint(files)


def test_an_expired_certificate(files: Files) -> None:
    assert "ended on 2028-03-31: renew it" in complaint(files, LEAF_LIFE.days)


def test_a_certificate_of_the_future(files: Files) -> None:
    said = complaint(files, -2)
    assert said.endswith("begins on 2027-02-28, and this machine's clock says 2027-02-27.")


def test_missing_files(files: Files) -> None:
    files.key.unlink()
    assert complaint(files) == f"{files.key} cannot be read: No such file or directory."
    files.chain.unlink()
    assert complaint(files) == f"{files.chain} cannot be read: No such file or directory."


def test_a_folder_instead_of_a_file(files: Files) -> None:
    files.key.unlink()
    files.key.mkdir()
    assert complaint(files) == f"{files.key} cannot be read: Is a directory."


@pytest.mark.parametrize(
    "content", [b"", b"\x30\x82\x01\x0a", b"-----BEGIN CERTIFICATE-----\nAAAA\n", b"hello"]
)
def test_what_is_no_pem(files: Files, content: bytes) -> None:
    good = files.key.read_bytes()
    files.key.write_bytes(content)
    assert "holds no private key in PEM" in complaint(files)
    files.key.write_bytes(good)
    files.chain.write_bytes(content)
    assert "holds no certificate in PEM" in complaint(files)


def test_the_files_taken_for_each_other(files: Files) -> None:
    with pytest.raises(CertificateTrouble, match="holds no certificate in PEM"):
        own_certificate(files.key, files.chain, NOW)
    with pytest.raises(CertificateTrouble, match="holds no private key in PEM"):
        own_certificate(files.chain, files.chain, NOW)
