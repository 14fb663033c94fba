"""The chain, as the real openssl sees it: good for this host, and for nothing else."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tests.web.tls.verifying import NOW, refusal
from web.tls.issuing import EARLIEST, Authority, Leaf, leaf_window, new_authority, new_leaf
from web.tls.names import Names
from web.tls.reading import Window, constraint_in, fingerprint, names_in, pem

HOUSE = Names.of(["nvr", "nvr.local", "192.168.1.5", "fd00::2"])


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority(HOUSE, NOW)


def refusal_of(folder: Path, authority: Authority, leaf: x509.Certificate, *more: str) -> str:
    return refusal(folder, authority.root, [authority.intermediate], leaf, *more)


@pytest.mark.parametrize(
    "asked",
    [
        ("-verify_hostname", "nvr.local"),
        ("-verify_hostname", "localhost"),
        ("-verify_ip", "192.168.1.5"),
        ("-verify_ip", "127.0.0.1"),
        ("-verify_ip", "fd00::2"),
        ("-verify_ip", "::1"),
    ],
)
def test_openssl_takes_the_leaf_for_each_name(
    tmp_path: Path, authority: Authority, asked: tuple[str, str]
) -> None:
    leaf = new_leaf(authority, HOUSE, NOW).certificate
    assert refusal_of(tmp_path, authority, leaf, *asked) == ""


def test_openssl_refuses_the_leaf_under_another_name(tmp_path: Path, authority: Authority) -> None:
    leaf = new_leaf(authority, HOUSE, NOW).certificate
    assert "hostname mismatch" in refusal_of(tmp_path, authority, leaf, "-verify_hostname", "bank.example")


@pytest.mark.parametrize(
    "name", ["bank.example", "evilnvr.local", "local", "192.168.1.6", "8.8.8.8", "fd00::3", "2a00::5"]
)
def test_openssl_refuses_a_leaf_for_a_name_outside_the_constraint(
    tmp_path: Path, authority: Authority, name: str
) -> None:
    leaf = new_leaf(authority, Names.of([name]), NOW).certificate
    assert "permitted subtree violation" in refusal_of(tmp_path, authority, leaf)


def test_a_host_without_a_network_permits_no_address_but_loopback(tmp_path: Path) -> None:
    authority = new_authority(Names(), NOW)
    for name in ("nvr", "192.168.1.5", "fd00::2"):
        leaf = new_leaf(authority, Names.of([name]), NOW).certificate
        assert "permitted subtree violation" in refusal_of(tmp_path, authority, leaf)
    assert refusal_of(tmp_path, authority, new_leaf(authority, Names.of([]), NOW).certificate) == ""


def test_the_constraint_is_critical_and_says_exactly_the_names(authority: Authority) -> None:
    extension = authority.intermediate.extensions.get_extension_for_class(x509.NameConstraints)
    subtrees = extension.value.permitted_subtrees or []
    assert extension.critical
    assert {str(subtree.value) for subtree in subtrees} == {
        *HOUSE.dns,
        *(f"{address}/{address.max_prefixlen}" for address in HOUSE.addresses),
    }
    assert constraint_in(authority.intermediate) == HOUSE


def test_the_authority_can_make_no_authority(tmp_path: Path, authority: Authority) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    below = copied(authority.intermediate, authority.intermediate.subject, private, authority)
    stolen = Authority(authority.root, below, private)
    leaf = new_leaf(stolen, HOUSE, NOW).certificate
    why = refusal(tmp_path, authority.root, [authority.intermediate, below], leaf)
    assert "path length constraint exceeded" in why


def copied(
    model: x509.Certificate, issuer: x509.Name, private: ec.EllipticCurvePrivateKey, by: Authority
) -> x509.Certificate:
    """A certificate with the model's extensions, under a name and key of its own, signed by the authority."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A copy")])
    made = x509.CertificateBuilder(issuer, name, private.public_key(), x509.random_serial_number())
    made = made.not_valid_before(model.not_valid_before_utc).not_valid_after(model.not_valid_after_utc)
    for extension in model.extensions:
        value = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(private.public_key())
        if isinstance(value, x509.AuthorityKeyIdentifier):
            value = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.signer.public_key())
        if isinstance(value, x509.ExtendedKeyUsage) and not is_authority(model):
            value = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
        made = made.add_extension(value, extension.critical)
    return made.sign(by.signer, hashes.SHA256())


def is_authority(certificate: x509.Certificate) -> bool:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_authority_certifies_servers_only(tmp_path: Path, authority: Authority) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    leaf = new_leaf(authority, HOUSE, NOW).certificate
    both = copied(leaf, authority.intermediate.subject, private, authority)
    assert refusal_of(tmp_path, authority, both) == ""
    assert "unsuitable certificate purpose" in refusal_of(tmp_path, authority, both, "-purpose", "sslclient")


def test_the_leaf_says_what_it_is_for(authority: Authority) -> None:
    leaf = new_leaf(authority, HOUSE, NOW)
    usage = leaf.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert names_in(leaf.certificate) == HOUSE
    assert leaf.certificate.public_key() == leaf.private.public_key()


@pytest.mark.parametrize("name", ["nvr.local", "bank.example"])
def test_another_verifier_than_openssl_thinks_the_same(authority: Authority, name: str) -> None:
    leaf = new_leaf(authority, Names.of([name]), NOW).certificate
    policy = PolicyBuilder().store(Store([authority.root])).time(NOW)
    asking = policy.build_server_verifier(x509.DNSName(name))
    if name in HOUSE.dns:
        assert asking.verify(leaf, [authority.intermediate])[-1] == authority.root
    else:
        with pytest.raises(VerificationError, match="no permitted name constraints matched"):
            asking.verify(leaf, [authority.intermediate])


def test_lives(authority: Authority) -> None:
    root, intermediate = Window.of(authority.root), Window.of(authority.intermediate)
    leaf = Window.of(new_leaf(authority, HOUSE, NOW).certificate)
    assert root == intermediate
    assert root.begin == leaf.begin == NOW - timedelta(days=1)
    assert timedelta(days=3640) < root.end - root.begin < timedelta(days=3660)
    assert leaf.end - leaf.begin < timedelta(days=398)


def test_a_leaf_is_never_valid_longer_than_its_authority(tmp_path: Path, authority: Authority) -> None:
    whole = Window.of(authority.intermediate)
    late = whole.end - timedelta(days=3)
    leaf = new_leaf(authority, HOUSE, late).certificate
    assert Window.of(leaf).end == whole.end
    assert refusal_of(tmp_path, authority, leaf, "-attime", str(int(late.timestamp()))) == ""


def test_a_clock_that_starts_in_1970_still_makes_certificates_for_today(tmp_path: Path) -> None:
    unset = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)
    authority = new_authority(HOUSE, unset)
    leaf = new_leaf(authority, HOUSE, unset).certificate
    assert leaf_window(authority, unset) == Window.of(leaf)
    when = EARLIEST + timedelta(days=200)
    assert refusal_of(tmp_path, authority, leaf, "-attime", str(int(when.timestamp()))) == ""


def test_each_root_has_a_name_and_key_of_its_own() -> None:
    first, second = (new_authority(HOUSE, NOW) for _ in range(2))
    assert first.root.public_key() != second.root.public_key()
    assert first.root.subject.rfc4514_string() == "CN=Sealed NVR root nvr 2027-03-01"


def test_a_long_hostname_fits(tmp_path: Path) -> None:
    names = Names.of([".".join(["a" * 63] * 3)])
    authority = new_authority(names, NOW)
    leaf: Leaf = new_leaf(authority, names, NOW)
    assert refusal_of(tmp_path, authority, leaf.certificate) == ""


def test_a_fingerprint_is_what_openssl_shows(tmp_path: Path, authority: Authority) -> None:

    file = tmp_path / "root.pem"
    file.write_bytes(pem(authority.root))
    command = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", str(file)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.strip().partition("=")[2] == fingerprint(authority.root)
