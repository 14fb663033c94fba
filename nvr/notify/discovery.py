"""What Home Assistant is told so that cameras appear there by themselves. Pure.

The format is Home Assistant's MQTT discovery: a retained JSON message on
`homeassistant/<component>/<node>/<object>/config`; an empty one removes the entity again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nvr.notify.notice import Allowed

PREFIX = "homeassistant"


@dataclass(frozen=True, slots=True)
class Message:
    """What is published to an MQTT topic."""

    topic: str
    payload: str


def node_of(topic: str) -> str:
    """The topic as discovery allows it in a name: letters, digits, `_` and `-`."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", topic)


def discovery(topic: str, camera: str, allowed: Allowed) -> Iterator[Message]:
    """A camera's entities. What is not allowed is removed, should it have been there before."""
    yield _entity("binary_sensor", topic, camera, "", _activity(topic, camera))
    labels = _labels(topic, camera) if allowed.labels else None
    yield _entity("sensor", topic, camera, "_labels", labels)
    picture = _picture(topic, camera) if allowed.pictures else None
    yield _entity("image", topic, camera, "_picture", picture)


def _activity(topic: str, camera: str) -> dict[str, object]:
    return {"name": "activity", "state_topic": f"{topic}/{camera}/active", "device_class": "motion"}


def _labels(topic: str, camera: str) -> dict[str, object]:
    return {
        "name": "last seen",
        "state_topic": f"{topic}/{camera}/event",
        "value_template": "{{ value_json.labels | default([]) | join(', ') }}",
    }


def _picture(topic: str, camera: str) -> dict[str, object]:
    return {"name": "last event", "image_topic": f"{topic}/{camera}/picture"}


def _entity(kind: str, topic: str, camera: str, suffix: str, about: dict[str, object] | None) -> Message:
    node = node_of(topic)
    where = f"{PREFIX}/{kind}/{node}/{camera}{suffix}/config"
    if about is None:
        return Message(where, "")
    common = {
        "unique_id": f"{node}_{camera}{suffix or '_activity'}",
        "availability_topic": f"{topic}/available",
        "device": {"identifiers": [f"{node}_{camera}"], "name": camera, "manufacturer": "Sealed NVR"},
    }
    return Message(where, json.dumps({**about, **common}, separators=(",", ":")))
