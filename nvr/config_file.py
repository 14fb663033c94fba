"""The configuration file: where it is looked for, how it is read, every fault in it at once with its place.

What stands in a setting is never repeated: it may be a password where nobody expects one (`pasword = "…"`).
"""

from __future__ import annotations

import difflib
import re
import stat
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from nvr.address import shown
from nvr.config import CameraSettings, Config, StoreSettings, events_without_looking, misnamed_cameras
from nvr.detect_settings import (
    CameraDetectSettings,
    DetectSettings,
    LineSettings,
    MaskSettings,
    ZoneSettings,
)
from nvr.errors import UsageFault
from nvr.notify_settings import MqttSettings, NotifySettings, WebhookSettings
from nvr.toml_places import line_of
from nvr.web_settings import WebSettings
from pipeline.names import STORE_FILE

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FILE_NAME = "nvr.toml"
SYSTEM_DIRECTORY = Path("/etc/sealed-nvr")
_PRINTABLE_NAME = re.compile(r"[\w .-]{1,40}")
_SIZES = frozenset({"min_free", "max_bytes"})
_SEVERAL = frozenset({"zones", "masks", "lines", "webhooks"})
_SENTENCES = {
    "missing": "is missing",
    "string_type": "should be text in quotes",
    "bool_type": "should be true or false",
    "int_type": "should be a whole number",
    "float_type": "should be a number",
    "list_type": "should be a list in [ ]",
    "dict_type": "should be a table",
    "model_type": "should be a table such as [cameras.front]",
}


_TABLES: dict[tuple[str, ...], type[BaseModel]] = {
    ("store",): StoreSettings,
    ("detect",): DetectSettings,
    ("notify",): NotifySettings,
    ("notify", "mqtt"): MqttSettings,
    ("web",): WebSettings,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file: `line` is 0 where it has no line of its own."""

    file: Path
    line: int
    setting: str  # as in cameras.front.url
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.setting} {self.sentence}".replace(":  ", ": ")


class ConfigFaults(UsageFault):
    """A configuration file that cannot be used; `faults` names every reason."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = "\n".join(f"  {fault}" for fault in faults)
        super().__init__(f"The configuration has {count}; nothing was started.\n{lines}")


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A valid configuration and the file it stands in. `warnings` are sentences for whoever runs it."""

    file: Path
    config: Config
    warnings: tuple[str, ...] = ()

    @property
    def store_root(self) -> Path:
        """The store's folder; a relative `path` counts from the file."""
        return (self.file.parent / Path(self.config.store.path).expanduser()).absolute()

    @property
    def state_dir(self) -> Path:
        """What the device keeps outside the store; a relative `state_dir` counts from the file."""
        return (self.file.parent / Path(self.config.store.state_dir).expanduser()).absolute()

    def camera(self, name: str) -> CameraSettings:
        """The camera of that name. Raises `UsageFault` that names the known ones."""
        settings = self.config.cameras.get(name)
        if settings is None:
            raise unknown_camera(name, self.config.cameras)
        return settings


def unknown_camera(name: str, known: Iterable[str]) -> UsageFault:
    """What to raise for a name that is none of the known cameras'."""
    names = ", ".join(sorted(known)) or "none yet"
    return UsageFault(f'There is no camera "{shown(name)}". Known cameras: {names}.')


def search_places(user_directory: Path) -> tuple[Path, ...]:
    """Where a configuration is looked for without `--config`, in this order."""
    return (Path(FILE_NAME), user_directory / FILE_NAME, SYSTEM_DIRECTORY / FILE_NAME)


def find_config(given: Path | None) -> Path:
    """The file to use. Raises `UsageFault` when there is none."""
    if given is not None:
        if (given / STORE_FILE).is_file():
            raise UsageFault("A store alone is not enough for this; name the configuration with --config.")
        found = given / FILE_NAME if given.is_dir() else given
        if not found.is_file():
            raise UsageFault(f"There is no configuration at {given}. Make one with: nvr init {given.parent}")
        return found.absolute()
    from platformdirs import user_config_path

    places = search_places(user_config_path("sealed-nvr", appauthor=False))
    for place in places:
        if place.is_file():
            return place.absolute()
    looked = ", ".join(str(place) for place in places)
    raise UsageFault(
        f"There is no configuration (looked at {looked}). "
        "Make one with: nvr init DIR, then say: nvr --config DIR/nvr.toml"
    )


def load_config(file: Path) -> LoadedConfig:
    """Reads and checks a file. Raises `ConfigFaults` with all faults, `UsageFault` when it cannot be read."""
    try:
        text = file.read_text("utf-8")
        readable_by_others = stat.S_IMODE(file.stat().st_mode) & 0o077
    except UnicodeDecodeError:
        raise ConfigFaults([Fault(file, 0, "", "is not UTF-8 text")]) from None
    except OSError as fault:
        raise UsageFault(f"Cannot read the configuration {file}: {fault.strerror}.") from None
    warnings = []
    if readable_by_others:
        warnings.append(f"Others can read {file}, which holds camera passwords. Say: chmod 600 {file}")
    return LoadedConfig(file, parse_config(text, file), tuple(warnings))


def parse_config(text: str, file: Path) -> Config:
    """Checks a file's text; pure. Raises `ConfigFaults`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise ConfigFaults([_not_toml(str(fault), text, file)]) from None
    config, errors = _validate(document)
    faults = [_fault(error, document, text, file) for error in errors]
    cameras = document.get("cameras")
    if isinstance(cameras, dict):
        for name, sentence in misnamed_cameras(list(cameras)).items():
            path = ("cameras", name)
            faults.append(Fault(file, line_of(text, path), _dotted(path), sentence))
    for name, why in (events_without_looking(config) if config else {}).items():
        place = ("cameras", name, "record")
        faults.append(Fault(file, line_of(text, place), _dotted(place), f'is "events", but {why}'))
    if faults or config is None:
        raise ConfigFaults(sorted(faults, key=lambda fault: (fault.line == 0, fault.line)))
    return config


def _validate(document: dict[str, Any]) -> tuple[Config | None, list[ErrorDetails]]:
    try:
        return Config.model_validate(document), []
    except ValidationError as invalid:
        return None, invalid.errors(include_url=False, include_context=True, include_input=False)


def _not_toml(message: str, text: str, file: Path) -> Fault:
    found = re.search(r"at line (\d+), column (\d+)", message)
    line = int(found[1]) if found else text.count("\n") + 1
    column = f" (column {found[2]})" if found else ""
    return Fault(
        file, line, "", f"cannot be read as TOML from here on{column}; is a quote or bracket missing?"
    )


def _fault(error: ErrorDetails, document: dict[str, Any], text: str, file: Path) -> Fault:
    path = tuple(str(part) for part in error["loc"] if part != "[key]")
    if error["type"] == "extra_forbidden":
        sentence = _unknown(path, document)
    elif error["type"] == "value_error":
        sentence = str(error.get("ctx", {}).get("error", "is not valid"))
    else:
        sentence = _sentence(error)
    return Fault(file, line_of(text, path), _dotted(path), sentence)


def _sentence(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "literal_error":
        return f"should be {context['expected']}"
    if error["type"] == "int_type" and error["loc"][-1] in _SIZES:
        return 'should be a size such as "20GB"'
    bounds = {
        "greater_than": f"should be more than {context.get('gt')}",
        "greater_than_equal": f"should be at least {context.get('ge')}",
        "less_than_equal": f"should be at most {context.get('le')}",
    }
    return bounds.get(error["type"]) or _SENTENCES.get(error["type"], "has a value that cannot be used here")


def _unknown(path: tuple[str, ...], document: dict[str, Any]) -> str:
    known = _settings_beside(path)
    close = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else f"; known here: {', '.join(known)}"
    return f"is not a setting{hint}"


def _settings_beside(path: tuple[str, ...]) -> list[str]:
    model = _table_at(path[:-1])
    return [field.alias or name for name, field in model.model_fields.items()]


def _table_at(path: tuple[str, ...]) -> type[BaseModel]:
    """The settings of the table that stands there."""
    match path:
        case ("cameras", _):
            return CameraSettings
        case ("cameras", _, "detect"):
            return CameraDetectSettings
        case ("cameras", _, "detect", "zones", _):
            return ZoneSettings
        case ("cameras", _, "detect", "masks", _):
            return MaskSettings
        case ("cameras", _, "detect", "lines", _):
            return LineSettings
        case ("notify", "webhooks", _):
            return WebhookSettings
    return _TABLES.get(path, Config)


def _dotted(path: tuple[str, ...]) -> str:
    """For people: which of several tables it is, the line says."""
    named = [part for before, part in zip(("", *path), path, strict=False) if before not in _SEVERAL]
    return ".".join(part if _PRINTABLE_NAME.fullmatch(part) else "…" for part in named)
