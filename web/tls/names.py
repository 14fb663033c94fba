"""What a host is called: DNS names and addresses, and which of them a certificate can hold. Pure.

Rules:
- Loopback is always among the names. So a constraint always lists DNS names, IPv4 and IPv6 addresses: a
  kind that it did not list would be free.
- Addresses that change by themselves are left out, since each new one would need a new root on every phone:
  global ones (the provider's), link-local ones (browsers cannot even spell those of IPv6), temporary ones of
  IPv6, and those of bridges to containers on this host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address

_LONGEST = 253
_DNS_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_CONTAINERS = re.compile(r"docker\d+|br-[0-9a-f]{12}|veth.*|virbr\d+.*|lxcbr\d+|cni\d+|podman\d+")
_TEMPORARY_FLAG = 0x01  # IFA_F_TEMPORARY, linux/if_addr.h


@dataclass(frozen=True, slots=True)
class Names:
    """DNS names, in lower case, and addresses."""

    dns: frozenset[str] = frozenset()
    addresses: frozenset[Address] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Names:
        """These names and addresses, and loopback. Raises ValueError for a text that is neither."""
        names = LOOPBACK
        for text in texts:
            names |= _one(text.lower())
        return names

    def __or__(self, other: Names) -> Names:
        return Names(self.dns | other.dns, self.addresses | other.addresses)

    def __sub__(self, other: Names) -> Names:
        return Names(self.dns - other.dns, self.addresses - other.addresses)

    def __bool__(self) -> bool:
        return bool(self.dns or self.addresses)

    def permitted_by(self, constraint: Names) -> Names:
        """Those that an authority limited to `constraint` can certify; a DNS name permits those below it."""
        dns = {
            name for name in self.dns if any(f".{name}".endswith(f".{allowed}") for allowed in constraint.dns)
        }
        return Names(frozenset(dns), self.addresses & constraint.addresses)

    @property
    def texts(self) -> tuple[str, ...]:
        """As people write them: DNS names first, each kind in its order."""
        ordered = sorted(self.addresses, key=lambda address: (address.version, int(address)))
        return (*sorted(self.dns), *map(str, ordered))

    @property
    def title(self) -> str:
        """The shortest DNS name that says which host it is."""
        return min(self.dns - LOOPBACK.dns or LOOPBACK.dns, key=lambda name: (len(name), name))


LOOPBACK = Names(frozenset({"localhost"}), frozenset({IPv4Address("127.0.0.1"), IPv6Address("::1")}))


def _one(text: str) -> Names:
    try:
        address = ip_address(text)
    except ValueError:
        if len(text) > _LONGEST or not _DNS_NAME.fullmatch(text):
            raise ValueError(f"{text!r} is neither a DNS name nor an address") from None
        return Names(dns=frozenset({text}))
    if "%" in text:
        raise ValueError(f"{text!r} is an address of one link; no certificate can hold it")
    return Names(addresses=frozenset({address}))


@dataclass(frozen=True, slots=True)
class AdapterAddress:
    """An address of this host, and the adapter (`eth0`) that has it."""

    adapter: str
    address: Address

    @property
    def is_lasting(self) -> bool:
        """Whether others in the house reach us there, today and in a year."""
        changes = self.address.is_global or self.address.is_link_local
        is_nobody = self.address.is_loopback or self.address.is_multicast or self.address.is_unspecified
        return not (changes or is_nobody or _CONTAINERS.fullmatch(self.adapter))


def names_of_host(hostname: str, found: Iterable[AdapterAddress], temporary: frozenset[Address]) -> Names:
    """What a host is called that the system calls `hostname` and that has these addresses."""
    lasting = {each.address for each in found if each.is_lasting} - temporary
    return LOOPBACK | Names(_dns_names(hostname.lower().rstrip(".")), frozenset(lasting))


def _dns_names(hostname: str) -> frozenset[str]:
    """None for a hostname that DNS cannot have, such as one with an underscore."""
    if len(hostname) > _LONGEST - len(".local") or not _DNS_NAME.fullmatch(hostname):
        return frozenset()
    first = hostname.partition(".")[0]
    if hostname == "localhost" or first.isdigit():
        return frozenset()
    return frozenset({hostname, first, f"{first}.local"})


def temporary_addresses(if_inet6: str) -> frozenset[Address]:
    """Those that change daily (RFC 8981), from the text of `/proc/net/if_inet6`; odd lines say nothing."""
    lines = (line.split() for line in if_inet6.splitlines())
    return frozenset(
        IPv6Address(bytes.fromhex(fields[0]))
        for fields in lines
        if len(fields) == 6 and len(fields[0]) == 32 and int(fields[4], 16) & _TEMPORARY_FLAG
    )
