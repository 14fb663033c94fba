"""The settings: one frozen model of the TOML file. Validation does no I/O and nothing is changed in place.

Unknown settings are refused. No message and no `repr` holds a password, or an address that could contain one:
pydantic's own texts repeat what was written, so they never reach anybody (`config_file` has its own instead).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator

from nvr.address import check_address, split_credentials
from nvr.detect_settings import CameraDetectSettings, DetectSettings
from nvr.notify_settings import NotifySettings
from nvr.quantities import parse_size
from nvr.schedule import parse_span
from nvr.settings_table import SettingsTable
from nvr.web_settings import WebSettings
from pipeline.names import RESERVED_CAMERAS

_NAME = re.compile(r"[a-z0-9-]{1,32}")


def check_name(name: str) -> str:
    """A camera's, group's or member's name: safe as a path component. Raises `ValueError`."""
    if not _NAME.fullmatch(name) or name.startswith("-"):
        raise ValueError("is not a name; use 1 to 32 of a-z, 0-9 and -, beginning with a letter or digit")
    if name in RESERVED_CAMERAS:
        raise ValueError("is a name that the store needs for itself; choose another")
    return name


def _size(value: Any) -> Any:
    if isinstance(value, str):
        return parse_size(value) if value.strip() else None
    return value


def _address(text: str) -> str:
    if text:
        check_address(text)
    return text


Size = Annotated[int, BeforeValidator(_size), Field(ge=0)]
Limit = Annotated[Annotated[int, Field(gt=0)] | None, BeforeValidator(_size)]
Days = Annotated[float, Field(gt=0, le=36_500)]
Address = Annotated[str, AfterValidator(_address)]


class StoreSettings(SettingsTable):
    """`[store]`: where sealed footage goes and how much of it is kept."""

    path: str = "store"
    flush_s: Annotated[float, Field(ge=0.1, le=60)] = 2.0
    min_free: Size = 2_000_000_000
    max_bytes: Limit = None
    days: Days = 30.0
    run_dir: str = ""
    state_dir: str = "state"


class CameraSettings(SettingsTable):
    """`[cameras.NAME]`: one camera. `days` and `max_bytes` default to the store's."""

    url: Address = Field(repr=False)
    sub: Address = Field(default="", repr=False)
    user: str = ""
    password: SecretStr = SecretStr("")
    transport: Literal["tcp", "udp"] = "tcp"
    record: Literal["continuous", "events", "off", "schedule"] = "continuous"
    event_minutes: Annotated[float, Field(ge=2, le=1440)] = 5.0
    schedule: list[str] = Field(default_factory=list)
    audio: bool = True
    days: Days | None = None
    max_bytes: Limit = None
    tls_ca: str = ""
    tls_verify: bool = True
    detect: CameraDetectSettings = CameraDetectSettings()

    @field_validator("url")
    @classmethod
    def _url_is_given(cls, url: str) -> str:
        if not url:
            raise ValueError("is empty; give the camera's address")
        return url

    @field_validator("schedule")
    @classmethod
    def _spans_are_readable(cls, lines: list[str]) -> list[str]:
        for line in lines:
            parse_span(line)
        return lines

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if self.record == "schedule" and not self.schedule:
            raise ValueError(
                'says record = "schedule" but has no schedule; add schedule = ["mon-fri 08:00-18:00"]'
            )
        if self.password.get_secret_value() and split_credentials(self.url).password:
            raise ValueError("has a password both in url and in password; keep the one in password")
        return self


class Config(SettingsTable):
    """The whole file."""

    store: StoreSettings = StoreSettings()
    detect: DetectSettings = DetectSettings()
    notify: NotifySettings = NotifySettings()
    web: WebSettings = WebSettings()
    cameras: dict[str, CameraSettings] = Field(default_factory=dict)

    @field_validator("cameras", mode="before")
    @classmethod
    def _tables_only(cls, cameras: Any) -> Any:
        if not isinstance(cameras, dict):
            raise ValueError("is not a table; write cameras as [cameras.front]")
        return cameras


def events_without_looking(config: Config) -> dict[str, str]:
    """The cameras that keep only what events touch, where there can be none; and why."""
    found = {}
    for name, camera in config.cameras.items():
        detect = config.detect.of(camera.detect)
        if camera.record != "events":
            continue
        if not detect.enabled:
            found[name] = "nobody looks for events there; set detect.enabled = true"
        elif not detect.labels and not (detect.sound and camera.audio):
            found[name] = "nothing counts as one there; name something in detect.labels"
    return found


def misnamed_cameras(names: list[str]) -> dict[str, str]:
    """Which of these names cannot be a camera's, and why."""
    faults = {}
    for name in names:
        try:
            check_name(name)
        except ValueError as fault:
            faults[name] = str(fault)
    return faults
