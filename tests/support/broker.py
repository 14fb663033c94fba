"""A real MQTT broker (Debian's mosquitto, unpacked in build/assets) on loopback, and somebody who listens."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.certificates import Certificate
from tests.support.footage import ROOT
from tests.support.household import until
from tests.support.ports import free_port

UNPACKED = ROOT / "build" / "assets" / "mosquitto"
_LIBRARIES = UNPACKED / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"


@dataclass
class Broker:
    """Can be stopped and started again on the same port; what it retains lives in its memory alone."""

    directory: Path
    port: int
    password: str = ""
    certificate: Certificate | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Serves, once this returns."""
        self.directory.mkdir(exist_ok=True)
        config = self.directory / "mosquitto.conf"
        config.write_text("\n".join(self._lines()) + "\n", "utf-8")
        program = UNPACKED / "usr" / "sbin" / "mosquitto"
        environment = {**os.environ, "LD_LIBRARY_PATH": str(_LIBRARIES)}
        log = (self.directory / "log").open("ab")
        with log:
            self._process = subprocess.Popen([program, "-c", config], env=environment, stdout=log, stderr=log)
        until(self._answers, 10)

    def stop(self) -> None:
        """As if it had lost power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "log").read_text()
        return b"running" in (self.directory / "log").read_bytes()

    def _lines(self) -> Iterator[str]:
        yield f"listener {self.port} 127.0.0.1"
        if os.getuid() == 0:
            yield "user root"
        if self.certificate is not None:
            yield f"certfile {self.certificate.cert_file}"
            yield f"keyfile {self.certificate.key_file}"
        if self.password:
            yield f"password_file {self._password_file()}"
        yield f"allow_anonymous {'false' if self.password else 'true'}"

    def _password_file(self) -> Path:
        file = self.directory / "passwords"
        file.write_text(f"house:{self.password}\n", "utf-8")
        file.chmod(0o600)
        program = UNPACKED / "usr" / "bin" / "mosquitto_passwd"
        environment = {**os.environ, "LD_LIBRARY_PATH": str(_LIBRARIES)}
        subprocess.run([program, "-U", file], env=environment, check=True, timeout=30)
        return file


@dataclass
class Listener:
    """What a subscriber to everything has received: topics, texts, and whether each was retained."""

    client: Client
    heard: list[tuple[str, bytes, bool]] = field(default_factory=list)

    def last(self, topic: str) -> bytes | None:
        """The newest of that topic."""
        return next((payload for name, payload, _ in reversed(self.heard) if name == topic), None)

    def topics(self) -> set[str]:
        """All that were heard."""
        return {name for name, _, _ in self.heard}

    def await_last(self, topic: str, payload: bytes) -> None:
        """Waits until the newest of that topic is this."""
        until(lambda: self.last(topic) == payload, 20)


@contextmanager
def broker(directory: Path, password: str = "", certificate: Certificate | None = None) -> Iterator[Broker]:
    """Serves until the block ends."""
    one = Broker(directory / "broker", free_port(), password, certificate)
    one.start()
    try:
        yield one
    finally:
        one.stop()


@contextmanager
def listener(to: Broker) -> Iterator[Listener]:
    """Subscribed to everything; connects again when the broker comes back."""
    client = Client(CallbackAPIVersion.VERSION2)
    listening = Listener(client)

    def heard(_client: Client, _data: object, message: MQTTMessage) -> None:
        listening.heard.append((message.topic, bytes(message.payload), message.retain))

    def subscribe(_client: Client, _data: object, *_more: object) -> None:
        client.subscribe("#", 1)

    client.on_message = heard
    client.on_connect = subscribe
    client.reconnect_delay_set(1, 1)
    if to.password:
        client.username_pw_set("house", to.password)
    if to.certificate is not None:
        client.tls_set(str(to.certificate.ca_file))
    client.connect_async("127.0.0.1", to.port)
    client.loop_start()
    until(client.is_connected, 10)
    time.sleep(0.1)  # for the subscription; what is retained comes in any case
    try:
        yield listening
    finally:
        client.disconnect()
        client.loop_stop()
