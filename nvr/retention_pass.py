"""One retention pass over a store, as the configuration says."""

from __future__ import annotations

from nvr.config import Config
from pipeline.store import Store


def keep_within_limits(store: Store, config: Config) -> None:
    """Deletes what is beyond the limits."""
