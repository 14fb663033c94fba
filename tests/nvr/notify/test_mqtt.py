"""A real broker is told of events; wrong passwords, TLS, and a broker that goes away."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nvr.notify import Notifiers
from nvr.watch_plan import MqttPlan, NotifyPlan
from pipeline.event import Began, Ended
from tests.support.broker import Broker, broker, listener
from tests.support.certificates import make_certificate
from tests.support.events import an_event
from tests.support.household import until

pytestmark = pytest.mark.slow


def _plan(to: Broker, **more: object) -> MqttPlan:
    user = "house" if to.password else ""
    fields = dict(
        host="127.0.0.1",
        port=to.port,
        user=user,
        password=to.password,
        tls=False,
        tls_ca="",
        topic="sealed-nvr",
        discovery=True,
    )
    return MqttPlan(**{**fields, **more})  # type: ignore[arg-type]


def test_events_and_discovery(tmp_path: Path) -> None:
    with (
        broker(tmp_path, password="f00-secret") as to,
        listener(to) as ears,
        Notifiers.at_work(NotifyPlan(mqtt=_plan(to)), ["front", "yard"]) as notifiers,
    ):
        ears.await_last("sealed-nvr/available", b"online")
        ears.await_last("sealed-nvr/yard/active", b"OFF")
        notifiers.happened("front", Began(an_event()), "front-7")
        ears.await_last("sealed-nvr/front/active", b"ON")
        notifiers.happened("front", Ended(an_event()), "front-7")
        ears.await_last("sealed-nvr/front/active", b"OFF")
        event = json.loads(ears.last("sealed-nvr/front/event") or b"")
        assert (event["event"], event["state"]) == ("front-7", "ended")
        config = json.loads(ears.last("homeassistant/binary_sensor/sealed-nvr/front/config") or b"")
        assert config["state_topic"] == "sealed-nvr/front/active"
        assert config["availability_topic"] == "sealed-nvr/available"
        notifiers.close()
        ears.await_last("sealed-nvr/available", b"offline")
        everything = b" ".join(payload for _, payload, _ in ears.heard)
        assert b"person" not in everything
        assert not any(name.endswith("/picture") for name in ears.topics())


def test_what_is_allowed_goes_along_and_is_not_retained(tmp_path: Path) -> None:
    plan = NotifyPlan(labels=True, pictures=True)
    with broker(tmp_path) as to, listener(to) as ears:
        told = NotifyPlan(plan.labels, plan.pictures, _plan(to))
        with Notifiers.at_work(told, ["front"]) as notifiers:
            notifiers.happened("front", Began(an_event()), "front-7")
            until(lambda: ears.last("sealed-nvr/front/picture"), 20)
            assert (ears.last("sealed-nvr/front/picture") or b"").startswith(b"\xff\xd8")
            assert json.loads(ears.last("sealed-nvr/front/event") or b"")["labels"] == ["person"]
        with listener(to) as later:
            later.await_last("sealed-nvr/front/active", b"ON")
            assert not {"sealed-nvr/front/picture", "sealed-nvr/front/event"} & later.topics()


def test_a_broker_that_was_away_learns_how_things_stand(tmp_path: Path) -> None:
    with broker(tmp_path) as to, Notifiers.at_work(NotifyPlan(mqtt=_plan(to)), ["front"]) as notifiers:
        with listener(to) as ears:
            ears.await_last("sealed-nvr/available", b"online")
        to.stop()
        until(lambda: "broker" in notifiers.problem, 20)
        for number in range(500):
            notifiers.happened("front", Began(an_event(number)), f"front-{number}")
        to.start()
        with listener(to) as ears:
            ears.await_last("sealed-nvr/front/active", b"ON")
            ears.await_last("sealed-nvr/available", b"online")
        until(lambda: not notifiers.problem or "did not fit" in notifiers.problem)


def test_a_wrong_password_is_said_without_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with broker(tmp_path, password="right") as to:
        plan = NotifyPlan(mqtt=_plan(to, password="wr0ng-secret"))
        with Notifiers.at_work(plan, ["front"]) as notifiers:
            until(lambda: "password" in notifiers.problem, 20)
            assert "wr0ng-secret" not in notifiers.problem + caplog.text


def test_the_broker_says_when_we_are_gone(tmp_path: Path) -> None:
    with broker(tmp_path) as to, listener(to) as ears:
        notifiers = Notifiers(NotifyPlan(mqtt=_plan(to)), ["front"])
        notifiers.start()
        ears.await_last("sealed-nvr/available", b"online")
        client = notifiers._receivers[0][0]._client  # type: ignore[union-attr]
        client.loop_stop()
        client.socket().close()  # type: ignore[union-attr]
        ears.await_last("sealed-nvr/available", b"offline")


# The library forgets to close the socket of a handshake that failed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with broker(tmp_path, certificate=certificate) as to, listener(to) as ears:
        strange = NotifyPlan(mqtt=_plan(to, tls=True))
        with Notifiers.at_work(strange, ["front"]) as notifiers:
            until(lambda: notifiers.problem, 20)
            assert ears.last("sealed-nvr/available") is None
        known = NotifyPlan(mqtt=_plan(to, tls=True, tls_ca=str(certificate.ca_file)))
        with Notifiers.at_work(known, ["front"]):
            ears.await_last("sealed-nvr/available", b"online")


def test_an_authority_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    missing = MqttPlan("127.0.0.1", 9, "", "", True, str(tmp_path / "none.pem"), "sealed-nvr", True)
    with Notifiers.at_work(NotifyPlan(mqtt=missing), ["front"]) as notifiers:
        assert "tls_ca" in notifiers.problem
        notifiers.happened("front", Began(an_event()), "front-1")
