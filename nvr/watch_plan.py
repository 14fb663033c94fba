"""What the watcher process is told: plain values that cross from the supervisor by a pipe, as JSON.

As with a recorder's plan: who is started again after a faulty edit of the file gets the settings that were
good, and two equal plans need no restart. A plan may hold a broker's password and webhooks' secrets: it goes
through pipes only, never into arguments, environment, files or logs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.event.rules import Direction, Line, Rules, Zone
from pipeline.scene import Point, Polygon

if TYPE_CHECKING:
    from nvr.config import CameraSettings
    from nvr.config_file import LoadedConfig
    from nvr.detect_settings import CameraDetectSettings, DetectSettings
    from nvr.notify_settings import MqttSettings


@dataclass(frozen=True, slots=True)
class SoundPlan:
    """Sound is an event when it is so much louder than the camera's background (dB), for so long (s)."""

    db: float
    s: float


@dataclass(frozen=True, slots=True)
class CameraWatch:
    """One camera: its streams, what counts as an event there, and how long footage of one is kept (days)."""

    camera: str
    streams: tuple[str, ...]
    schedule: tuple[str, ...]  # empty: always; what is not to be recorded is not looked at either
    rules: Rules
    events_only: bool  # what no event touches is not kept
    days: float
    keep_days: float
    keep_days_by_label: dict[str, float]
    sound: SoundPlan | None


@dataclass(frozen=True, slots=True)
class MqttPlan:
    """A broker and what it is told."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: bool
    tls_ca: str
    topic: str
    discovery: bool


@dataclass(frozen=True, slots=True)
class WebhookPlan:
    """An address that is posted to."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotifyPlan:
    """Who is told of events, and whether labels and pictures may go along."""

    labels: bool = False
    pictures: bool = False
    mqtt: MqttPlan | None = None
    webhooks: tuple[WebhookPlan, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log line may hold."""
        password = (self.mqtt.password,) if self.mqtt else ()
        return (*password, *(hook.secret for hook in self.webhooks), *(hook.url for hook in self.webhooks))


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """All cameras that are looked at. `model` empty: the one that comes with the program."""

    cameras: tuple[CameraWatch, ...]
    model: str
    labels_file: str
    threads: int
    store_root: str
    state_dir: str
    run_dir: str
    notify: NotifyPlan

    def to_json(self) -> str:
        """For a pipe, and nowhere else."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> WatchPlan:
        """What `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        cameras = tuple(_camera(camera) for camera in fields.pop("cameras"))
        return cls(**fields | {"notify": _notify(fields["notify"])}, cameras=cameras)


def watch_plan(loaded: LoadedConfig, run_dir: Path) -> WatchPlan:
    """The plan for all configured cameras on which somebody looks."""
    detect = loaded.config.detect
    return WatchPlan(
        cameras=tuple(_watched(loaded)),
        model=_file(loaded, detect.model),
        labels_file=_file(loaded, detect.labels_file),
        threads=detect.threads,
        store_root=str(loaded.store_root),
        state_dir=str(loaded.state_dir),
        run_dir=str(run_dir),
        notify=_notify_plan(loaded),
    )


def _watched(loaded: LoadedConfig) -> Iterator[CameraWatch]:
    for name, camera in loaded.config.cameras.items():
        detect = loaded.config.detect.of(camera.detect)
        if detect.enabled and camera.record != "off":  # without a recorder there is no tap
            yield _camera_watch(name, camera, detect, loaded.config.store.days)


def _camera_watch(name: str, camera: CameraSettings, detect: DetectSettings, days: float) -> CameraWatch:
    return CameraWatch(
        camera=name,
        streams=("main", "sub") if camera.sub else ("main",),
        schedule=tuple(camera.schedule) if camera.record == "schedule" else (),
        rules=rules_of(detect, camera.detect),
        events_only=camera.record == "events",
        days=camera.days if camera.days is not None else days,
        keep_days=detect.keep_days,
        keep_days_by_label=detect.keep_days_by_label,
        sound=SoundPlan(detect.sound_db, detect.sound_s) if detect.sound and camera.audio else None,
    )


def rules_of(detect: DetectSettings, places: CameraDetectSettings) -> Rules:
    """What counts as an event, as the pipeline takes it."""
    return Rules(
        labels=tuple(detect.labels),
        score=detect.score,
        scores=detect.scores,
        min_height=detect.min_height,
        min_heights=detect.min_heights,
        zones=tuple(Zone(zone.name, zone.area(), tuple(zone.labels), zone.loiter_s) for zone in places.zones),
        masks=tuple(mask.area() for mask in places.masks),
        lines=tuple(line.line() for line in places.lines),
        gap_s=detect.gap_s,
        pre_roll_s=detect.pre_roll_s,
        post_roll_s=detect.post_roll_s,
    )


def _notify_plan(loaded: LoadedConfig) -> NotifyPlan:
    notify = loaded.config.notify
    mqtt = _mqtt_plan(loaded, notify.mqtt) if notify.mqtt else None
    webhooks = tuple(WebhookPlan(hook.url, hook.secret.get_secret_value()) for hook in notify.webhooks)
    return NotifyPlan(notify.labels, notify.pictures, mqtt, webhooks)


def _mqtt_plan(loaded: LoadedConfig, broker: MqttSettings) -> MqttPlan:
    return MqttPlan(
        broker.host,
        broker.port or (8883 if broker.tls else 1883),
        broker.user,
        broker.password.get_secret_value(),
        broker.tls,
        _file(loaded, broker.tls_ca),
        broker.topic,
        broker.discovery,
    )


def _file(loaded: LoadedConfig, path: str) -> str:
    """A relative path counts from the configuration file; empty stays empty."""
    return str((loaded.file.parent / Path(path).expanduser()).absolute()) if path else ""


def _camera(fields: dict[str, Any]) -> CameraWatch:
    sound = fields["sound"]
    return CameraWatch(
        **fields
        | {
            "streams": tuple(fields["streams"]),
            "schedule": tuple(fields["schedule"]),
            "rules": _rules(fields["rules"]),
            "sound": sound and SoundPlan(**sound),
        }
    )


def _rules(fields: dict[str, Any]) -> Rules:
    zones = tuple(
        Zone(zone["name"], _polygon(zone["polygon"]), tuple(zone["labels"]), zone["loiter_s"])
        for zone in fields["zones"]
    )
    lines = tuple(
        Line(
            line["name"],
            Point(**line["start"]),
            Point(**line["end"]),
            Direction(line["direction"]),
            tuple(line["labels"]),
        )
        for line in fields["lines"]
    )
    masks = tuple(_polygon(mask) for mask in fields["masks"])
    return Rules(
        **fields | {"labels": tuple(fields["labels"]), "zones": zones, "lines": lines, "masks": masks}
    )


def _polygon(fields: dict[str, Any]) -> Polygon:
    return Polygon(tuple(Point(**corner) for corner in fields["corners"]))


def _notify(fields: dict[str, Any]) -> NotifyPlan:
    mqtt = fields["mqtt"] and MqttPlan(**fields["mqtt"])
    webhooks = tuple(WebhookPlan(**hook) for hook in fields["webhooks"])
    return NotifyPlan(fields["labels"], fields["pictures"], mqtt, webhooks)
