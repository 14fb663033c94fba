"""The folder (0700) with the certificates of a house. Everything here blocks.

    authority.pem   0600   the authority's key, its certificate, the root's certificate
    server.pem      0600   the leaf's key, its certificate, the authority's certificate: what a server loads
    root.pem        0600   the root's certificate again, for people to copy

What belongs together is in one file, so a power cut leaves the old or the new, never halves that do not fit.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pipeline.durable import fsync_directory, write_replacing
from web.errors import CertificateTrouble
from web.tls.issuing import Authority, Leaf
from web.tls.reading import pem

AUTHORITY = "authority.pem"
SERVER = "server.pem"
ROOT = "root.pem"
_DAMAGE = (ValueError, TypeError, InvalidSignature)


@contextlib.contextmanager
def opened_folder(folder: Path) -> Iterator[None]:
    """Holds the folder for the block, made if missing and closed to others. Any OSError of the block becomes
    CertificateTrouble. Waits for another process that holds it.
    """
    try:
        _make(folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.fchmod(descriptor, 0o700)
            yield
        finally:
            os.close(descriptor)
    except OSError as fault:
        why = fault.strerror or "the system refuses"
        raise CertificateTrouble(f"The certificates in {folder} cannot be kept: {why}.") from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        return
    fsync_directory(folder.parent)


def write_authority(folder: Path, authority: Authority) -> None:
    """Replaces key and certificates, and after them the root for people. Raises OSError."""
    certificates = pem(authority.intermediate, authority.root)
    _write(folder / AUTHORITY, _private_pem(authority.signer) + certificates)
    write_root(folder, authority)


def write_root(folder: Path, authority: Authority) -> None:
    """Makes `root.pem` what it must be. Raises OSError."""
    content, path = pem(authority.root), folder / ROOT
    if not path.exists() or path.read_bytes() != content:
        _write(path, content)


def write_leaf(folder: Path, authority: Authority, leaf: Leaf) -> None:
    """Replaces what the server loads. Raises OSError."""
    chain = pem(leaf.certificate, authority.intermediate)
    _write(folder / SERVER, _private_pem(leaf.private) + chain)


def _write(path: Path, content: bytes) -> None:
    write_replacing(path, content)
    path.chmod(0o600)  # the folder is 0700 from the start, so nobody gets in between


def _private_pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_authority(folder: Path) -> Authority | None:
    """None before the first start. Raises CertificateTrouble if it is damaged or lost, OSError."""
    path = folder / AUTHORITY
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if not (folder / ROOT).exists():
            return None
        raise CertificateTrouble(
            f"{path} is lost: bring it back from a backup, or make a new root."
        ) from None
    try:
        return _parse_authority(content)
    except _DAMAGE:
        raise CertificateTrouble(
            f"{path} is damaged: bring it back from a backup, or make a new root."
        ) from None


def _parse_authority(content: bytes) -> Authority:
    signer = load_pem_private_key(content, None)
    intermediate, root = x509.load_pem_x509_certificates(content)
    if not isinstance(signer, ec.EllipticCurvePrivateKey) or signer.public_key() != intermediate.public_key():
        raise ValueError("the key is another's")
    intermediate.verify_directly_issued_by(root)
    authority = Authority(root, intermediate, signer)
    if not authority.constraint:
        raise ValueError("it is not limited")
    return authority


def read_leaf(folder: Path, authority: Authority) -> x509.Certificate | None:
    """The certificate that a server loads; None where it is missing, damaged or another authority's: it is
    then made anew. Raises OSError.
    """
    try:
        content = (folder / SERVER).read_bytes()
        leaf, intermediate = x509.load_pem_x509_certificates(content)
        leaf.verify_directly_issued_by(authority.intermediate)
        is_ours = intermediate == authority.intermediate
        is_whole = load_pem_private_key(content, None).public_key() == leaf.public_key()
    except (FileNotFoundError, *_DAMAGE):
        return None
    return leaf if is_ours and is_whole else None


def root_pem(folder: Path) -> bytes:
    """The root's certificate, for devices to trust. Raises CertificateTrouble."""
    path = folder / ROOT
    try:
        return pem(x509.load_pem_x509_certificate(path.read_bytes()))
    except (OSError, ValueError):
        raise CertificateTrouble(f"{path} is missing or damaged: the next start writes it again.") from None
