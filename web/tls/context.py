"""How the server speaks TLS: 1.2 and 1.3, with the certificate as it lies on the disk now."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

from web.errors import CertificateTrouble


def server_context(file: Path, key_file: Path | None = None) -> ssl.SSLContext:
    """For a server with the chain in `file`, leaf first, and the key in `key_file`, or in the same file.

    Reads both files. Raises CertificateTrouble.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(file, key_file, password="")  # else OpenSSL asks at the terminal
    except OSError as fault:  # ssl.SSLError is one
        why = "they do not fit" if isinstance(fault, ssl.SSLError) else fault.strerror
        raise CertificateTrouble(f"The server cannot use {file} and its key: {why}.") from None
    return context


class CurrentContext:
    """A callable that gives the context for a connection, from any thread: read anew when a file has changed.

    While changed files do not fit (a renewal replaces one after the other) it keeps the context of before.
    """

    def __init__(self, file: Path, key_file: Path | None = None) -> None:
        """Reads the files. Raises CertificateTrouble."""
        self._paths = (file, key_file)
        self._lock = threading.Lock()
        self._seen = self._state()
        self._context = server_context(*self._paths)

    def __call__(self) -> ssl.SSLContext:
        with self._lock:
            state = self._state()
            if state != self._seen:
                self._seen = state
                self._take_if_usable()
            return self._context

    def _take_if_usable(self) -> None:
        try:
            self._context = server_context(*self._paths)
        except CertificateTrouble:
            return  # the next change of a file is looked at again

    def _state(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_state(path) for path in self._paths if path is not None)


def _state(path: Path) -> tuple[int, int] | None:
    """Inode and time of change, in ns; None where the file is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
