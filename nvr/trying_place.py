"""What `nvr detect` is to look at, and what counts there: a file, an address, or a configured camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nvr.address import check_address, shown, split_credentials
from nvr.asking import CAMERA_PASSWORD_FILE, ask_secret, secret_from_file
from nvr.camera_test import CameraAccess
from nvr.config_file import LoadedConfig, find_config, load_config
from nvr.detect_settings import CameraDetectSettings
from nvr.errors import UsageFault
from nvr.recording_plan import plan_for
from nvr.watch_plan import rules_of, watch_plan
from pipeline.clip import clip_messages
from pipeline.event.rules import Rules
from pipeline.watcher.trying import live_messages

if TYPE_CHECKING:
    from pipeline.wire import Message


@dataclass(frozen=True, slots=True)
class TryingPlace:
    """`path` is a file's, else `access` leads to a stream. `rules` are the camera's, if one was named."""

    what: str
    rules: Rules
    model: Path | None
    labels: Path | None
    path: Path | None = None
    access: CameraAccess | None = field(default=None, repr=False)

    def messages(self, start_ns: int, stop: Callable[[], bool]) -> Iterator[Message]:
        """The stream; a file's once, a camera's until `stop`. Raises SourceError."""
        if self.path is not None:
            return clip_messages(self.path, start_ns, audio=False)
        if self.access is None:
            raise ValueError("neither a file nor an address")
        return live_messages(self.access.source(), start_ns, stop)


def trying_place(config: Path | None, source: str, camera: str | None) -> TryingPlace:
    """Raises UsageFault for what is neither, and for a camera that is not configured."""
    path = Path(source).expanduser()
    is_address = "://" in source or source.startswith("/dev/")
    is_file = not is_address and path.is_file()
    named = camera if is_file or is_address else camera or source
    loaded = _loaded(config, named)
    if not is_file and not is_address and loaded is not None and source not in loaded.config.cameras:
        raise UsageFault(f"{shown(source)} is neither a file nor a camera in {loaded.file}.")
    rules, (model, labels) = _rules(loaded, named), _model(loaded)
    if is_file:
        return TryingPlace(str(path), rules, model, labels, path=path)
    access = _configured(loaded, source) if loaded and not is_address else _access(source)
    return TryingPlace(shown(access.url) if is_address else source, rules, model, labels, access=access)


def _loaded(config: Path | None, camera: str | None) -> LoadedConfig | None:
    """Without a configuration, the model that comes along and the usual labels are tried."""
    try:
        file = find_config(config)
    except UsageFault as fault:
        if config is not None:
            raise
        if camera is not None:
            raise UsageFault(f'There is no file "{shown(camera)}". {fault}') from None
        return None
    return load_config(file)


def _rules(loaded: LoadedConfig | None, camera: str | None) -> Rules:
    if loaded is None:
        return Rules()
    places = loaded.camera(camera).detect if camera is not None else CameraDetectSettings()
    return rules_of(loaded.config.detect.of(places), places)


def _model(loaded: LoadedConfig | None) -> tuple[Path | None, Path | None]:
    """As the watcher would take them."""
    if loaded is None:
        return None, None
    plan = watch_plan(loaded, Path())
    return Path(plan.model) if plan.model else None, Path(plan.labels_file) if plan.labels_file else None


def _access(address: str) -> CameraAccess:
    try:
        check_address(address)
    except ValueError as fault:
        raise UsageFault(f"The address {fault}.") from None
    split = split_credentials(address)
    password = split.password
    if split.user and not password:
        prompt = f"Password of {split.user} at the camera"
        password = secret_from_file(CAMERA_PASSWORD_FILE) or ask_secret(prompt, CAMERA_PASSWORD_FILE)
    return CameraAccess(split.url, split.user, password)


def _configured(loaded: LoadedConfig, name: str) -> CameraAccess:
    plan = plan_for(loaded, name, Path())
    main = plan.streams["main"]
    return CameraAccess(main.url, main.user, main.password, plan.transport, plan.tls_ca, plan.tls_verify)
