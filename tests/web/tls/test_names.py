"""What this host is called, and which names a certificate can hold."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from web.tls.looking import find_names
from web.tls.names import LOOPBACK, AdapterAddress, Names, names_of_host, temporary_addresses

IF_INET6 = """\
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
fd0000000000000000000000000000aa 04 40 00 01     eth0
fd000000000000000000000000000002 04 40 00 80     eth0
odd
"""


def found(*texts: str, adapter: str = "eth0") -> list[AdapterAddress]:
    return [AdapterAddress(adapter, ip_address(text)) for text in texts]


def named(hostname: str, *texts: str, adapter: str = "eth0") -> tuple[str, ...]:
    return (names_of_host(hostname, found(*texts, adapter=adapter), frozenset()) - LOOPBACK).texts


def test_a_host_is_called_by_its_name_its_mdns_name_and_loopback() -> None:
    assert names_of_host("nvr", found("192.168.1.5"), frozenset()).texts == (
        "localhost",
        "nvr",
        "nvr.local",
        "127.0.0.1",
        "192.168.1.5",
        "::1",
    )


def test_a_hostname_with_a_domain_is_also_called_without_it() -> None:
    assert named("NVR.fritz.box.") == ("nvr", "nvr.fritz.box", "nvr.local")


@pytest.mark.parametrize(
    "hostname", ["localhost", "my_box", "", "-x", "a" * 64, "12", ".".join(["a" * 60] * 5)]
)
def test_a_hostname_that_dns_cannot_have_is_left_out(hostname: str) -> None:
    assert named(hostname) == ()


@pytest.mark.parametrize("address", ["192.168.1.5", "10.0.0.1", "172.16.0.1", "100.64.3.2", "fd00::2"])
def test_addresses_of_the_house_are_taken(address: str) -> None:
    assert named("localhost", address) == (address,)


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00::5", "fe80::1", "169.254.3.4", "127.0.1.1", "::"])
def test_addresses_that_change_or_are_nobodys_are_left_out(address: str) -> None:
    assert named("localhost", address) == ()


@pytest.mark.parametrize("adapter", ["docker0", "br-0123456789ab", "vethab12", "virbr0"])
def test_bridges_to_containers_are_left_out(adapter: str) -> None:
    assert named("localhost", "172.17.0.1", adapter=adapter) == ()


@pytest.mark.parametrize("adapter", ["br0", "br-lan", "wlan0", "enp3s0"])
def test_bridges_of_the_house_are_taken(adapter: str) -> None:
    assert named("localhost", "172.17.0.1", adapter=adapter) == ("172.17.0.1",)


def test_temporary_addresses_are_left_out() -> None:
    temporary = temporary_addresses(IF_INET6)
    assert temporary == {ip_address("fd00::aa")}
    assert (names_of_host("localhost", found("fd00::aa", "fd00::2"), temporary) - LOOPBACK).texts == (
        "fd00::2",
    )


def test_names_as_people_write_them() -> None:
    assert Names.of(["NVR.lan", "FD00:0::2"]).texts == ("localhost", "nvr.lan", "127.0.0.1", "::1", "fd00::2")


@pytest.mark.parametrize("text", ["my_box", "*.lan", "", "fe80::1%eth0", "a b", "192.168.1.0/24"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a DNS name nor an address|an address of one link"):
        Names.of([text])


def test_a_permitted_name_stands_for_those_below_it_and_no_others() -> None:
    wanted = Names.of(["cams.nvr.lan", "nvr.lan", "evilnvr.lan", "lan", "192.168.1.6"])
    permitted = wanted.permitted_by(Names.of(["nvr.lan", "192.168.1.5"]))
    assert permitted == Names.of(["cams.nvr.lan", "nvr.lan"])


def test_this_host_is_found() -> None:
    names = find_names()
    assert LOOPBACK - names == Names()
