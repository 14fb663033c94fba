"""`nvr serve` as somebody starts it: HTTPS with the house's certificate, footage of a running recorder."""

from __future__ import annotations

import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.identity import parse_identities
from crypto.unseal import unseal_bytes
from tests.support.certificates import make_certificate
from tests.support.household import Household, Running, make_household, until
from tests.support.https_client import Client, give_port
from web.live.multiplex import FrameType, parse

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> Household:
    house = make_household(tmp_path)
    give_port(house)
    return house


@pytest.fixture
def serving(house: Household) -> Iterator[Running]:
    with house.running("serve") as run:
        until(lambda: Client.of(house).is_answered, why=run.log)
        yield run


def test_what_a_recorder_writes_comes_sealed_and_opens_with_the_members_key(
    house: Household, serving: Running
) -> None:
    house.add_street()
    client = Client.of(house)
    with house.running():
        until(lambda: house.segments())
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(10) == 0, serving.log()
        with house.running("serve") as again:  # it knows the new camera from its start on
            until(lambda: client.is_answered, why=again.log)
            client.log_in(house)
            (camera,) = client.get("/api/v1/cameras")["cameras"]
            assert (camera["name"], camera["is_configured"]) == ("street", True)
            until(lambda: client.get("/api/v1/state")["cameras"])
            segment = house.segments()[0]
            status, sealed, _ = client.ask("GET", f"/api/v1/media/{segment.path}")
            assert status == 200
            assert sealed == (house.store / segment.path).read_bytes()
            assert_opens(house, client, sealed)
            assert_live(client)


def assert_opens(house: Household, client: Client, sealed: bytes) -> None:
    """With what the dashboard gives and the member's key alone."""
    import base64

    member = parse_identities(house.key_file.read_text())
    wrapped = client.get("/api/v1/identities")["identities"]
    texts = [unseal_bytes(base64.b64decode(one["sealed"]), member).decode() for one in wrapped]
    opened = unseal_bytes(sealed, [one for text in texts for one in parse_identities(text)])
    assert opened[4:8] == b"ftyp"


def assert_live(client: Client) -> None:
    """An init segment and pictures come, as the recorder hands them out."""
    connection = client.connect()
    connection.request("GET", "/api/v1/live/frames?stream=street/main", headers={"Cookie": client.cookie})
    answer = connection.getresponse()
    assert answer.status == 200
    kinds = []
    while FrameType.FRAGMENT not in kinds:
        length = answer.read(4)
        (frame,) = parse(length + answer.read(int.from_bytes(length, "big")))
        kinds.append(frame.kind)
    assert kinds == [FrameType.INIT, FrameType.FRAGMENT]
    answer.close()
    connection.close()


def test_a_silent_client_keeps_nobody_waiting(house: Household, serving: Running) -> None:
    client = Client.of(house)
    silent = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(20)]
    client.log_in(house)
    assert client.get("/api/v1/cameras") == {"cameras": []}
    for one in silent:
        one.close()


def test_it_ends_when_it_is_told_also_while_somebody_watches(house: Household, serving: Running) -> None:
    client = Client.of(house)
    client.log_in(house)
    connection = client.connect()
    connection.request("GET", "/api/v1/state/events", headers={"Cookie": client.cookie})
    answer = connection.getresponse()
    assert answer.read1(100).startswith(b"data: ")
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(15) == 0
    answer.close()
    connection.close()


def test_a_start_later_the_certificate_is_the_same_root(house: Household, serving: Running) -> None:
    root = Client.of(house).root.read_bytes()
    serving.process.send_signal(signal.SIGTERM)
    serving.process.wait(15)
    with house.running("serve") as again:
        until(lambda: Client.of(house).is_answered, why=again.log)
    assert Client.of(house).root.read_bytes() == root


def test_a_certificate_of_ones_own_is_shown(house: Household, tmp_path: Path) -> None:
    own = make_certificate(tmp_path)
    with house.config.open("a") as file:
        file.write(f'certificate = "{own.cert_file}"\ncertificate_key = "{own.key_file}"\n')
    port = int(house.config.read_text().rpartition("port = ")[2].split()[0])
    with house.running("serve") as run:
        context = ssl.create_default_context(cafile=str(own.ca_file))

        def shown() -> bool:
            try:
                with socket.create_connection(("127.0.0.1", port)) as raw:
                    context.wrap_socket(raw, server_hostname="127.0.0.1").close()
            except ConnectionRefusedError:
                return False
            return True

        until(shown, why=run.log)
    assert not (house.directory / "state" / "tls").exists()


def test_a_port_that_is_taken_is_one_sentence(house: Household, serving: Running) -> None:
    second = house.nvr("serve")
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1
    assert "Cannot listen at" in second.stderr


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('certificate = "missing.pem"\ncertificate_key = "missing.pem"\n', "cannot be read"),
        ('certificate = "cert.pem"\n', "certificate_key"),
        ('names = ["no such name!"]\n', "web.names"),
        ('address = "here"\n', "web.address"),
        ("port = 0\n", "web.port"),
    ],
)
def test_settings_that_cannot_be_are_said_at_once(tmp_path: Path, lines: str, said: str) -> None:
    house = make_household(tmp_path)
    with house.config.open("a") as file:
        file.write(f"\n[web]\n{lines}")
    done = house.nvr("serve")
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert "Traceback" not in done.stderr
