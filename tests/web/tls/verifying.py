"""What the real `openssl` thinks of a chain, at a time that the test says."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from web.tls.reading import pem

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


def refusal(
    folder: Path, root: x509.Certificate, between: list[x509.Certificate], leaf: x509.Certificate, *more: str
) -> str:
    """Why openssl refuses the chain as a server's at NOW, strictly by RFC 5280; empty if it does not."""
    for name, content in (("r", pem(root)), ("b", pem(*between)), ("l", pem(leaf))):
        (folder / f"verify-{name}.pem").write_bytes(content)
    files = [str(folder / f"verify-{name}.pem") for name in "rbl"]
    when = more if "-attime" in more else ("-attime", str(int(NOW.timestamp())), *more)
    purpose = () if "-purpose" in more else ("-purpose", "sslserver")
    command = ["openssl", "verify", "-x509_strict", *purpose, *when, "-no-CApath", "-no-CAstore"]
    ran = subprocess.run(
        [*command, "-CAfile", files[0], "-untrusted", files[1], files[2]],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr
