"""A certificate authority and a certificate for 127.0.0.1, made for one test and never trusted elsewhere."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where the PEM files are: the authority that clients trust, the server's certificate and its key."""

    ca_file: Path
    cert_file: Path
    key_file: Path


def make_certificate(directory: Path, address: str = "127.0.0.1") -> Certificate:
    """A server certificate for an IP address, signed by an authority of its own: PEM files in `directory`."""
    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = _name("Test authority")
    ca = _builder(ca_name, ca_name, authority.public_key())
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    leaf = _builder(_name("Test camera"), ca_name, server.public_key())
    leaf = leaf.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
    ).add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    made = Certificate(directory / "ca.pem", directory / "camera.pem", directory / "camera-key.pem")
    pem = serialization.Encoding.PEM
    made.ca_file.write_bytes(ca.sign(authority, hashes.SHA256()).public_bytes(pem))
    made.cert_file.write_bytes(leaf.sign(authority, hashes.SHA256()).public_bytes(pem))
    plain = (pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    made.key_file.write_bytes(server.private_bytes(*plain))
    return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID)
        .not_valid_after(now + VALID)
    )
