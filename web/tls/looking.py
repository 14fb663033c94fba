"""Asks the system what this host is called. Nothing is sent; what counts is decided in `web.tls.names`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import ifaddr

from web.tls.names import AdapterAddress, Address, Names, names_of_host, temporary_addresses

_IF_INET6 = Path("/proc/net/if_inet6")


def find_names() -> Names:
    """This host's names and lasting addresses, with loopback. Raises OSError if the system does not say."""
    return names_of_host(socket.gethostname(), _addresses(), _temporary())


def _addresses() -> Iterator[AdapterAddress]:
    for adapter in ifaddr.get_adapters():
        for found in adapter.ips:
            text = found.ip if isinstance(found.ip, str) else found.ip[0]
            yield AdapterAddress(adapter.name, ip_address(text))


def _temporary() -> frozenset[Address]:
    try:
        return temporary_addresses(_IF_INET6.read_text())
    except FileNotFoundError:  # a kernel without IPv6
        return frozenset()
