"""`[notify]`: who is told of events. Nobody, unless a host is named here; neither label nor picture, unless
allowed here. No message and no `repr` holds a password, a secret, or an address that could contain one.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator

from nvr.settings_table import SettingsTable

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_TOPIC = re.compile(r"[^\x00-\x1f+#]{1,128}")


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        named = None
    if not named:
        raise ValueError('is not an address to send to; write one as "https://192.168.1.5:8123/hook"')
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("has a space or a letter beyond ASCII in it; write those as %20 and the like")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "has a user or password in it, which is not sent; use secret, or a token in the path"
        )
    return text


class MqttSettings(SettingsTable):
    """`[notify.mqtt]`: a broker. Without `port`: 1883, with TLS 8883."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    user: str = ""
    password: SecretStr = SecretStr("")
    tls: bool = False
    tls_ca: str = ""
    topic: str = "sealed-nvr"
    discovery: bool = True

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str) -> str:
        if not _HOST.fullmatch(host):
            raise ValueError('is not a host; write its name or address, such as "192.168.1.5"')
        return host

    @field_validator("topic")
    @classmethod
    def _is_a_topic(cls, topic: str) -> str:
        if not _TOPIC.fullmatch(topic) or topic.startswith(("/", "$")) or topic.endswith("/"):
            raise ValueError(
                "is not a topic; use a name without + and #, neither beginning nor ending with /"
            )
        return topic


class WebhookSettings(SettingsTable):
    """`[[notify.webhooks]]`: an address that each event is posted to; `secret` signs what is posted."""

    url: Annotated[str, AfterValidator(_web_address)] = Field(repr=False)
    secret: SecretStr = SecretStr("")


class NotifySettings(SettingsTable):
    """`[notify]`."""

    labels: bool = False
    pictures: bool = False
    mqtt: MqttSettings | None = None
    webhooks: list[WebhookSettings] = Field(default_factory=list)
