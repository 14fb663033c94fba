"""Free ports on the loopback interface."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A TCP port that nobody listens on now. It may be taken before it is used: start soon, or bind to 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
