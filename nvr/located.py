"""From `--config` or `--store` to the configuration and its store, as most commands need them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nvr.config import Config, StoreSettings
from nvr.config_file import FILE_NAME, LoadedConfig, find_config, load_config, unknown_camera
from pipeline import walk
from pipeline.names import STORE_FILE
from pipeline.store import Store


@dataclass(frozen=True, slots=True)
class Located:
    """A valid configuration and its store, which is there."""

    loaded: LoadedConfig
    store: Store

    def checked_camera(self, name: str) -> str:
        """The name, if the camera is configured or has footage. Raises `UsageFault`."""
        if name in self.loaded.config.cameras or name in walk.cameras(self.store.root):
            return name
        raise unknown_camera(name, {*self.loaded.config.cameras, *walk.cameras(self.store.root)})


def locate(given: Path | None) -> Located:
    """What `--config` or `--store` names; a store alone counts as configured by default.

    Raises `UsageFault`, `ConfigFaults`, `StoreMissing`, `StoreError`.
    """
    alone = given is not None and (given / STORE_FILE).is_file()
    loaded = _store_alone(given) if given and alone else load_config(find_config(given))
    store = Store(loaded.store_root)
    store.open_check()
    return Located(loaded, store)


def _store_alone(root: Path) -> LoadedConfig:
    settings = StoreSettings(path=str(root.absolute()))
    return LoadedConfig(root.absolute() / FILE_NAME, Config(store=settings))
