"""What the configuration says about keeping footage, as the pipeline's retention takes it. Pure."""

from __future__ import annotations

from nvr.config import CameraSettings, Config
from pipeline.retention import Limits, Policy


def policy_of(config: Config) -> Policy:
    """A camera's own days count instead of the store's, which also count for cameras no longer configured."""
    days = config.store.days
    return Policy(
        cameras={name: _limits_of(camera, days) for name, camera in config.cameras.items()},
        others=Limits(days),
        max_bytes=config.store.max_bytes,
        min_free_bytes=config.store.min_free,
    )


def _limits_of(camera: CameraSettings, store_days: float | None) -> Limits:
    days = camera.days if camera.days is not None else store_days
    return Limits(days, camera.max_bytes, camera.event_minutes if camera.record == "events" else None)
