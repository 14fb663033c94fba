"""The sealing side is small and cannot unseal: a recorder loads it, and has memory and trust for no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
import crypto.armor, crypto.errors, crypto.header, crypto.recipient, crypto.seal
recipient = crypto.recipient.parse_recipient("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")
crypto.seal.seal_bytes(b"plain", [recipient])
print("\\n".join(sys.modules))
"""


def test_sealing_loads_nothing_that_unseals_and_nothing_heavy() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, timeout=60, check=True, text=True
    )
    loaded = set(run.stdout.split())
    assert "crypto.seal" in loaded
    assert not {name for name in loaded if name.startswith(("crypto.identity", "crypto.unseal"))}
    # ssl and hashlib would load a second OpenSSL beside the one in `cryptography`
    heavy = {
        "asyncio",
        "socket",
        "ssl",
        "hashlib",
        "sqlite3",
        "logging",
        "pathlib",
        "pydantic",
        "numpy",
        "cffi",
    }
    assert not heavy & loaded
