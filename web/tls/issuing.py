"""Makes the certificates of a house. No files; the time is given, the keys are random.

Rules:
- A root signs one authority and is forgotten: its key is a local variable of `new_authority`, nothing else.
- That authority can certify the names of this host, for servers, and nothing else, whoever steals its key.
- Everything is ECDSA P-256: the one curve that all browsers and phones take.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from web.tls.names import LOOPBACK, Names
from web.tls.reading import Window, constraint_in

ROOT_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)  # below the 398 that browsers allow; Apple's 825 for private roots is above
SLACK = timedelta(days=1)  # clocks in the house that are behind
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)  # no clock is right that says an earlier time: this did not exist
_SERVERS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
_TITLE = 30  # characters of a host's name; a common name has 64


@dataclass(frozen=True, slots=True)
class Authority:
    """The root's certificate, and the one authority that it signed, with its key."""

    root: x509.Certificate
    intermediate: x509.Certificate
    signer: ec.EllipticCurvePrivateKey

    @property
    def constraint(self) -> Names:
        """The names that it may certify. Raises ValueError if it was not made by us."""
        return constraint_in(self.intermediate)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A server's certificate and its key."""

    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey


def new_authority(names: Names, now: datetime) -> Authority:
    """A root of its own, and an authority for exactly `names` and loopback, both valid for ten years."""
    begin = max(now, EARLIEST) - SLACK
    window = Window(begin, begin + ROOT_LIFE)
    root, signer = _new_private(), _new_private()
    about = f"{names.title[:_TITLE]} {window.begin + SLACK:%Y-%m-%d}"
    root_name = _name(f"Sealed NVR root {about}")
    certificate = _authority(root_name, root_name, root.public_key(), root.public_key(), window, 1)
    intermediate = _authority(
        _name(f"Sealed NVR {about}"), root_name, signer.public_key(), root.public_key(), window, 0
    )
    intermediate = intermediate.add_extension(constraints(names), critical=True)
    intermediate = intermediate.add_extension(_SERVERS, critical=False)
    return Authority(
        certificate.sign(root, hashes.SHA256()), intermediate.sign(root, hashes.SHA256()), signer
    )


def constraints(names: Names) -> x509.NameConstraints:
    """Permits `names` and loopback alone: of a kind that is listed, all else is forbidden."""
    every = names | LOOPBACK
    networks = [ip_network(text) for text in Names(addresses=every.addresses).texts]
    permitted = [*map(x509.DNSName, sorted(every.dns)), *map(x509.IPAddress, networks)]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def leaf_window(authority: Authority, now: datetime) -> Window:
    """When a leaf that is made now is valid: never outside the authority's time, though the clock may be."""
    whole = Window.of(authority.intermediate)
    begin = min(max(now - SLACK, whole.begin), whole.end - LEAF_LIFE)
    begin = begin.replace(microsecond=0)
    return Window(begin, begin + LEAF_LIFE)


def new_leaf(authority: Authority, names: Names, now: datetime) -> Leaf:
    """A certificate for a server called `names`; clients refuse it for names outside the constraint."""
    private, window = _new_private(), leaf_window(authority, now)
    issuer = authority.intermediate.subject
    made = _certificate(_name(f"Sealed NVR at {names.title[:_TITLE]}"), issuer, private.public_key(), window)
    made = _identified(made, private.public_key(), authority.signer.public_key())
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(for_signing=False), critical=True)
    made = made.add_extension(_SERVERS, critical=False).add_extension(_alternatives(names), critical=False)
    return Leaf(made.sign(authority.signer, hashes.SHA256()), private)


def _alternatives(names: Names) -> x509.SubjectAlternativeName:
    addresses = sorted(names.addresses, key=lambda address: (address.version, int(address)))
    dns = map(x509.DNSName, sorted(names.dns))
    return x509.SubjectAlternativeName([*dns, *map(x509.IPAddress, addresses)])


def _authority(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
    window: Window,
    below: int,
) -> x509.CertificateBuilder:
    made = _identified(_certificate(subject, issuer, public, window), public, issuer_public)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=below), critical=True)
    return made.add_extension(_usage(for_signing=True), critical=True)


def _certificate(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, window: Window
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public)
    made = made.serial_number(x509.random_serial_number())
    return made.not_valid_before(window.begin).not_valid_after(window.end)


def _identified(
    made: x509.CertificateBuilder,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(public)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public)
    return made.add_extension(own, critical=False).add_extension(issuer, critical=False)


def _usage(*, for_signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not for_signing,
        key_cert_sign=for_signing,
        crl_sign=for_signing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _new_private() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
