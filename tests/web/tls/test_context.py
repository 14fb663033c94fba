"""Real handshakes: who trusts the root gets through under the house's names, by TLS 1.2 or 1.3."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from web.errors import CertificateTrouble
from web.tls.context import CurrentContext, server_context
from web.tls.files import ROOT
from web.tls.keeping import HouseCertificate, keep_certificate, make_new_root
from web.tls.names import Names
from web.tls.reading import Window

HOUSE = Names.of(["nvr.local"])


@pytest.fixture
def kept(tmp_path: Path) -> HouseCertificate:
    return keep_certificate(tmp_path / "tls", HOUSE, datetime.now(UTC))


@contextlib.contextmanager
def serving(context: Callable[[], ssl.SSLContext]) -> Iterator[int]:
    """A server that says `hello` to whoever gets through; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_answer_all, args=(listening, context), name="tls-server")
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer_all(listening: socket.socket, context: Callable[[], ssl.SSLContext]) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        with plain, contextlib.suppress(OSError), context().wrap_socket(plain, server_side=True) as wrapped:
            wrapped.sendall(b"hello")


def client(root: Path) -> ssl.SSLContext:
    """A strict client that trusts this root alone."""
    context = ssl.create_default_context(cafile=str(root))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def greeted(port: int, context: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    """A connection that got `hello`, closed again."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    with plain, context.wrap_socket(plain, server_hostname=name) as wrapped:
        assert wrapped.recv(5) == b"hello"
        assert wrapped.version() in ("TLSv1.2", "TLSv1.3")
        return wrapped


@pytest.mark.parametrize("name", ["nvr.local", "localhost", "127.0.0.1", "::1"])
def test_whoever_trusts_the_root_gets_through_under_each_name(kept: HouseCertificate, name: str) -> None:
    context = server_context(kept.file)
    with serving(lambda: context) as port:
        greeted(port, client(kept.file.with_name(ROOT)), name)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions(kept: HouseCertificate, version: ssl.TLSVersion) -> None:
    context, asking = server_context(kept.file), client(kept.file.with_name(ROOT))
    asking.minimum_version = asking.maximum_version = version
    with serving(lambda: context) as port:
        greeted(port, asking, "localhost")


def test_another_name_is_refused(kept: HouseCertificate) -> None:
    context = server_context(kept.file)
    with serving(lambda: context) as port, pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        greeted(port, client(kept.file.with_name(ROOT)), "bank.example")


def test_whoever_does_not_trust_the_root_is_warned(kept: HouseCertificate, tmp_path: Path) -> None:
    other = keep_certificate(tmp_path / "other", HOUSE, datetime.now(UTC))
    context = server_context(kept.file)
    with serving(lambda: context) as port, pytest.raises(ssl.SSLCertVerificationError):
        greeted(port, client(other.file.with_name(ROOT)), "localhost")


def test_tls_1_1_is_refused_by_the_server(kept: HouseCertificate) -> None:
    context = server_context(kept.file)
    with serving(lambda: context) as port:
        assert "alert protocol version" in said_by_openssl(port, "-tls1_1")
        assert "alert protocol version" not in said_by_openssl(port, "-tls1_2")


def said_by_openssl(port: int, version: str) -> str:
    """What a client says that would itself take anything."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version]
    ran = subprocess.run(
        [*command, "-cipher", "ALL@SECLEVEL=0"], capture_output=True, text=True, check=False, input=""
    )
    return ran.stderr


def test_a_renewed_certificate_is_served_without_a_restart(kept: HouseCertificate) -> None:
    current = CurrentContext(kept.file)
    root = kept.file.with_name(ROOT)
    with serving(current) as port:
        greeted(port, client(root), "localhost")
        assert current() is current()
        make_new_root(kept.file.parent, HOUSE, Window.of(kept.leaf).begin)
        greeted(port, client(root), "localhost")


def test_while_changed_files_do_not_fit_the_old_ones_are_served(
    kept: HouseCertificate, tmp_path: Path
) -> None:
    file, key_file = tmp_path / "chain.pem", tmp_path / "key.pem"
    other = keep_certificate(tmp_path / "other", HOUSE, datetime.now(UTC))
    file.write_bytes(kept.file.read_bytes())
    key_file.write_bytes(kept.file.read_bytes())
    current = CurrentContext(file, key_file)
    before = current()
    file.write_bytes(other.file.read_bytes())
    assert current() is before
    file.unlink()
    assert current() is before
    file.write_bytes(other.file.read_bytes())
    key_file.write_bytes(other.file.read_bytes())
    with serving(current) as port:
        greeted(port, client(other.file.with_name(ROOT)), "localhost")


@pytest.mark.parametrize("how", [NoEncryption(), BestAvailableEncryption(b"secret")])
def test_a_key_that_cannot_be_used_is_one_sentence(
    kept: HouseCertificate, tmp_path: Path, how: NoEncryption | BestAvailableEncryption
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    with pytest.raises(CertificateTrouble, match=r"The server cannot use .* they do not fit\."):
        server_context(kept.file, tmp_path / "key.pem")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CertificateTrouble, match=r"No such file or directory\."):
        server_context(tmp_path / "gone.pem")
