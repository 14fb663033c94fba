"""Somebody who asks `nvr serve` over HTTPS, with the house's root certificate and a member's key.

client = Client.of(house)
client.log_in(house)
assert client.get("/api/v1/cameras")["cameras"]
"""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.identity import parse_identities
from crypto.member_key import member_key
from crypto.signing import sign
from tests.support.household import Household
from tests.support.ports import free_port


def give_port(house: Household) -> None:
    """Makes the household's dashboard listen on the loopback interface, at a free port."""
    with house.config.open("a") as file:
        file.write(f'\n[web]\naddress = "127.0.0.1"\nport = {free_port()}\n')


@dataclass
class Client:
    """Somebody with the house's root certificate and a key."""

    port: int
    root: Path
    cookie: str = ""

    @classmethod
    def of(cls, house: Household) -> Client:
        """Of a household that was given a port."""
        port = int(house.config.read_text().rpartition("port = ")[2].split()[0])
        return cls(port, house.directory / "state" / "tls" / "root.pem")

    @property
    def is_answered(self) -> bool:
        """Whether the server is there, with a certificate that the root stands for."""
        if not self.root.exists():
            return False
        connection = self.connect()
        try:
            connection.connect()
        except OSError:
            return False
        finally:
            connection.close()
        return True

    @property
    def origin(self) -> str:
        """As a browser spells it."""
        return f"https://localhost:{self.port}"

    def connect(self) -> http.client.HTTPSConnection:
        """A connection that is not yet made."""
        context = ssl.create_default_context(cafile=str(self.root))
        return http.client.HTTPSConnection("localhost", self.port, context=context, timeout=20)

    def ask(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> tuple[int, bytes, http.client.HTTPResponse]:
        """Status, body, headers; a `body` that is no text goes as JSON."""
        connection = self.connect()
        headers = {"Origin": self.origin, "Cookie": self.cookie, "Content-Type": content_type}
        text = body if isinstance(body, str) else json.dumps(body)
        connection.request(method, path, None if body is None else text, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content, answer

    def get(self, path: str) -> Any:
        """What a GET gives, as JSON."""
        status, content, _ = self.ask("GET", path)
        assert status == 200, content
        return json.loads(content)

    def log_in(self, house: Household) -> None:
        """As the household's first member."""
        challenge = json.loads(self.ask("POST", "/api/v1/login/challenge")[1])["challenge"]
        (identity,) = parse_identities(house.key_file.read_text())
        noun = {"challenge": challenge, "member": "owner", "origin": self.origin}
        line = bytes(sign("login", noun, member_key(identity))).decode()
        status, content, answer = self.ask("POST", "/api/v1/login", {"line": line})
        assert status == 200, content
        self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
