"""HTTPS: one gunicorn worker with threads. A silent client costs a thread for a while, never the others.

Rules:
- What can be refused is refused before gunicorn begins: an address that is taken is one sentence.
- Nothing is written anywhere: no pid file, no access log, no control socket; temporary files are in memory.
- SIGTERM ends it within `END_S`: requests under way are finished, streams of events are cut off.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from web.errors import WebError

THREADS = 64
END_S = 3
SILENT_MS = 20_000  # for which a client may leave what was sent to it unread
_MEMORY = "/dev/shm"  # noqa: S108 - gunicorn's heartbeat; it must not be on a disk
_SETTINGS: dict[str, Any] = {
    "workers": 1,
    "worker_class": "gthread",
    "threads": THREADS,
    "graceful_timeout": END_S,
    "keepalive": 15,
    "control_socket_disable": True,  # it would lie in the user's home
    "forwarded_allow_ips": "",  # we are nobody's back end: what a client says of its address is not believed
    "worker_tmp_dir": _MEMORY,
    "accesslog": None,
    "errorlog": "-",
    "loglevel": "warning",
    "proc_name": "nvr serve",
}


class CannotListen(WebError):
    """The address or port cannot be had."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A bound socket. `port` is the one that was given by the system where 0 was asked for."""

    bound: socket.socket
    port: int


def listen(address: str, port: int) -> Listening:
    """Binds `port`: at one `address`, or with "" at all, of IPv4 and IPv6. Raises CannotListen."""
    try:
        bound = _bound(address, port)
    except PermissionError:
        raise CannotListen(f"Port {port} needs more rights than we have; choose one above 1023.") from None
    except OSError as fault:
        where = f"{address} port {port}" if address else f"port {port}"
        why = os.strerror(fault.errno) if fault.errno else "no such address"  # its text repeats the address
        raise CannotListen(f"Cannot listen at {where}: {why}.") from None
    # Accepted sockets inherit it. Without, a client that takes nothing more keeps its thread for ever.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_MS)
    return Listening(bound, bound.getsockname()[1])


def _bound(address: str, port: int) -> socket.socket:
    if not address and socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family)


def serve(
    app: Flask,
    listening: Sequence[Listening],
    certificate: Path,
    context: Callable[[], ssl.SSLContext],
    begun: Callable[[], object],
) -> None:
    """Answers until SIGTERM or SIGINT, then leaves the process by SystemExit. In the main thread.

    `context` is asked for each connection, from any thread, and should keep what it gives until the
    `certificate` (a file, which gunicorn wants to see) is renewed. `begun` is called in the process that
    answers, before it does: threads are started there.
    """
    descriptors = [os.dup(one.bound.fileno()) for one in listening]
    for descriptor in descriptors:
        os.set_inheritable(descriptor, True)
    settings = {
        **_SETTINGS,
        "bind": [f"fd://{descriptor}" for descriptor in descriptors],
        "certfile": str(certificate),
        "post_worker_init": lambda _worker: begun(),
        "ssl_context": lambda _config, _factory: context(),
    }
    _Server(app, settings).run()


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """Gunicorn with our settings alone: neither its command line nor its environment are read."""

    def __init__(self, app: Flask, settings: dict[str, Any]) -> None:
        self._app = app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app
