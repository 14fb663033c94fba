"""`[web]`: where the dashboard listens, and what it is called. No key stands in the file itself."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from nvr.settings_table import SettingsTable

_DNS_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.IGNORECASE)


def _an_address(text: str) -> str:
    if text:
        try:
            ip_address(text)
        except ValueError:
            raise ValueError('is not an address; write one as "192.168.1.5", or "" for all') from None
    return text


def _a_host(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        if len(text) > 253 or not _DNS_NAME.fullmatch(text):
            raise ValueError('has a name that no host can have; write one as "nvr.lan"') from None
    return text.lower()


class WebSettings(SettingsTable):
    """The whole table. Paths are relative to the configuration file."""

    address: Annotated[str, AfterValidator(_an_address)] = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 8443
    names: list[Annotated[str, AfterValidator(_a_host)]] = Field(default_factory=list)
    certificate: str = ""
    certificate_key: str = ""

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.certificate) != bool(self.certificate_key):
            raise ValueError("needs certificate and certificate_key both, or neither")
        return self
