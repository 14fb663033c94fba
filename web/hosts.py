"""Which names this dashboard answers to, so that no foreign page talks to it (DNS rebinding, CSRF). Pure.

A page of an attacker may make its own name resolve to our address: the browser then sends that name, and gets
nothing. What changes anything must come from a page of ours: browsers always say which page asks (`Origin`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The origins of this dashboard, as browsers spell them: `https://nvr.local:8443`."""

    origins: frozenset[str]

    @classmethod
    def of(cls, names: Iterable[str], port: int) -> AllowedHosts:
        """For these DNS names and addresses, on one port."""
        suffix = "" if port == HTTPS_PORT else f":{port}"
        return cls(frozenset(f"https://{_bracketed(name.lower())}{suffix}" for name in names))

    def origin_of(self, host_header: str) -> str | None:
        """The origin that a `Host` header stands for; None when it is none of ours."""
        origin = f"https://{host_header.lower().removesuffix(f':{HTTPS_PORT}')}"
        return origin if origin in self.origins else None


def _bracketed(name: str) -> str:
    try:
        return f"[{name}]" if ip_address(name).version == 6 else name
    except ValueError:
        return name


def is_foreign(origin: str, said_origin: str | None, said_site: str | None, *, changes: bool) -> bool:
    """Whether a request to `origin` comes from a page of somebody else, by its `Origin` and `Sec-Fetch-Site`.

    What changes anything must say `Origin`; what only reads may come without it (the address bar).
    """
    if said_origin is not None and said_origin != origin:
        return True
    if said_site not in (None, "same-origin", "none"):
        return True
    return changes and said_origin is None
