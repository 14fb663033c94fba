"""Listening: where, at which port, and what becomes of clients that read nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from web.serving import SILENT_MS, CannotListen, Listening, listen


@contextmanager
def listening(address: str) -> Iterator[Listening]:
    made = listen(address, 0)
    try:
        yield made
    finally:
        made.bound.close()


def has_ipv6_loopback() -> bool:
    """Containers often have none."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_all_addresses_means_both_families() -> None:
    with listening("") as made:
        for host in ("127.0.0.1", *(["::1"] if has_ipv6_loopback() else [])):
            socket.create_connection((host, made.port)).close()


def test_one_address_is_that_one_alone() -> None:
    with listening("127.0.0.1") as made, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", made.port))


def test_a_client_that_reads_nothing_is_given_up_in_the_end() -> None:
    with listening("127.0.0.1") as made, socket.create_connection(("127.0.0.1", made.port)):
        accepted, _ = made.bound.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SILENT_MS


@pytest.mark.parametrize("address", ["192.0.2.77", "2001:db8::77"])
def test_an_address_that_is_not_ours_is_one_sentence(address: str) -> None:
    with pytest.raises(CannotListen, match=rf"^Cannot listen at {address} port 8443: .*\.$"):
        listen(address, 8443)


def test_a_taken_port_is_one_sentence() -> None:
    with listening("127.0.0.1") as made, pytest.raises(CannotListen, match=r"Address already in use\.$"):
        listen("127.0.0.1", made.port)
