"""A certificate of the user's own, from another authority: checked before anybody connects, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from web.errors import CertificateTrouble
from web.tls.reading import Window

_LARGEST = 1 << 20  # bytes; a chain has some thousand


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """Two files that fit: the chain, leaf first, and the leaf's key. They may be the same file."""

    file: Path
    key_file: Path
    leaf: x509.Certificate


def own_certificate(file: Path, key_file: Path, now: datetime) -> OwnCertificate:
    """The user's certificate, if a server can use it now. Raises CertificateTrouble."""
    leaf = _leaf(file)
    _check_private(key_file, _read(key_file), leaf)
    window = Window.of(leaf)
    if now > window.end:
        raise CertificateTrouble(f"The certificate in {file} ended on {window.end:%Y-%m-%d}: renew it.")
    if now < window.begin:
        raise CertificateTrouble(
            f"The certificate in {file} begins on {window.begin:%Y-%m-%d}, "
            f"and this machine's clock says {now:%Y-%m-%d}."
        )
    return OwnCertificate(file, key_file, leaf)


def _leaf(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_read(file))[0]
    except ValueError:
        raise CertificateTrouble(
            f"{file} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)."
        ) from None


def _check_private(key_file: Path, content: bytes, leaf: x509.Certificate) -> None:
    try:
        private = load_pem_private_key(content, None)
        fits = private.public_key() == leaf.public_key()
    except TypeError:
        raise CertificateTrouble(
            f"The key in {key_file} has a passphrase, which nobody types when the server starts: remove it."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateTrouble(
            f"{key_file} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)."
        ) from None
    if not fits:
        raise CertificateTrouble(
            f"The key in {key_file} is not that of the certificate: they must be a pair."
        )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as fault:
        why = fault.strerror or "the system refuses"
        raise CertificateTrouble(f"{path} cannot be read: {why}.") from None
