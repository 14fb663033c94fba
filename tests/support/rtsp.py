"""A camera as a process: GStreamer's RTSP server on a free loopback port, to be killed, frozen and restarted.

    with camera({"main": clip(), "sub": clip(size="320x180")}, login=Login("eye", "secret")) as front:
        front.url("main")                # rtsp://127.0.0.1:40123/main
        front.freeze(); front.thaw()     # SIGSTOP, SIGCONT
        front.kill(); front.restart()    # on the same port

The server dies with the thread that started it (PR_SET_PDEATHSIG): start it in one that outlives its use.
"""

from __future__ import annotations

import json
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from tests.support.certificates import Certificate
from tests.support.ports import free_port

SCRIPT = Path(__file__).with_name("gst_server.py")
START_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Login:
    """Who may watch, and the only method by which the server lets them say so."""

    user: str
    password: str
    method: Literal["basic", "digest"] = "digest"


class Camera:
    """One server process. `port` stays the same over `kill` and `restart`."""

    def __init__(
        self, mounts: Mapping[str, Path], login: Login | None = None, tls: Certificate | None = None
    ) -> None:
        self.port = free_port()
        self._scheme = "rtsps" if tls else "rtsp"
        self._settings = {
            "port": self.port,
            "mounts": {path: str(clip) for path, clip in mounts.items()},
            "login": [login.user, login.password, login.method] if login else None,
            "tls": [str(tls.cert_file), str(tls.key_file)] if tls else None,
        }
        self._process: subprocess.Popen[str] | None = None

    def url(self, path: str, user: str | None = None, password: str = "") -> str:
        """The URL of a path; with a user, the login stands in it."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user is not None else ""
        return f"{self._scheme}://{login}127.0.0.1:{self.port}/{path}"

    def start(self) -> None:
        """Starts the server and waits until it listens; a RuntimeError says why it does not."""
        process = subprocess.Popen(
            ("/usr/bin/python3", str(SCRIPT)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._process = process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(self._settings))
        process.stdin.close()
        readable, _, _ = select.select([process.stdout], [], [], START_TIMEOUT_S)
        if not readable or process.stdout.readline() != "ready\n":
            raise RuntimeError(f"GStreamer's RTSP server did not start: {self.kill().strip()}")

    def kill(self) -> str:
        """Ends the server at once, also a frozen one; returns what it wrote to standard error."""
        process, self._process = self._process, None
        if process is None:
            return ""
        process.kill()
        process.wait(timeout=10)
        complaints = process.stderr.read() if process.stderr else ""
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
        return complaints

    def freeze(self) -> None:
        """Stops the process where it is: connections stay open and nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen server go on."""
        self._running().send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Kills the server and starts it again on the same port."""
        self.kill()
        self.start()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("The test camera is not running: start() it first.")
        return self._process


@contextmanager
def camera(
    mounts: Mapping[str, Path], *, login: Login | None = None, tls: Certificate | None = None
) -> Iterator[Camera]:
    """A camera that serves clips by path, until the block ends."""
    served = Camera(mounts, login, tls)
    try:
        served.start()
        yield served
    finally:
        served.kill()
