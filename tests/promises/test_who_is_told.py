"""Notifications go where the user says, and nowhere else: `nvr run` with a real broker and a real web server.

That nothing is sent by default is shown by `test_nothing_leaves_the_house`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.broker import broker, listener
from tests.support.household import make_household, until
from tests.support.receiver import receiver

pytestmark = pytest.mark.slow


def test_a_broker_and_a_web_server_are_told_of_an_event(tmp_path: Path) -> None:
    house = make_household(tmp_path, watched=True)
    house.add_street("street")
    with broker(tmp_path, password="br0ker-secret") as to, receiver() as server, listener(to) as ears:
        settings = (
            "\n[notify.mqtt]\n"
            f'host = "127.0.0.1"\nport = {to.port}\nuser = "house"\npassword = "{to.password}"\n'
            f'\n[[notify.webhooks]]\nurl = "{server.url}"\nsecret = "h00k-secret"\n'
        )
        with house.config.open("a", encoding="utf-8") as file:
            file.write(settings)
        with house.running() as run:
            until(lambda: ears.last("sealed-nvr/street/event"), 60, run.log)
            ears.await_last("sealed-nvr/street/active", b"ON")
            until(lambda: server.posts, 20, run.log)
            assert "homeassistant/binary_sensor/sealed-nvr/street/config" in ears.topics()
            assert "h00k-secret" not in run.log()
            assert to.password not in run.log()
        ears.await_last("sealed-nvr/available", b"offline")
    posted = json.loads(server.posts[0][2])
    assert (posted["camera"], posted["state"]) == ("street", "began")
    assert posted["event"].startswith("street-")
    told = b" ".join([*(payload for _, payload, _ in ears.heard), *(body for _, _, body in server.posts)])
    assert not any(label in told for label in (b"person", b"bicycle", b"vehicle", b'"car"'))
