"""From `--config` to the configuration and its store, as most commands need them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nvr.config_file import LoadedConfig, find_config, load_config
from pipeline.store import Store


@dataclass(frozen=True, slots=True)
class Located:
    """A valid configuration and its store, which is there."""

    loaded: LoadedConfig
    store: Store

    def checked_camera(self, name: str) -> str:
        """The name, if the camera is configured or has footage. Raises `UsageFault`."""
        if name in self.loaded.config.cameras or (name and (self.store.root / name / "lock").exists()):
            return name
        raise self.loaded.unknown_camera(name)


def locate(config: Path | None) -> Located:
    """Raises `UsageFault`, `ConfigFaults`, `StoreMissing`, `StoreError`."""
    loaded = load_config(find_config(config))
    store = Store(loaded.store_root)
    store.open_check()
    return Located(loaded, store)
