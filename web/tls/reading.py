"""What stands in a certificate. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from web.tls.names import Names


@dataclass(frozen=True, slots=True)
class Window:
    """When a certificate is valid, both ends included. Times are UTC."""

    begin: datetime
    end: datetime

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Window:
        return cls(certificate.not_valid_before_utc, certificate.not_valid_after_utc)

    def __contains__(self, now: datetime) -> bool:
        return self.begin <= now <= self.end


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, as browsers show it: `AB:CD:…`, 32 groups."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def pem(*certificates: x509.Certificate) -> bytes:
    """PEM, one after the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def names_in(certificate: x509.Certificate) -> Names:
    """The DNS names and addresses that a server certificate is for, if any. Raises ValueError."""
    try:
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Names()
    addresses = held.get_values_for_type(x509.IPAddress)
    return Names(
        frozenset(held.get_values_for_type(x509.DNSName)),
        frozenset(each for each in addresses if isinstance(each, IPv4Address | IPv6Address)),
    )


def constraint_in(authority: x509.Certificate) -> Names:
    """The names that an authority of ours may certify. Raises ValueError if it was not made by us."""
    try:
        limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        raise ValueError("it has no name constraints") from None
    subtrees = limits.permitted_subtrees or []
    values = [subtree.value for subtree in subtrees if isinstance(subtree, x509.IPAddress)]
    return Names(
        frozenset(subtree.value for subtree in subtrees if isinstance(subtree, x509.DNSName)),
        frozenset(each.network_address for each in values if isinstance(each, IPv4Network | IPv6Network)),
    )
