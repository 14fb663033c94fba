"""What the watcher hands to the store of events. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.event import Event


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event as it is now, to be kept for so many days.

    `crop` and `whole` are JPEGs of its best frame, empty without one; `model` is the first 16 hex digits of
    the model's SHA-256. `event.number` tells one event of its camera from another while the watcher runs.
    """

    event: Event
    keep_days: float
    crop: bytes = field(default=b"", repr=False)
    whole: bytes = field(default=b"", repr=False)
    model: str = ""
    clock_unsure: bool = False

    @property
    def start_ms(self) -> int:
        """When it began, UTC."""
        return self.event.start_ns // 1_000_000

    @property
    def end_ms(self) -> int:
        """When it ended, or would end as things stand; UTC."""
        return self.event.end_ns // 1_000_000
