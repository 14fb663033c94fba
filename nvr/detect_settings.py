"""`[detect]` and `[cameras.NAME.detect]`: what is looked for, where, and how long it is kept. No I/O.

What a camera does not say itself, `[detect]` says for all. Places are fractions of the picture, from its
upper left corner. A zone's fault is told with the zone's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from nvr.settings_table import SettingsTable
from pipeline.event.rules import DEFAULT_LABELS, Direction, Line, line_faults, polygon_faults
from pipeline.scene import Point, Polygon

_ZONE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,31}")
_LABEL = re.compile(r"[^\x00-\x1f]{1,64}")


def _label(text: str) -> str:
    label = text.strip().lower()
    if not _LABEL.fullmatch(label):
        raise ValueError('is not a label; write one as the model has it, such as "person"')
    return label


def _zone_name(text: str) -> str:
    if not _ZONE_NAME.fullmatch(text):
        raise ValueError("is not a name; use 1 to 32 letters, digits, spaces, - and _")
    return text


Label = Annotated[str, AfterValidator(_label)]
ZoneName = Annotated[str, AfterValidator(_zone_name)]
Share = Annotated[float, Field(gt=0, le=1)]
Height = Annotated[float, Field(ge=0, lt=1)]
Seconds = Annotated[float, Field(ge=0, le=60)]
KeepDays = Annotated[float, Field(gt=0, le=1095)]  # the longest class of deadlines
Decibels = Annotated[float, Field(ge=3, le=60)]  # below 3 dB any noise wavers
LoudSeconds = Annotated[float, Field(ge=0.2, le=60)]
Corners = list[list[float]]


def _polygon(what: str, corners: Corners) -> Polygon:
    """Raises `ValueError` that names it."""
    if any(len(corner) != 2 for corner in corners):
        raise ValueError(f"{what} has a corner that is not [x, y]")
    polygon = Polygon(tuple(Point(x, y) for x, y in corners))
    for fault in polygon_faults(what, polygon):
        raise ValueError(fault.removesuffix("."))
    return polygon


class ZoneSettings(SettingsTable):
    """`[[cameras.NAME.detect.zones]]`: an area that matters. No `labels`: all that are looked for."""

    name: ZoneName
    polygon: Corners
    labels: list[Label] = Field(default_factory=list)
    loiter_s: Annotated[float, Field(ge=0, le=3600)] = 0.0

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        _polygon(f'Zone "{self.name}"', self.polygon)
        return self

    def area(self) -> Polygon:
        """The polygon as the pipeline takes it."""
        return _polygon("", self.polygon)


class MaskSettings(SettingsTable):
    """`[[cameras.NAME.detect.masks]]`: an area that is not looked at."""

    polygon: Corners

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        _polygon("this mask", self.polygon)
        return self

    def area(self) -> Polygon:
        """The polygon as the pipeline takes it."""
        return _polygon("", self.polygon)


class LineSettings(SettingsTable):
    """`[[cameras.NAME.detect.lines]]`: left and right are as seen looking along it, from `from` to `to`."""

    name: ZoneName
    start: list[float] = Field(alias="from")
    end: list[float] = Field(alias="to")
    direction: Literal["left-to-right", "right-to-left", "both"] = "both"
    labels: list[Label] = Field(default_factory=list)

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        if any(len(end) != 2 for end in (self.start, self.end)):
            raise ValueError(f'Line "{self.name}" has an end that is not [x, y]')
        for fault in line_faults(self.line()):
            raise ValueError(fault.removesuffix("."))
        return self

    def line(self) -> Line:
        """As the pipeline takes it."""
        return Line(
            self.name, Point(*self.start), Point(*self.end), Direction(self.direction), tuple(self.labels)
        )


class DetectSettings(SettingsTable):
    """`[detect]`: for all cameras. `model` and `labels_file` empty: the model that comes with the program."""

    enabled: bool = True
    model: str = ""
    labels_file: str = ""
    threads: Annotated[int, Field(ge=1, le=8)] = 1
    labels: list[Label] = Field(default_factory=lambda: list(DEFAULT_LABELS))
    score: Share = 0.4
    scores: dict[Label, Share] = Field(default_factory=dict)
    min_height: Height = 0.0
    min_heights: dict[Label, Height] = Field(default_factory=dict)
    gap_s: Seconds = 5.0
    pre_roll_s: Seconds = 5.0
    post_roll_s: Seconds = 5.0
    keep_days: KeepDays = 60.0
    keep_days_by_label: dict[Label, KeepDays] = Field(default_factory=dict)
    sound: bool = False
    sound_db: Decibels = 12.0
    sound_s: LoudSeconds = 1.0

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if self.labels_file and not self.model:
            raise ValueError("has labels_file without model; name the .tflite that the labels belong to")
        return self

    def of(self, camera: CameraDetectSettings) -> DetectSettings:
        """As they are for this camera."""
        own = {name: getattr(camera, name) for name in camera.model_fields_set if name in _OWN}
        return self.model_copy(update={name: value for name, value in own.items() if value is not None})


class CameraDetectSettings(SettingsTable):
    """`[cameras.NAME.detect]`: what this camera has otherwise than `[detect]`, and its areas and lines."""

    enabled: bool | None = None
    labels: list[Label] | None = None
    score: Share | None = None
    scores: dict[Label, Share] | None = None
    min_height: Height | None = None
    min_heights: dict[Label, Height] | None = None
    gap_s: Seconds | None = None
    pre_roll_s: Seconds | None = None
    post_roll_s: Seconds | None = None
    keep_days: KeepDays | None = None
    keep_days_by_label: dict[Label, KeepDays] | None = None
    sound: bool | None = None
    sound_db: Decibels | None = None
    sound_s: LoudSeconds | None = None
    zones: list[ZoneSettings] = Field(default_factory=list)
    masks: list[MaskSettings] = Field(default_factory=list)
    lines: list[LineSettings] = Field(default_factory=list)

    @field_validator("zones", "lines")
    @classmethod
    def _names_are_different(cls, named: list[Any]) -> list[Any]:
        twice = _twice(each.name for each in named)
        if twice:
            raise ValueError(f'has two called "{twice}"; give each a name of its own')
        return named


_OWN = frozenset(CameraDetectSettings.model_fields) - {"zones", "masks", "lines"}


def _twice(names: Iterable[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
