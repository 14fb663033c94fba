"""What receivers are told, and what not."""

from __future__ import annotations

import json
from dataclasses import replace

from nvr.notify.discovery import discovery, node_of
from nvr.notify.notice import Allowed, notice_of
from pipeline.event import Began, Changed, Ended
from tests.support.events import an_event


def test_neither_label_nor_picture_unless_allowed() -> None:
    notice = notice_of("front", Ended(an_event()), "front-7", Allowed())
    assert notice is not None
    assert notice.picture is None
    assert json.loads(notice.to_json()) == {
        "event": "front-7",
        "camera": "front",
        "state": "ended",
        "start_ms": an_event().start_ns // 1_000_000,
        "end_ms": an_event().end_ns // 1_000_000,
    }


def test_labels_where_allowed() -> None:
    notice = notice_of("front", Began(an_event(label="dog")), "front-7", Allowed(labels=True))
    assert notice is not None
    said = json.loads(notice.to_json())
    assert (said["labels"], said["state"], said["end_ms"]) == (["dog"], "began", None)


def test_a_picture_where_allowed() -> None:
    notice = notice_of("front", Began(an_event()), "front-7", Allowed(pictures=True))
    assert notice is not None
    assert notice.picture is not None
    assert "labels" not in notice.fields()


def test_nothing_is_told_when_only_time_has_passed() -> None:
    event = an_event()
    assert notice_of("front", Changed(event, notable=False), "front-7", Allowed()) is None
    assert notice_of("front", Changed(event), "front-7", Allowed()) is not None


def test_a_sound_has_no_label() -> None:
    event = replace(an_event(), objects=(), picture=None)
    notice = notice_of("front", Began(event), "front-7", Allowed(labels=True, pictures=True))
    assert notice is not None
    assert notice.fields()["labels"] == []


def test_what_is_not_allowed_is_removed_from_home_assistant() -> None:
    kinds = {message.topic: bool(message.payload) for message in discovery("house/nvr", "front", Allowed())}
    assert kinds == {
        "homeassistant/binary_sensor/house_nvr/front/config": True,
        "homeassistant/sensor/house_nvr/front_labels/config": False,
        "homeassistant/image/house_nvr/front_picture/config": False,
    }
    assert all(message.payload for message in discovery("nvr", "front", Allowed(True, True)))


def test_a_node_has_only_what_discovery_allows() -> None:
    assert node_of("Haus/Garten ü") == "Haus_Garten__"
