"""Publishes notices to an MQTT broker, and tells Home Assistant of the cameras.

Topics below the user's: `<camera>/event` (JSON), `<camera>/active` (ON or OFF, retained), `available`
(online or offline, retained; the broker says offline when we are gone), `<camera>/picture` where allowed.

Rules:
- The broker may be away for as long as it likes: it is connected to again, and told how things stand then.
- Only what holds for a while is retained. Neither labels nor pictures are: a broker keeps those on its disk.
- Straight to the named host; with `tls` its certificate is checked, by the system's roots or the user's own.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from nvr.notify.discovery import discovery
from nvr.notify.notice import Allowed, Notice
from nvr.notify.problem import Problem
from nvr.watch_plan import MqttPlan

KEEPALIVE_S = 30  # after one and a half of it the broker says that we are gone
RECONNECT_S = (1, 60)
_WAITING = 1000  # messages without the broker's word: discovery for 64 cameras takes 260
_AT_LEAST_ONCE = 1
_GOODBYE_S = 2.0


class _Direct(Client):
    """Never takes a proxy from the environment, which the library would with PySocks installed."""

    def _get_proxy(self) -> None:
        return None


class Mqtt:
    """One broker. `deliver` and `close` are for one thread; the connection has the library's own."""

    def __init__(self, plan: MqttPlan, cameras: Sequence[str], allowed: Allowed, problem: Problem) -> None:
        self._plan = plan
        self._allowed = allowed
        self._cameras = tuple(cameras)
        self._problem = problem
        self._open: dict[str, str] = {}
        """The event that a camera is in. An end that was dropped is made good by the next event."""
        self._client = _Direct(CallbackAPIVersion.VERSION2)
        self._is_started = False
        self._may_go = threading.Event()
        """Set while the broker listens, and when nothing is to be waited for any more."""

    def start(self) -> None:
        """Connects, soon or later. A CA that cannot be read is said, and nothing is sent then."""
        client, plan = self._client, self._plan
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_connect_fail = self._not_connected
        client.reconnect_delay_set(*RECONNECT_S)
        client.max_queued_messages_set(_WAITING)
        client.will_set(self._topic("available"), "offline", _AT_LEAST_ONCE, retain=True)
        if plan.user:
            client.username_pw_set(plan.user, plan.password or None)
        if not plan.tls or self._with_tls():
            client.connect_async(plan.host, plan.port, KEEPALIVE_S)
            client.loop_start()
            self._is_started = True

    def deliver(self, notice: Notice) -> None:
        """Publishes it, once the broker is there; until then notices wait in the outbox, which is bounded."""
        if self._is_started:
            self._may_go.wait()
            self._tell(notice)

    def _tell(self, notice: Notice) -> None:
        if not notice.is_over:
            self._open[notice.camera] = notice.event
        elif self._open.get(notice.camera) == notice.event:
            del self._open[notice.camera]
        self._publish(f"{notice.camera}/event", notice.to_json())
        self._publish_active(notice.camera)
        if notice.picture is not None:
            self._publish(f"{notice.camera}/picture", notice.picture.jpeg())

    def hurry(self) -> None:
        """What waits for a broker that is away is given up from now on."""
        self._may_go.set()

    def close(self) -> None:
        """Says goodbye and goes."""
        if self._is_started:
            said = self._client.publish(self._topic("available"), "offline", _AT_LEAST_ONCE, retain=True)
            if self._client.is_connected():
                said.wait_for_publish(_GOODBYE_S)
            self._client.disconnect()
            self._client.loop_stop()

    def _with_tls(self) -> bool:
        try:
            self._client.tls_set_context(ssl.create_default_context(cafile=self._plan.tls_ca or None))
        except OSError as error:
            self._problem.is_there(f"tls_ca cannot be used ({type(error).__name__}); no broker is told")
            return False
        return True

    def _topic(self, name: str) -> str:
        return f"{self._plan.topic}/{name}"

    def _publish(self, name: str, payload: str | bytes, *, retain: bool = False) -> None:
        self._client.publish(self._topic(name), payload, _AT_LEAST_ONCE, retain)

    def _publish_active(self, camera: str) -> None:
        self._publish(f"{camera}/active", "ON" if camera in self._open else "OFF", retain=True)

    def _connected(
        self, client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        if code.is_failure:
            return  # the disconnection that follows says it
        self._problem.is_over()
        self._may_go.set()
        self._publish("available", "online", retain=True)
        for camera in self._cameras:
            self._publish_active(camera)
            for message in discovery(self._plan.topic, camera, self._allowed) if self._plan.discovery else ():
                client.publish(message.topic, message.payload, _AT_LEAST_ONCE, retain=True)

    def _disconnected(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        self._may_go.clear()
        if code.is_failure:
            self._problem.is_there("the broker ended the connection or refuses it; is the password right?")

    def _not_connected(self, _client: Client, _data: Any) -> None:
        self._problem.is_there("the broker cannot be reached")
