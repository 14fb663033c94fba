"""Other implementations of age: Debian's program, also at a terminal, and the npm package."""

from __future__ import annotations

import base64
import json
import os
import pty
import select
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "build/node/node_modules"
TIMEOUT_S = 60


def age(*arguments: str | Path, data: bytes = b"") -> bytes:
    """What `age` writes to standard output. Raises CalledProcessError, which has what came before."""
    done = subprocess.run(["age", *arguments], input=data, capture_output=True, timeout=TIMEOUT_S, check=True)
    return done.stdout


def age_at_terminal(arguments: Sequence[str | Path], typed: str) -> str:
    """Runs `age` at a terminal of its own and types a passphrase at every prompt; what was shown."""
    ours, its = pty.openpty()
    command = ["setsid", "--ctty", "--wait", "age", *arguments]
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its)
    os.close(its)
    try:
        shown = _converse(ours, typed)
        if process.wait(TIMEOUT_S) != 0:
            raise RuntimeError(shown)
        return shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _converse(terminal: int, typed: str) -> str:
    shown = ""
    answered = 0
    while select.select([terminal], [], [], TIMEOUT_S)[0]:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side is closed
            return shown
        shown += block.decode()
        # A prompt ends without a line end; answering earlier could be discarded when echo is switched off.
        if shown.count("passphrase") > answered and shown.rstrip("\x1b[K\r ").endswith(":"):
            answered = shown.count("passphrase")
            os.write(terminal, typed.encode() + b"\n")
    raise TimeoutError(shown)


def npm_age(action: str, *, data: bytes = b"", **request: object) -> Any:
    """The answer of npm's `age-encryption` to a request; see tests/crypto/npm_age.mjs."""
    script = ROOT / "tests/crypto/npm_age.mjs"
    asked = {"action": action, "data": base64.b64encode(data).decode(), **request}
    done = subprocess.run(
        [ROOT / ".venv/bin/node", script, NODE_MODULES],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return json.loads(done.stdout)


def npm_seal(data: bytes, **request: object) -> bytes:
    """A file sealed by npm's `age-encryption`, to `recipients` or with `passphrase`."""
    return base64.b64decode(npm_age("seal", data=data, **request))


def npm_open(sealed: bytes, **request: object) -> bytes:
    """What npm's `age-encryption` opens with `identities` or `passphrase`."""
    return base64.b64decode(npm_age("open", data=sealed, **request))
